using System.Net;
using System.Text;
using Backup.Engine.GitHub;
using Backup.Engine.Plans;
using Backup.Engine.Tests.Aws;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Stores.S3;

namespace Backup.Engine.Tests.Plans;

/// <summary>What a checklist says of things that are wrong. That it changes nothing at any of the five systems is proven in Plans.Tests.ps1.</summary>
[Collection(AwsEnvironment.Collection)]
public sealed class PlanTestTests(StrictS3Fixture s3, MotoServer moto) : IClassFixture<StrictS3Fixture>, IDisposable
{
    private readonly AwsEnvironment _environment = new();
    private readonly TemporaryDirectory _folder = new();

    public void Dispose()
    {
        _environment.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Folders_that_are_gone_or_empty_are_told_from_those_that_can_be_read()
    {
        Directory.CreateDirectory(_folder.Combine("full", "sub"));
        Directory.CreateDirectory(_folder.Combine("empty"));
        Directory.CreateDirectory(_folder.Combine("store"));
        var checks = await CheckAsync("destination: store\njobs:\n  - {name: a, system: folders, path: [full, empty, gone], cachePath: cache}");
        Of(checks, "Source").Select(check => check.Status).ShouldBe([PlanCheckStatus.Warning, PlanCheckStatus.Failed, PlanCheckStatus.Passed]);
        Of(checks, "Source")[1].Kind.ShouldBe(FailureKind.NotFound);
        Of(checks, "Destination").ShouldHaveSingleItem().Status.ShouldBe(PlanCheckStatus.Passed);
        Of(checks, "Space").Count.ShouldBe(2);
        Directory.Exists(_folder.Combine("cache")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_destination_that_the_first_run_would_make_is_a_warning_and_one_that_it_could_not_a_failure()
    {
        Directory.CreateDirectory(_folder.Combine("full", "sub"));
        File.WriteAllText(_folder.Combine("file"), "");
        const string Job = "system: folders, path: full, cachePath: cache";
        var checks = await CheckAsync($"jobs:\n  - {{name: a, {Job}, destination: new}}\n  - {{name: b, {Job}, destination: gone/store}}\n  - {{name: c, {Job}, destination: file/store}}\n  - {{name: d, {Job}, destination: file}}");
        Of(checks, "Destination").Select(check => (check.Job, check.Status)).ShouldBe([("a", PlanCheckStatus.Warning), ("b", PlanCheckStatus.Failed), ("c", PlanCheckStatus.Failed), ("d", PlanCheckStatus.Failed)]);
        Directory.Exists(_folder.Combine("new")).ShouldBeFalse();
        // What is said is what a run would say.
        var run = await PlanRun.RunAsync(new() { Plan = PlanFile.Load(_folder.Combine("plan.yaml")), Jobs = ["b", "c", "d"] }, null, Stop).ToListAsync();
        run.ShouldAllBe(result => result.Outcome == Outcome.Failed);
    }

    [Fact]
    public async Task A_secret_is_fetched_once_and_what_needs_it_is_not_asked_without_it()
    {
        await File.WriteAllTextAsync(_folder.Combine("token"), "t0ken-secret\n", Stop);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder.Combine("token"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await File.WriteAllTextAsync(_folder.Combine("plan.yaml"), "destination: store\njobs:\n  - {name: wiki, system: confluence, site: 'http://127.0.0.1:9', user: a@b.c, apiToken: 'file:token'}\n  - {name: code, system: github, organization: o, apiUri: 'http://127.0.0.1:9/api/v3', token: 'file:none'}", Stop);
        var said = new List<string>();
        var checks = await PlanTest.RunAsync(new() { Path = _folder.Combine("plan.yaml"), Logger = new(0, (level, message) => said.Add($"{level} {message}")) }, null, Stop).ToListAsync();
        Of(checks, "Secret").Select(check => (check.Job, check.Status)).ShouldBe([("wiki", PlanCheckStatus.Passed), ("code", PlanCheckStatus.Failed)]);
        Of(checks, "Source").Select(check => (check.Job, check.Status)).ShouldBe([("wiki", PlanCheckStatus.Failed), ("code", PlanCheckStatus.NotChecked)]);
        if (!OperatingSystem.IsWindows())
            said.Count(line => line.StartsWith("3 wiki: Everybody on this machine can read", StringComparison.Ordinal)).ShouldBe(1);
        string.Join('\n', [.. said, .. checks.Select(check => $"{check}")]).ShouldNotContain("t0ken-secret");
    }

    [Fact]
    public async Task A_bucket_is_looked_at_and_not_written_to()
    {
        Directory.CreateDirectory(_folder.Combine("full", "sub"));
        s3.Server.State.CreateBucket("unversioned", null);
        var before = s3.Server.Requests.Count;
        var checks = await CheckAsync(
            $$"""
            endpointUrl: {{s3.Server.Endpoint}}
            region: {{s3.Server.Options.Region}}
            jobs:
              - {name: good, system: folders, path: full, cachePath: cache, destination: 's3://{{StrictS3Fixture.Bucket}}/x'}
              - {name: plain, system: folders, path: full, cachePath: cache, destination: 's3://unversioned/x'}
              - {name: gone, system: folders, path: full, cachePath: cache, destination: 's3://no-such-bucket/x'}
            """,
            new() { Keys = s3.Options.Aws.Keys });
        Of(checks, "Destination").Select(check => (check.Job, check.Status)).ShouldBe([("good", PlanCheckStatus.Passed), ("plain", PlanCheckStatus.Passed), ("gone", PlanCheckStatus.Failed)]);
        Of(checks, "Destination")[2].Kind.ShouldBe(FailureKind.NotFound);
        Of(checks, "Versions").Select(check => (check.Job, check.Status)).ShouldBe([("good", PlanCheckStatus.Passed), ("plain", PlanCheckStatus.Warning)]);
        Of(checks, "Write").ShouldAllBe(check => check.Status == PlanCheckStatus.NotChecked);
        Of(checks, "Credentials").ShouldAllBe(check => check.Status == PlanCheckStatus.NotChecked);
        s3.Server.Requests.Skip(before).ShouldAllBe(request => request.Method == "GET" || request.Method == "HEAD");
    }

    [Fact]
    public async Task Object_Lock_that_a_bucket_does_not_have_is_a_failure()
    {
        var endpoint = await moto.EndpointAsync();
        Directory.CreateDirectory(_folder.Combine("full", "sub"));
        var bucket = $"plan-{Guid.NewGuid():N}";
        using (var client = new HttpClient())
        {
            (await client.PutAsync(new Uri(endpoint, $"/{bucket}"), null, Stop)).EnsureSuccessStatusCode();
            using var locked = new HttpRequestMessage(HttpMethod.Put, new Uri(endpoint, $"/{bucket}-lock"));
            locked.Headers.Add("x-amz-bucket-object-lock-enabled", "true");
            (await client.SendAsync(locked, Stop)).EnsureSuccessStatusCode();
        }

        _environment.Set("AWS_ENDPOINT_URL", endpoint.AbsoluteUri);
        var checks = await CheckAsync(
            $$"""
            region: us-east-1
            objectLockMode: GOVERNANCE
            objectLockDays: 1
            jobs:
              - {name: plain, system: folders, path: full, cachePath: cache, destination: 's3://{{bucket}}'}
              - {name: locked, system: folders, path: full, cachePath: cache, destination: 's3://{{bucket}}-lock'}
            """,
            new() { Keys = new("test", "testsecret") });
        Of(checks, "Lock").Select(check => (check.Job, check.Status)).ShouldBe([("plain", PlanCheckStatus.Failed), ("locked", PlanCheckStatus.Passed)]);
        // moto_server answers as STS does.
        Of(checks, "Credentials").ShouldAllBe(check => check.Status == PlanCheckStatus.Passed && check.Detail.Contains("123456789012", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_that_AWS_does_not_know_are_a_failure_and_an_AWS_that_is_out_of_reach_is_not()
    {
        Directory.CreateDirectory(_folder.Combine("full", "sub"));
        await using var refusing = new Answering(403, "text/xml", """<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>""");
        _environment.Set("AWS_ENDPOINT_URL_STS", refusing.Address.AbsoluteUri);
        const string Plan = "region: eu-central-1\njobs:\n  - {name: a, system: maven, domain: d, repository: r, destination: store}";
        _environment.Set("AWS_ENDPOINT_URL_CODEARTIFACT", refusing.Address.AbsoluteUri);
        var keys = new Engine.Aws.AwsOptions { Keys = new("test", "testsecret") };
        Of(await CheckAsync(Plan, keys), "Credentials").ShouldHaveSingleItem().Status.ShouldBe(PlanCheckStatus.Failed);
        _environment.Set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9/");
        Of(await CheckAsync(Plan, keys), "Credentials").ShouldHaveSingleItem().Status.ShouldBe(PlanCheckStatus.NotChecked);
    }

    [Theory]
    [InlineData("repo, read:org", "2026-12-01 10:00:00 UTC", "Passed:It is octo's, with repo, read:org.", "Warning:The token ends at 2026-12-01 10:00 UTC.")]
    [InlineData("public_repo", "2027-06-01 10:00:00 UTC", "Passed:It is octo's, with public_repo.", "Warning:The token has no scope 'repo': private repositories are not seen.", "Passed:The token lasts until 2027-06-01 10:00 UTC.")]
    [InlineData(null, null, "Passed:It is octo's.", "NotChecked:A fine-grained token does not tell what it may do.")]
    public async Task A_token_tells_what_it_may_do_and_how_long(string? scopes, string? end, params string[] expected)
    {
        await using var server = new Answering(200, "application/json", """{"login":"octo","id":1,"type":"User"}""", ("X-OAuth-Scopes", scopes), ("GitHub-Authentication-Token-Expiration", end));
        var clock = new FakeTime();
        clock.Advance(new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero) - clock.GetUtcNow());
        using var client = new GitHubClient(new() { ApiUri = server.Address, Credential = GitHubCredential.ForToken("ghp_x") }, clock, null);
        var checks = new JobChecks("code");
        await GitHubTokenCheck.RunAsync(client, clock, checks, Stop);
        checks.Found.Select(check => $"{check.Status}:{check.Detail}").ShouldBe(expected);
    }

    [Fact]
    public async Task A_file_that_is_no_plan_is_a_failed_check_for_each_problem()
    {
        var checks = await CheckAsync("jobs:\n  - {name: a, system: folders, pth: /a, keep: 7d}");
        checks.ShouldAllBe(check => check.Check == "Plan" && check.Status == PlanCheckStatus.Failed && check.HowToMend != null && check.Kind == FailureKind.InvalidInput);
        checks.Count.ShouldBe(3);
        (await PlanTest.RunAsync(new() { Path = _folder.Combine("none.yaml") }, null, Stop).ToListAsync()).ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public async Task The_jobs_come_in_the_order_of_the_plan_and_what_is_off_is_not_looked_at()
    {
        Directory.CreateDirectory(_folder.Combine("full", "sub"));
        var checks = await CheckAsync("destination: store\njobs:\n  - {name: a, system: folders, path: full, cachePath: cache}\n  - {name: b, system: jira, site: 'http://127.0.0.1:9', user: u, apiToken: 'env:NONE', enabled: false}\n  - {name: c, system: folders, path: full, cachePath: cache}");
        checks.Where(check => check.Job is not null).Select(check => check.Job).Distinct().ShouldBe(["a", "b", "c"]);
        checks.Single(check => check.Job == "b").Status.ShouldBe(PlanCheckStatus.NotChecked);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static IReadOnlyList<PlanCheck> Of(IEnumerable<PlanCheck> checks, string name) => [.. checks.Where(check => check.Check == name)];

    private async Task<IReadOnlyList<PlanCheck>> CheckAsync(string plan, Engine.Aws.AwsOptions? given = null)
    {
        var file = _folder.Combine("plan.yaml");
        await File.WriteAllTextAsync(file, plan, Stop);
        return await PlanTest.RunAsync(new() { Path = file, Aws = given ?? new() }, null, Stop).ToListAsync();
    }

    /// <summary>A server that always answers the same.</summary>
    private sealed class Answering : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Task _serving;

        public Answering(int status, string type, string body, params (string Name, string? Value)[] headers)
        {
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = new($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            }

            _listener.Prefixes.Add(Address.AbsoluteUri);
            _listener.Start();
            _serving = ServeAsync(status, type, Encoding.UTF8.GetBytes(body), headers);
        }

        public Uri Address { get; }

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _serving;
        }

        private async Task ServeAsync(int status, string type, byte[] body, (string Name, string? Value)[] headers)
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                context.Response.StatusCode = status;
                context.Response.ContentType = type;
                foreach (var (name, value) in headers.Where(header => header.Value is not null))
                    context.Response.Headers[name] = value;
                await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
            }
        }
    }
}
