using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.GitHub.Git;
using Backup.Engine.Tests.Maven;
using Backup.TestServers.Aws;
using Backup.TestServers.CodeArtifact;
using Backup.TestServers.GitHub;
using Backup.TestServers.GitHub.Faults;
using Backup.TestServers.Lambda;

namespace Backup.Engine.Tests.Host;

/// <summary>The host as a Lambda function: a process that knows nothing but its environment, against moto and the loopback peers.</summary>
public sealed class LambdaTests(MotoServer moto)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_batch_of_messages_is_backed_up_and_what_failed_is_named()
    {
        await using var function = await PackagesAsync("codeartifact");
        function.CodeArtifact!.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var answer = await function.InvokeAsync(new JsonObject
        {
            ["Records"] = new JsonArray(Message("good", Event("1.0")), Message("bad", "not an event"), Message("again", Event("1.0"))),
        });
        (answer.IsError, answer.Body!.ToJsonString()).ShouldBe((false, """{"batchItemFailures":[{"itemIdentifier":"bad"}]}"""));

        var verification = await RunVerifier.RunAsync(function.Store, new(), deep: true, function.StoreOptions, cancellationToken: Stop).SingleAsync(Stop);
        (verification.Passed, verification.Checked).ShouldBe((true, 5));
        var log = function.Log();
        log.ShouldAllBe(line => (string?)line["requestId"] == answer.RequestId && line["time"] != null);
        log.Count(line => (string?)line["level"] == "Error").ShouldBe(1);
        log.Select(line => (string?)line["result"]?["version"]).ShouldContain("1.0");
        (await function.EndAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task An_event_that_was_delivered_as_it_is_fails_as_a_whole()
    {
        await using var function = await PackagesAsync("codeartifact");
        function.CodeArtifact!.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var answer = await function.InvokeAsync(Event("1.0"));
        (answer.IsError, answer.Body!.ToJsonString()).ShouldBe((false, $$"""{"outcome":"Completed","items":1,"outcomes":{"completed":1},"bytes":{{MavenBench.Assets("1.0").Sum(asset => asset.Value.Length)}}}"""));

        var refused = await function.InvokeAsync("""{"detail-type":"Scheduled Event","detail":{}}""");
        (refused.IsError, refused.ErrorType, (string?)refused.Body!["errorType"]).ShouldBe((true, "Backup.InvalidInput", "InvalidInput"));
        function.CodeArtifact.Corrupt = true;
        function.CodeArtifact.State.Publish("my-repo", MavenBench.Library, "2.0", MavenBench.Assets("2.0"));
        var corrupt = await function.InvokeAsync(Event("2.0"));
        (corrupt.IsError, corrupt.ErrorType).ShouldBe((true, "Backup.ChecksumMismatch"));
        // The function lives on.
        function.CodeArtifact.Corrupt = false;
        (await function.InvokeAsync(Event("2.0"))).IsError.ShouldBeFalse();
    }

    [Theory]
    [InlineData("backfill")]
    [InlineData("codeartifact")]
    public async Task A_batch_of_a_list_is_backed_up_or_has_failed(string handler)
    {
        await using var function = await PackagesAsync(handler);
        foreach (var version in (string[])["1.0", "1.1", "1.2"])
            function.CodeArtifact!.State.Publish("my-repo", MavenBench.Library, version, MavenBench.Assets(version));
        // As a Distributed Map hands the rows of a CSV file on; one without versions means all of them.
        var answer = await function.InvokeAsync("""{"Items":[{"package":"com.example:library","version":"1.0"},{"package":"com.example:library","version":"1.1"}]}""");
        (answer.IsError, (int?)answer.Body!["items"]).ShouldBe((false, 2));
        ((int?)(await function.InvokeAsync("""{"Items":[{"Package":"com.example:library","Version":""}]}""")).Body!["items"]).ShouldBe(3);

        var failed = await function.InvokeAsync("""{"Items":[{"package":"com.example:library","version":"1.0"},{"package":"com.example:absent","version":"9"}]}""");
        (failed.IsError, failed.ErrorType).ShouldBe((true, "Backup.NotFound"));
        ((string?)failed.Body!["errorMessage"])!.ShouldStartWith("1 of 2 package versions failed. com.example:absent:9");
        (await function.InvokeAsync("""{"Items":[{"name":"no package"}]}""")).ErrorType.ShouldBe("Backup.InvalidInput");
    }

    [Fact]
    public async Task A_schedule_backs_up_every_repository_with_a_token_that_only_Secrets_Manager_has()
    {
        await using var github = await GitHubAsync("octocat/one", "octocat/two");
        await using var function = await FunctionAsync("github", github.ApiUri, new()
        {
            ["BACKUP_DESTINATION"] = "s3://{bucket}/github",
            ["BACKUP_ONLY_OWNER_REPOS"] = "true",
            ["TOKEN_GITHUB"] = "secret:{secret}#TOKEN_GITHUB",
        }, new JsonObject { ["TOKEN_GITHUB"] = github.Token });
        var answer = await function.InvokeAsync("{}");
        (answer.IsError, (int?)answer.Body?["outcomes"]?["completed"] >= 2).ShouldBe((false, true), answer.Body?.ToJsonString());
        github.Requests.ShouldContain(request => request.Path.Contains("/user/repos", StringComparison.Ordinal));
        var verification = await RunVerifier.RunAsync(StoreLocation.Parse($"{function.Store}github"), new(), deep: true, function.StoreOptions, cancellationToken: Stop).SingleAsync(Stop);
        verification.Passed.ShouldBeTrue();

        github.Faults.Add("octocat/two.git/info/refs", new FaultAction(404), times: int.MaxValue);
        foreach (var repository in github.World.Repositories)
        {
            await new SourceRepository(repository.Path).CommitAsync("refs/heads/main", ("file.txt", "more"u8.ToArray()));
            repository.Touch();
        }

        var failed = await function.InvokeAsync("{}");
        failed.IsError.ShouldBeTrue();
        ((string?)failed.Body!["errorMessage"])!.ShouldContain("octocat/two");
        function.Output.ShouldNotContain(line => line.Contains(github.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_plan_in_S3_runs_the_jobs_that_the_event_names()
    {
        using var place = new TemporaryDirectory();
        Directory.CreateDirectory(place.Combine("source"));
        await File.WriteAllTextAsync(place.Combine("source", "a.txt"), "one", Stop);
        await using var function = await FunctionAsync("plan", null, new() { ["BACKUP_PLAN"] = "s3://{bucket}/plans/nightly.yaml" });
        await using var store = await ObjectStores.OpenAsync(function.Store, function.StoreOptions, Stop);
        using var plan = new MemoryStream(Encoding.UTF8.GetBytes($"""
            destination: {function.Store}backup
            jobs:
              - name: documents
                system: folders
                path: {place.Combine("source")}
                cachePath: {place.Combine("cache")}
                storageClass: STANDARD
              - name: broken
                system: folders
                path: {place.Combine("nowhere")}
                cachePath: {place.Combine("cache")}
            """));
        await store.WriteAsync("plans/nightly.yaml", plan, cancellationToken: Stop);

        var answer = await function.InvokeAsync("""{"jobs":["doc*"]}""");
        (answer.IsError, (int?)answer.Body!["items"]).ShouldBe((false, 1), answer.Body!.ToJsonString());
        var verification = await RunVerifier.RunAsync(StoreLocation.Parse($"{function.Store}backup"), new(), deep: true, function.StoreOptions, cancellationToken: Stop).SingleAsync(Stop);
        (verification.Passed, verification.Checked).ShouldBe((true, 1));
        // A schedule's own event names none: all of them run, and one that fails fails the run.
        var all = await function.InvokeAsync("""{"version":"0","detail-type":"Scheduled Event","source":"aws.scheduler","detail":"{}"}""");
        (all.IsError, all.ErrorType).ShouldBe((true, "Backup.NotFound"));
        (await function.InvokeAsync("""{"jobs":["documnets"]}""")).ErrorType.ShouldBe("Backup.NotFound");
        (await function.InvokeAsync("""{"jobs":"documents"}""")).ErrorType.ShouldBe("Backup.InvalidInput");
    }

    [Fact]
    public async Task What_is_stuck_is_given_up_in_time_to_say_so()
    {
        var stuck = new TaskCompletionSource();
        await using var function = await PackagesAsync("codeartifact");
        function.CodeArtifact!.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        function.CodeArtifact.Api.Fail(new AwsAnswer { Body = new byte[100], CutAfter = 10, CutWhen = stuck.Task });
        try
        {
            var answer = await function.InvokeAsync(Event("1.0"), TimeSpan.FromSeconds(5));
            (answer.IsError, answer.ErrorType).ShouldBe((true, "Backup.TimedOut"));
            answer.Elapsed.ShouldBeInRange(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(5));
        }
        finally
        {
            stuck.SetResult();
        }

        (await function.InvokeAsync(Event("1.0"))).IsError.ShouldBeFalse();
    }

    [Theory]
    [InlineData("nonsense", "TOKEN_GITHUB=secret:x", "handler")]
    [InlineData("github", "TOKEN_GITHUB=ghp_plainTokenThatNobodyShouldSee", "reference")]
    [InlineData("github", "TOKEN_GITHUB=", "TOKEN_GITHUB is not set")]
    public async Task A_function_that_lacks_something_says_so_at_its_start(string handler, string variable, string says)
    {
        await using var server = await LambdaServer.StartAsync();
        var (name, value) = (variable.Split('=')[0], variable.Split('=')[1]);
        using var host = HostProgram.Start(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["AWS_LAMBDA_RUNTIME_API"] = server.Authority,
            ["_HANDLER"] = handler,
            ["BACKUP_DESTINATION"] = "s3://bucket/github",
            [name] = value,
        });
        var error = await server.StartError.WaitAsync(LambdaFunction.Long, Stop);
        var result = await host.EndAsync();
        result.ExitCode.ShouldBe(2);
        error.ErrorType.ShouldBe("Backup.InvalidInput");
        ((string?)error.Body!["errorMessage"])!.ShouldContain(says);
        (error.Body!.ToJsonString() + result.Output + result.Error).ShouldNotContain("plainToken");
    }

    internal static string Event(string version) => new JsonObject
    {
        ["version"] = "0",
        ["detail-type"] = "CodeArtifact Package Version State Change",
        ["source"] = "aws.codeartifact",
        ["detail"] = new JsonObject
        {
            ["domainName"] = "my-domain",
            ["domainOwner"] = MavenBench.Owner,
            ["repositoryName"] = "my-repo",
            ["packageFormat"] = "maven",
            ["packageNamespace"] = "com.example",
            ["packageName"] = "library",
            ["packageVersion"] = version,
            ["packageVersionState"] = "Published",
            ["operationType"] = "Created",
        },
    }.ToJsonString();

    // The members that are read, of the event that Lambda makes of messages (docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
    private static JsonObject Message(string id, string body) => new JsonObject { ["messageId"] = id, ["body"] = body, ["eventSource"] = "aws:sqs" };

    private static async Task<GitHubServer> GitHubAsync(params string[] names)
    {
        Assert.SkipWhen(PeerProgram.Find("git") is null, "git is not installed.");
        var server = await GitHubServer.StartAsync();
        foreach (var name in names)
            await new SourceRepository(server.AddRepository(name).Path).CommitAsync("refs/heads/main", ("file.txt", Encoding.UTF8.GetBytes(name)));
        return server;
    }

    /// <summary>As codeartifact-backup.yaml has it.</summary>
    private async Task<LambdaFunction> PackagesAsync(string handler)
    {
        var server = await CodeArtifactServer.StartAsync("my-domain", MavenBench.Owner, ["my-repo"]);
        var function = await FunctionAsync(handler, null, new()
        {
            ["DESTINATION_BUCKET"] = "{bucket}",
            ["DOMAIN_NAME"] = "my-domain",
            ["DOMAIN_OWNER"] = MavenBench.Owner,
            ["REPOSITORY_NAME"] = "my-repo",
            ["AWS_ENDPOINT_URL_CODEARTIFACT"] = server.Endpoint.AbsoluteUri,
        });
        function.CodeArtifact = server;
        return function;
    }

    private async Task<LambdaFunction> FunctionAsync(string handler, Uri? github, Dictionary<string, string> variables, JsonObject? secret = null)
    {
        var endpoint = await moto.EndpointAsync();
        var name = $"lambda-{Guid.NewGuid():N}";
        using var client = new HttpClient { BaseAddress = endpoint };
        (await client.PutAsync(name, null, Stop)).EnsureSuccessStatusCode();
        if (secret is not null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StringContent(new JsonObject { ["Name"] = name, ["SecretString"] = secret.ToJsonString(), ["ClientRequestToken"] = Guid.NewGuid().ToString() }.ToJsonString()) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.1");
            request.Headers.Add("X-Amz-Target", "secretsmanager.CreateSecret");
            request.Headers.TryAddWithoutValidation("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0");
            (await client.SendAsync(request, Stop)).EnsureSuccessStatusCode();
        }

        var environment = variables.ToDictionary(pair => pair.Key, string? (pair) => pair.Value.Replace("{bucket}", name, StringComparison.Ordinal).Replace("{secret}", name, StringComparison.Ordinal), StringComparer.Ordinal);
        environment["AWS_ENDPOINT_URL_S3"] = environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = endpoint.AbsoluteUri;
        environment["GITHUB_API_URL"] = github?.AbsoluteUri;
        return await LambdaFunction.StartAsync(handler, environment, StoreLocation.ForBucket(name), new() { Aws = new() { EndpointUrl = endpoint, Region = "us-east-1", Keys = new("test", "testsecret") } });
    }
}
