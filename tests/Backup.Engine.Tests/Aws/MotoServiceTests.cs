using Backup.Engine.Aws;
using Backup.Engine.Aws.AwsBackup;
using Backup.Engine.Aws.Ec2;
using Backup.Engine.Aws.SecretsManager;
using Backup.Engine.Aws.Ssm;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Aws;

/// <summary>Each operation that moto_server has, against it: it was written by others, and was written against the services' models.</summary>
[Collection(AwsEnvironment.Collection)]
public sealed class MotoServiceTests(MotoServer moto) : IDisposable
{
    private readonly AwsEnvironment _environment = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _environment.Dispose();

    [Fact]
    public async Task Ssm_documents_and_commands()
    {
        await UseMotoAsync();
        using var client = new SsmClient(_environment.Options());
        var name = $"AtlassianBackup-{Guid.NewGuid():N}";
        const string Content = """{"schemaVersion":"2.2","description":"d","parameters":{"Path":{"type":"String","description":"p","default":"/x"}},"mainSteps":[{"action":"aws:runShellScript","name":"run","inputs":{"runCommand":["true"]}}]}""";
        var created = await client.CreateDocumentAsync(
            new() { Name = name, Content = Content, DocumentType = "Command", DocumentFormat = "JSON", Tags = [new() { Key = "k", Value = "v" }] }, Stop);
        created.DocumentDescription!.DocumentVersion.ShouldBe("1");
        created.DocumentDescription.Parameters!.Single().Name.ShouldBe("Path");
        (await Should.ThrowAsync<AwsServiceException>(() => client.CreateDocumentAsync(new() { Name = name, Content = Content, DocumentType = "Command", DocumentFormat = "JSON" }, Stop))).Kind.ShouldBe(FailureKind.AlreadyExists);

        var updated = await client.UpdateDocumentAsync(new() { Name = name, Content = Content.Replace("true", "false", StringComparison.Ordinal), DocumentVersion = "$LATEST", DocumentFormat = "JSON" }, Stop);
        updated.DocumentDescription!.DocumentVersion.ShouldBe("2");
        (await client.UpdateDocumentDefaultVersionAsync(new() { Name = name, DocumentVersion = "2" }, Stop)).Description!.DefaultVersion.ShouldBe("2");
        var described = (await client.DescribeDocumentAsync(new() { Name = name }, Stop)).Document!;
        (described.DefaultVersion, described.LatestVersion, described.HashType).ShouldBe(("2", "2", "Sha256"));
        (await Should.ThrowAsync<AwsServiceException>(() => client.DescribeDocumentAsync(new() { Name = "no-such-document" }, Stop))).ErrorCode.ShouldBe("InvalidDocument");

        var sent = await client.SendCommandAsync(new() { DocumentName = name, InstanceIds = ["i-0123456789abcdef0"], TimeoutSeconds = 60 }, Stop);
        var invocation = await client.GetCommandInvocationAsync(new() { CommandId = sent.Command!.CommandId!, InstanceId = "i-0123456789abcdef0" }, Stop);
        (invocation.Status, invocation.CommandId).ShouldBe(("Success", sent.Command.CommandId));
    }

    [Fact]
    public async Task Ssm_parameters()
    {
        await UseMotoAsync();
        using var client = new SsmClient(_environment.Options());
        var name = $"/test/{Guid.NewGuid():N}";
        await AwsAsync("ssm", "put-parameter", "--name", name, "--value", "s3cret", "--type", "SecureString");
        var parameter = (await client.GetParameterAsync(new() { Name = name, WithDecryption = true }, Stop)).Parameter!;
        (parameter.Value, parameter.Type, parameter.Version).ShouldBe(("s3cret", "SecureString", 1));
        parameter.LastModifiedDate!.Value.ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(5));
        var failure = await Should.ThrowAsync<AwsServiceException>(() => client.GetParameterAsync(new() { Name = name + "x" }, Stop));
        (failure.Kind, failure.ErrorCode).ShouldBe((FailureKind.NotFound, "ParameterNotFound"));
    }

    [Fact]
    public async Task Secrets()
    {
        await UseMotoAsync();
        using var client = new SecretsManagerClient(_environment.Options());
        var name = $"test/{Guid.NewGuid():N}";
        await AwsAsync("secretsmanager", "create-secret", "--name", name, "--secret-string", """{"token":"t0ken"}""");
        var secret = await client.GetSecretValueAsync(new() { SecretId = name }, Stop);
        secret.SecretString.ShouldBe("""{"token":"t0ken"}""");
        (await client.GetSecretValueAsync(new() { SecretId = secret.ARN! }, Stop)).Name.ShouldBe(name);
        (await Should.ThrowAsync<AwsServiceException>(() => client.GetSecretValueAsync(new() { SecretId = name + "x" }, Stop))).Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public async Task Ec2_instances()
    {
        await UseMotoAsync();
        using var client = new Ec2Client(_environment.Options());
        var tag = Guid.NewGuid().ToString("N");
        // moto knows the images of us-east-1's list everywhere.
        var image = (await AwsAsync("ec2", "describe-images", "--query", "Images[0].ImageId", "--output", "text")).Trim();
        await AwsAsync("ec2", "run-instances", "--image-id", image, "--count", "3", "--instance-type", "t3.micro", "--tag-specifications", $"ResourceType=instance,Tags=[{{Key=Backup,Value={tag}}}]");

        var found = await InstancesAsync(client, new() { Filters = [new() { Name = "tag:Backup", Values = [tag] }] });
        found.Count.ShouldBe(3);
        found.ShouldAllBe(i => i.State!.Name == "running" && i.RootDeviceType == "ebs" && i.InstanceType == "t3.micro" && i.LaunchTime > DateTimeOffset.UtcNow.AddHours(-1));
        found[0].BlockDeviceMappings.ShouldNotBeEmpty();
        (await InstancesAsync(client, new() { Filters = [new() { Name = "tag:Backup", Values = [tag] }], MaxResults = 5 })).Count.ShouldBe(3);
        string[] ids = [.. found.Select(i => i.InstanceId!)];

        (await Should.ThrowAsync<AwsServiceException>(() => client.StopInstancesAsync(new() { InstanceIds = [ids[0]], DryRun = true }, Stop))).ErrorCode.ShouldBe("DryRunOperation");
        var stopped = await client.StopInstancesAsync(new() { InstanceIds = ids }, Stop);
        stopped.Select(s => s.InstanceId).ShouldBe(ids, ignoreOrder: true);
        stopped.ShouldAllBe(s => s.PreviousState!.Name == "running");
        (await InstancesAsync(client, new() { InstanceIds = ids })).ShouldAllBe(i => i.State!.Name == "stopped" && i.State.Code == 80);
        (await client.StartInstancesAsync(new() { InstanceIds = ids }, Stop)).ShouldAllBe(s => s.PreviousState!.Name == "stopped");
        (await client.DescribeInstanceAttributeAsync(new() { InstanceId = ids[0], Attribute = "disableApiTermination" }, Stop)).Value.ShouldBe("false");
        (await Should.ThrowAsync<AwsServiceException>(() => InstancesAsync(client, new() { InstanceIds = ["i-00000000000000000"] }))).Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public async Task Backup_vaults()
    {
        await UseMotoAsync();
        using var client = new BackupClient(_environment.Options());
        var name = $"vault-{Guid.NewGuid():N}";
        await AwsAsync("backup", "create-backup-vault", "--backup-vault-name", name);
        var vault = await client.DescribeBackupVaultAsync(name, Stop);
        vault.BackupVaultName.ShouldBe(name);
        vault.CreationDate!.Value.ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(5));
        (await Should.ThrowAsync<AwsServiceException>(() => client.DescribeBackupVaultAsync(name + "x", Stop))).Kind.ShouldBe(FailureKind.NotFound);
    }

    private static async Task<List<Instance>> InstancesAsync(Ec2Client client, DescribeInstancesRequest request)
    {
        var found = new List<Instance>();
        await foreach (var reservation in client.DescribeInstancesAsync(request, Stop))
            found.AddRange(reservation.Instances);
        return found;
    }

    private async Task UseMotoAsync() => _environment.Set("AWS_ENDPOINT_URL", (await moto.EndpointAsync()).AbsoluteUri);

    private async Task<string> AwsAsync(params string[] arguments)
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["AWS_ACCESS_KEY_ID"] = "test", ["AWS_SECRET_ACCESS_KEY"] = "testsecret", ["AWS_DEFAULT_REGION"] = "eu-central-1", ["AWS_CONFIG_FILE"] = null, ["AWS_SHARED_CREDENTIALS_FILE"] = null,
        };
        return (await PeerProgram.RunAsync("aws", ["--endpoint-url", (await moto.EndpointAsync()).AbsoluteUri, .. arguments], environment)).Succeeded();
    }
}
