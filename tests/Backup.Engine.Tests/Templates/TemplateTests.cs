using System.Text.Json.Nodes;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Templates;

/// <summary>The templates as others' tools see them: cfn-lint, moto_server, terraform.</summary>
public sealed class TemplateTests(MotoServer moto)
{
    // What a stack of each needs beside the defaults.
    private static readonly Dictionary<string, string[]> _parameters = new(StringComparer.Ordinal)
    {
        ["backfill.yaml"] = ["FunctionName=backup", "ItemsBucketName=items"],
        ["backup-bucket.yaml"] = ["ObjectLockMode=GOVERNANCE", "DeepArchivePrefix=srv/"],
        ["codeartifact-backup.yaml"] = ["DomainName=acme", "RegistryName=maven", "HostBucket=template-code", "HostKey=host.zip"],
        ["github-backup.yaml"] = ["InstanceId=i-0123456789abcdef0", "InstanceRoleName=template-instance", "BackupS3Bucket=acme-github", "SecretArn=arn:aws:secretsmanager:eu-west-3:123456789012:secret:prod/github-backup-u7Ivlh"],
        ["prepost-backup.yaml"] = ["ScriptBucketName=scripts", "NotificationTopicArn=arn:aws:sns:eu-west-3:123456789012:failures", "ScheduleExpression=cron(0 0 ? * FRI *)"],
        ["scheduled-instance.yaml"] = ["InstanceId=i-0123456789abcdef0"],
    };

    public static TheoryData<string> Names => [.. Template.Names];

    [Fact]
    public void Each_template_has_a_test_stack() => Template.Names.ShouldBe(_parameters.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public async Task Cfn_lint_passes_all()
    {
        using var directory = new TemporaryDirectory();
        // It knows the partition aws alone, so definitions are looked at a second time with that one written in.
        var copies = Template.Names.Select(name =>
        {
            var lines = File.ReadAllLines(Template.PathOf(name)).Where(line => !line.Contains("ignore_checks", StringComparison.Ordinal)).Select(line => line.Replace("arn:${Partition}:", "arn:aws:", StringComparison.Ordinal));
            File.WriteAllLines(directory.Combine(name), lines);
            return directory.Combine(name);
        });
        (await PeerProgram.RunAsync("cfn-lint", ["--template", .. Template.Names.Select(Template.PathOf), .. copies])).Succeeded().ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_stack_is_created_in_moto(string name)
    {
        if (name is "codeartifact-backup.yaml")
            await PutCodeAsync();
        if (name is "github-backup.yaml")
            (await AwsAsync("iam", "create-role", "--role-name", "template-instance", "--assume-role-policy-document", """{"Version":"2012-10-17","Statement":[]}""")).Succeeded();

        var stack = $"{Path.GetFileNameWithoutExtension(name)}-{Guid.NewGuid():N}"[..40];
        (await AwsAsync([
            "cloudformation", "create-stack", "--stack-name", stack, "--template-body", "file://" + Template.PathOf(name), "--capabilities", "CAPABILITY_NAMED_IAM",
            "--parameters", new JsonArray([.. _parameters[name].Select(p => p.Split('=', 2)).Select(p => (JsonNode)new JsonObject { ["ParameterKey"] = p[0], ["ParameterValue"] = p[1] })]).ToJsonString()])).Succeeded();
        var status = (await AwsAsync("cloudformation", "describe-stacks", "--stack-name", stack, "--query", "Stacks[0].StackStatus", "--output", "text")).Succeeded();
        status.Trim().ShouldBe("CREATE_COMPLETE");
        // moto leaves out what it does not have, in silence: what it has must be there.
        var made = (await AwsAsync("cloudformation", "list-stack-resources", "--stack-name", stack, "--query", "StackResourceSummaries[].ResourceType", "--output", "text")).Succeeded().Split((char[])['\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var type in new[] { "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::Events::Rule" })
        {
            var wanted = Template.Read(name)["Resources"]!.AsObject().Count(r => (string)r.Value!["Type"]! == type && r.Value["Condition"] is null);
            made.Count(m => m == type).ShouldBe(wanted, type);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_template_can_be_deployed_without_a_bucket_for_it(string name) => new FileInfo(Template.PathOf(name)).Length.ShouldBeLessThanOrEqualTo(51_200);

    [Theory]
    [MemberData(nameof(Names))]
    public void Roles_may_do_what_is_named_on_what_is_named(string name)
    {
        foreach (var statement in Permissions.Statements(name).Where(s => (string)s["Effect"]! == "Allow"))
        {
            Permissions.Actions(statement).ShouldAllBe(action => !action.Contains('*'));
            var resources = statement["Resource"] is JsonArray many ? many.Select(r => r!.ToJsonString()) : [statement["Resource"]!.ToJsonString()];
            if (resources.Contains("\"*\"", StringComparer.Ordinal))
                Permissions.Actions(statement).Except(Permissions.WithoutResources, StringComparer.Ordinal).ShouldBeEmpty(name);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_bucket_is_public_and_none_is_emptied_with_its_stack(string name)
    {
        var template = Template.Read(name);
        foreach (var (id, bucket) in Template.Resources(name, "AWS::S3::Bucket"))
        {
            ((string)template["Resources"]![id]!["DeletionPolicy"]!).ShouldBe("Retain");
            bucket["PublicAccessBlockConfiguration"]!.AsObject().Select(p => (bool)p.Value!).ShouldBe([true, true, true, true]);
            ((string)bucket["VersioningConfiguration"]!["Status"]!).ShouldBe("Enabled");
            bucket["BucketEncryption"].ShouldNotBeNull();
            Permissions.Statements(name).ShouldContain(s => (string)s["Effect"]! == "Deny" && s["Condition"]!.ToJsonString().Contains("aws:SecureTransport", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Terraform_validates_its_equivalent()
    {
        Assert.SkipWhen(PeerProgram.Find("terraform") is null, "terraform is not installed: the Terraform stack was not validated.");
        using var directory = new TemporaryDirectory();
        foreach (var file in Directory.GetFiles(Template.PathOf("terraform-github"), "*.tf"))
            File.Copy(file, directory.Combine(Path.GetFileName(file)));
        await File.WriteAllTextAsync(directory.Combine("rc"), "", TestContext.Current.CancellationToken);
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["TF_CLI_CONFIG_FILE"] = directory.Combine("rc"), ["TF_IN_AUTOMATION"] = "1", ["CHECKPOINT_DISABLE"] = "1" };
        (await PeerProgram.RunAsync("terraform", ["fmt", "-check", "-diff"], environment, directory.Path)).Succeeded();

        // A folder of providers, for machines that may not fetch any.
        var plugins = Environment.GetEnvironmentVariable("TERRAFORM_PLUGIN_DIR");
        var initialised = await PeerProgram.RunAsync("terraform", ["init", "-backend=false", "-input=false", "-no-color", .. plugins is null ? (string[])[] : [$"-plugin-dir={plugins}"]], environment, directory.Path);
        Assert.SkipWhen(initialised.ExitCode != 0, "The AWS provider cannot be had (TERRAFORM_PLUGIN_DIR may name a folder with it), so the Terraform stack was formatted but not validated: " + initialised.Error);
        (await PeerProgram.RunAsync("terraform", ["validate", "-no-color"], environment, directory.Path)).Succeeded();
    }

    private async Task PutCodeAsync()
    {
        using var directory = new TemporaryDirectory();
        await using (var zip = await System.IO.Compression.ZipFile.OpenAsync(directory.Combine("host.zip"), System.IO.Compression.ZipArchiveMode.Create, TestContext.Current.CancellationToken))
            zip.CreateEntry("bootstrap");
        (await AwsAsync("s3api", "create-bucket", "--bucket", "template-code", "--create-bucket-configuration", "LocationConstraint=eu-west-3")).Succeeded();
        (await AwsAsync("s3api", "put-object", "--bucket", "template-code", "--key", "host.zip", "--body", directory.Combine("host.zip"))).Succeeded();
    }

    private async Task<PeerResult> AwsAsync(params string[] arguments)
    {
        // A region of its own: other tests use moto as well.
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["AWS_ACCESS_KEY_ID"] = "test", ["AWS_SECRET_ACCESS_KEY"] = "testsecret", ["AWS_DEFAULT_REGION"] = "eu-west-3", ["AWS_CONFIG_FILE"] = null, ["AWS_SHARED_CREDENTIALS_FILE"] = null,
        };
        return await PeerProgram.RunAsync("aws", ["--endpoint-url", (await moto.EndpointAsync()).AbsoluteUri, .. arguments], environment);
    }
}
