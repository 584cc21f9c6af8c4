using System.Text.Json.Nodes;
using Backup.Engine.PrePost;
using Backup.Engine.Stores;

namespace Backup.Engine.Tests.PrePost;

/// <summary>The sample's document is taken as it is, and its limits are held.</summary>
public sealed class PrePostDocumentTests
{
    private static readonly PrePostOptions Empty = new() { Destination = StoreLocation.ForDirectory("/x") };

    private static string Ids(int count) => new JsonArray([.. Enumerable.Range(0, count).Select(i => (JsonNode)$"i-{i:x17}")]).ToJsonString();

    [Fact]
    public void The_sample_as_it_is()
    {
        var options = PrePostDocument.Apply(SampleDocument.Create().ToJsonString(), Empty);
        (options.TagKey, options.TagValue, options.StopInstance, options.BackupVaultName, options.IamRoleArn).ShouldBe(("backup-job", "true", true, "vault", PrePostPlace.Role));
        options.PreScript.ShouldBe(new PrePostScript
        {
            SourceS3Path = $"https://{SampleDocument.Bucket}.s3.amazonaws.com/scripts/pre-script.sh",
            CommandToRun = "pre-script.sh",
            WorkingDirectory = "",
            DeliverySeconds = 600,
            OutputS3BucketName = SampleDocument.Bucket,
            OutputS3KeyPrefix = "pre-script-logs",
        });
        options.PostScript!.CommandToRun.ShouldBe("post-script.sh");
        PrePostLimits.Check(options);
    }

    [Theory]
    [InlineData("TargetEC2TagKey", null, "TargetEC2TagKey")]
    [InlineData("TargetEC2TagKey", "\"\"", "TargetEC2TagKey")]
    [InlineData("TargetEC2TagKey", "164", "TargetEC2TagKey")]
    [InlineData("TargetEC2TagValue", null, "TargetEC2TagValue")]
    [InlineData("TargetEC2Instances", "[\"i-0123456789abcdef0\"]", "TargetEC2Instances")]
    [InlineData("BackupDetails", null, "BackupDetails")]
    [InlineData("BackupDetails.BackupVaultName", "\"\"", "BackupDetails.BackupVaultName")]
    [InlineData("BackupDetails.BackupVaultName", "51", "BackupDetails.BackupVaultName")]
    [InlineData("BackupDetails.IamRoleArn", null, "BackupDetails.IamRoleArn")]
    [InlineData("BackupDetails.IamRoleArn", "\"backup\"", "BackupDetails.IamRoleArn")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.SourceS3Path", "\"\"", "PreBackupScriptDetails.SourceS3Path")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.SourceS3Path", "\"ftp://x/y\"", "PreBackupScriptDetails.SourceS3Path")]
    [InlineData("RemoteRunCommandDetails.PostBackupScriptDetails.CommandToRun", null, "PostBackupScriptDetails.CommandToRun")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.TimeoutInSeconds", "29", "PreBackupScriptDetails.TimeoutInSeconds")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.TimeoutInSeconds", "2592001", "PreBackupScriptDetails.TimeoutInSeconds")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.OutputS3BucketName", "\"ab\"", "PreBackupScriptDetails.OutputS3BucketName")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.OutputS3BucketName", "64", "PreBackupScriptDetails.OutputS3BucketName")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.OutputS3KeyPrefix", "\"\"", "PreBackupScriptDetails.OutputS3KeyPrefix")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.OutputS3KeyPrefix", "501", "PreBackupScriptDetails.OutputS3KeyPrefix")]
    [InlineData("StartStopEC2Required", "\"perhaps\"", "StartStopEC2Required")]
    [InlineData("StartStopRequired", "true", "StartStopRequired")]
    public void What_breaks_a_limit_names_its_field(string path, string? json, string field)
    {
        // A bare number stands for a text of that length, where the field is a text.
        if (int.TryParse(json, out var length) && !path.EndsWith("Seconds", StringComparison.Ordinal))
            json = $"\"{new string('x', length)}\"";
        var failure = Should.Throw<BackupException>(() => PrePostDocument.Apply(SampleDocument.With(path, json), Empty));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.Message.ShouldContain(field);
        failure.Advice.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("TargetEC2TagKey", "163")]
    [InlineData("BackupDetails.BackupVaultName", "50")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.TimeoutInSeconds", "30")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.TimeoutInSeconds", "2592000")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.TimeoutInSeconds", "\"600\"")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.TimeoutInSeconds", null)]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.OutputS3BucketName", "63")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails.OutputS3KeyPrefix", "500")]
    [InlineData("RemoteRunCommandDetails.PreBackupScriptDetails", null)]
    [InlineData("RemoteRunCommandDetails", null)]
    [InlineData("StartStopEC2Required", null)]
    public void What_is_at_a_limit_is_taken(string path, string? json)
    {
        if (int.TryParse(json, out var length) && !path.EndsWith("Seconds", StringComparison.Ordinal))
            json = $"\"{new string('x', length)}\"";
        PrePostLimits.Check(PrePostDocument.Apply(SampleDocument.With(path, json), Empty));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(50, true)]
    [InlineData(51, false)]
    public void So_many_instances(int count, bool isTaken)
    {
        var document = SampleDocument.Create();
        document.Remove("TargetEC2TagKey");
        document.Remove("TargetEC2TagValue");
        document["TargetEC2Instances"] = JsonNode.Parse(Ids(count));
        if (isTaken)
            PrePostDocument.Apply(document.ToJsonString(), Empty).InstanceIds.Count.ShouldBe(count);
        else
            Should.Throw<BackupException>(() => PrePostDocument.Apply(document.ToJsonString(), Empty)).Message.ShouldContain("TargetEC2Instances");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"TargetEC2Instances\": 5}")]
    public void What_is_no_document_says_so(string json) => Should.Throw<BackupException>(() => PrePostDocument.Apply(json, Empty)).Kind.ShouldBe(FailureKind.InvalidInput);
}
