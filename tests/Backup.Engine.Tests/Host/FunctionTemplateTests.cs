using System.Text.Json.Nodes;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.GitHub.Git;
using Backup.Engine.Tests.Maven;
using Backup.Engine.Tests.Stores.S3;
using Backup.Engine.Tests.Templates;
using Backup.TestServers.Aws;
using Backup.TestServers.CodeArtifact;
using Backup.TestServers.GitHub;

namespace Backup.Engine.Tests.Host;

/// <summary>Templates and functions agree: the handler, the environment, and what the role may do.</summary>
public sealed class FunctionTemplateTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>
{
    // What of IAM each call of S3 needs (docs.aws.amazon.com/AmazonS3/latest/API/, "Permissions"), but for what only an endpoint that is not AWS is asked.
    private static readonly Dictionary<string, string> S3Actions = new(StringComparer.Ordinal)
    {
        ["HeadBucket"] = "s3:ListBucket",
        ["ListObjectsV2"] = "s3:ListBucket",
        ["ListMultipartUploads"] = "s3:ListBucketMultipartUploads",
        ["PutObject"] = "s3:PutObject",
        ["CreateMultipartUpload"] = "s3:PutObject",
        ["UploadPart"] = "s3:PutObject",
        ["CompleteMultipartUpload"] = "s3:PutObject",
        ["AbortMultipartUpload"] = "s3:AbortMultipartUpload",
        ["ListParts"] = "s3:ListMultipartUploadParts",
        ["GetObject"] = "s3:GetObject",
        ["HeadObject"] = "s3:GetObject",
        ["DeleteObject"] = "s3:DeleteObject",
        ["DeleteObjects"] = "s3:DeleteObject",
    };

    // docs.aws.amazon.com/codeartifact/latest/APIReference/, the paths.
    private static readonly Dictionary<string, string> PackageActions = new(StringComparer.Ordinal)
    {
        ["/v1/package/version/assets"] = "codeartifact:ListPackageVersionAssets",
        ["/v1/package/version/asset"] = "codeartifact:GetPackageVersionAsset",
        ["/v1/package/version"] = "codeartifact:DescribePackageVersion",
        ["/v1/package/versions"] = "codeartifact:ListPackageVersions",
        ["/v1/packages"] = "codeartifact:ListPackages",
        ["/v1/repository"] = "codeartifact:DescribeRepository",
    };

    [Fact]
    public async Task The_package_function_runs_with_the_templates_environment_and_role()
    {
        var (_, function) = Template.Resources("codeartifact-backup.yaml", "AWS::Lambda::Function").Single();
        var server = await CodeArtifactServer.StartAsync("my-domain", MavenBench.Owner, ["my-repo"]);
        server.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var environment = Environment(function, new()
        {
            ["DESTINATION_BUCKET"] = StrictS3Fixture.Bucket,
            ["DOMAIN_NAME"] = "my-domain",
            ["DOMAIN_OWNER"] = MavenBench.Owner,
            ["REPOSITORY_NAME"] = "my-repo",
            ["REQUEST_RATE"] = "40",
        });
        environment["AWS_ENDPOINT_URL_CODEARTIFACT"] = server.Endpoint.AbsoluteUri;
        await using var running = await LambdaFunction.StartAsync((string)function["Handler"]!, environment, StoreLocation.ForBucket(StrictS3Fixture.Bucket), s3.Options);
        running.CodeArtifact = server;
        (await running.InvokeAsync(LambdaTests.Event("1.0"))).IsError.ShouldBeFalse();
        // The list of a backfill goes to the same function.
        (await running.InvokeAsync("""{"Items":[{"package":"com.example:library","version":""}]}""")).IsError.ShouldBeFalse();

        var allowed = Permissions.StatementsOf("codeartifact-backup.yaml", "LambdaRole").SelectMany(Permissions.Actions).ToHashSet(StringComparer.Ordinal);
        S3Needs().Except(allowed).ShouldBeEmpty();
        server.Api.Requests.Select(request => PackageActions[request.RawPath]).Distinct(StringComparer.Ordinal).Except(allowed, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_GitHub_function_runs_with_the_templates_environment_and_role()
    {
        Assert.SkipWhen(PeerProgram.Find("git") is null, "git is not installed.");
        var (_, function) = Template.Resources("github-backup.yaml", "AWS::Lambda::Function").Single();
        await using var github = await GitHubServer.StartAsync();
        await new SourceRepository(github.AddRepository("octocat/one").Path).CommitAsync("refs/heads/main", ("file.txt", "one"u8.ToArray()));
        await using var secrets = await AwsServer.StartAsync(_ => AwsAnswer.Json(new JsonObject { ["Name"] = "github", ["SecretString"] = new JsonObject { ["TOKEN_GITHUB"] = github.Token }.ToJsonString() }.ToJsonString()));
        var environment = Environment(function, new()
        {
            ["BACKUP_DESTINATION"] = $"s3://{StrictS3Fixture.Bucket}/github",
            ["BACKUP_ONLY_OWNER_REPOS"] = "false",
            ["TOKEN_GITHUB"] = "secret:github#TOKEN_GITHUB",
        });
        environment["GITHUB_API_URL"] = github.ApiUri.AbsoluteUri;
        environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = secrets.Endpoint.AbsoluteUri;
        // An image says its command itself: the host is started with it, and Lambda's own variable says nothing of use.
        string[] command = [.. function["ImageConfig"]!["EntryPoint"]!.AsArray().Skip(1).Concat(function["ImageConfig"]!["Command"]!.AsArray()).Select(word => (string)word!)];
        await using var running = await LambdaFunction.StartAsync("", environment, StoreLocation.ForBucket(StrictS3Fixture.Bucket, "github"), s3.Options, command);
        var answer = await running.InvokeAsync("{}");
        answer.IsError.ShouldBeFalse(answer.Body?.ToJsonString());

        var allowed = Permissions.StatementsOf("github-backup.yaml", "LambdaRole").SelectMany(Permissions.Actions).ToHashSet(StringComparer.Ordinal);
        S3Needs().Except(allowed).ShouldBeEmpty();
        secrets.Requests.Select(request => request.Headers["x-amz-target"].Replace("secretsmanager.", "secretsmanager:", StringComparison.Ordinal)).Except(allowed, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public void Terraform_starts_the_same_image_with_the_same_environment()
    {
        var (_, function) = Template.Resources("github-backup.yaml", "AWS::Lambda::Function").Single();
        var text = File.ReadAllText(Path.Combine(Template.PathOf("terraform-github"), "lambda.tf"));
        text.ShouldContain("entry_point = [" + string.Join(", ", function["ImageConfig"]!["EntryPoint"]!.AsArray().Select(word => $"\"{word}\"")) + "]");
        text.ShouldContain("command     = [" + string.Join(", ", function["ImageConfig"]!["Command"]!.AsArray().Select(word => $"\"{word}\"")) + "]");
        foreach (var variable in Variables(function))
            text.ShouldContain($"      {variable} ");
    }

    [Fact]
    public void The_container_file_has_the_host_where_the_templates_look_for_it()
    {
        var (_, function) = Template.Resources("github-backup.yaml", "AWS::Lambda::Function").Single();
        var program = (string)function["ImageConfig"]!["EntryPoint"]![0]!;
        File.ReadAllText(Path.Combine(Template.Root, "src", "Backup.Host", "Containerfile")).ShouldContain($"ENTRYPOINT [\"{program}\"]");
    }

    private static List<string> Variables(JsonObject function) => [.. function["Environment"]!["Variables"]!.AsObject().Select(variable => variable.Key)];

    /// <summary>The template's variables, exactly, with values for a test.</summary>
    private Dictionary<string, string?> Environment(JsonObject function, Dictionary<string, string?> values)
    {
        values.Keys.ShouldBe(Variables(function), ignoreOrder: true);
        values["AWS_ENDPOINT_URL_S3"] = s3.Server.Endpoint.AbsoluteUri;
        values["AWS_ACCESS_KEY_ID"] = s3.Server.Options.AccessKey;
        values["AWS_SECRET_ACCESS_KEY"] = s3.Server.Options.SecretKey;
        values["AWS_REGION"] = s3.Server.Options.Region;
        return values;
    }

    private HashSet<string> S3Needs() => [.. s3.Server.Requests.Select(request => S3Actions.TryGetValue(request.Operation, out var action) ? action : throw new KeyNotFoundException(request.Operation))];
}
