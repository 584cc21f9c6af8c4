using System.Net;
using System.Text;
using Backup.Engine.Aws;
using Backup.Engine.Aws.Api;
using Backup.Engine.Aws.AwsBackup;
using Backup.Engine.Aws.CodeArtifact;
using Backup.Engine.Aws.Ec2;
using Backup.Engine.Aws.Ssm;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.Aws;

namespace Backup.Engine.Tests.Aws;

/// <summary>What every typed client leans on: request lines, signatures, retries, clock, errors. The server verifies each signature.</summary>
[Collection(AwsEnvironment.Collection)]
public sealed class AwsApiClientTests : IDisposable
{
    private readonly AwsEnvironment _environment = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _environment.Dispose();

    [Fact]
    public async Task Json_is_a_target_and_a_document()
    {
        await using var server = await ServeAsync("SSM", """{"Command":{"CommandId":"c-1","Status":"Pending","RequestedDateTime":1790000000.123}}""");
        using var client = new SsmClient(_environment.Options());
        var answer = await client.SendCommandAsync(
            new() { DocumentName = "AWS-RunShellScript", InstanceIds = ["i-1"], Parameters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { ["commands"] = ["echo ü"] } }, Stop);

        answer.Command!.CommandId.ShouldBe("c-1");
        answer.Command.RequestedDateTime.ShouldBe(DateTimeOffset.FromUnixTimeMilliseconds(1790000000123));
        var request = server.Requests.ShouldHaveSingleItem();
        (request.Method, request.RawPath, request.RawQuery).ShouldBe(("POST", "/", ""));
        request.Headers["x-amz-target"].ShouldBe("AmazonSSM.SendCommand");
        request.Headers["content-type"].ShouldBe("application/x-amz-json-1.1");
        request.Headers["user-agent"].ShouldContain("AtlassianBackup/");
        request.Json.GetRawText().ShouldBe("""{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-1"],"Parameters":{"commands":["echo \u00FC"]}}""");
        (request.Service, request.Region, request.AccessKey).ShouldBe(("ssm", "eu-central-1", "test"));
    }

    [Fact]
    public async Task Rest_is_a_path_with_labels_and_a_document()
    {
        await using var server = await ServeAsync("BACKUP", "{}");
        using var client = new BackupClient(_environment.Options());
        await client.DescribeBackupVaultAsync("my vault/ü", Stop);
        await client.StartBackupJobAsync(new() { BackupVaultName = "v", ResourceArn = "a", IamRoleArn = "r", Lifecycle = new() { DeleteAfterDays = 30 } }, Stop);

        server.Requests.Select(r => $"{r.Method} {r.RawPath}?{r.RawQuery} {r.Text}").ShouldBe(
        [
            "GET /backup-vaults/my%20vault%2F%C3%BC? ",
            """PUT /backup-jobs? {"BackupVaultName":"v","ResourceArn":"a","IamRoleArn":"r","Lifecycle":{"DeleteAfterDays":30}}""",
        ]);
        server.Requests.ShouldAllBe(r => r.Service == "backup");
    }

    [Fact]
    public async Task Rest_posts_with_all_it_asks_in_the_query()
    {
        await using var server = await ServeAsync("CODEARTIFACT", """{"assets":[{"name":"a b+c.jar","size":3,"hashes":{"SHA-256":"ab"}}],"versionRevision":"r="}""");
        using var client = new CodeArtifactClient(_environment.Options());
        var page = await client.ListPackageVersionAssetsAsync(Package, "1.0+b ü", "t/=", Stop);

        page.Assets!.Single().Hashes!["SHA-256"].ShouldBe("ab");
        page.VersionRevision.ShouldBe("r=");
        var request = server.Requests.Single();
        $"{request.Method} {request.RawPath} {request.Text}".ShouldBe("POST /v1/package/version/assets ");
        request.Query.ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["domain"] = "d", ["domain-owner"] = "111122223333", ["repository"] = "r", ["format"] = "maven", ["namespace"] = "com.example", ["package"] = "lib",
                ["version"] = "1.0+b ü", ["max-results"] = "1000", ["next-token"] = "t/=",
            },
            ignoreOrder: true);
        request.RawQuery.ShouldContain("version=1.0%2Bb%20%C3%BC");
    }

    [Fact]
    public async Task Query_is_a_form_and_xml_comes_back()
    {
        await using var server = await ServeAsync("EC2", """
            <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>x</requestId><reservationSet><item><reservationId>r-1</reservationId><instancesSet>
            <item><instanceId>i-1</instanceId><instanceState><code>272</code><name>running</name></instanceState><rootDeviceType>ebs</rootDeviceType><tagSet><item><key>Name</key><value>web &amp; co</value></item></tagSet></item>
            <item><instanceId>i-2</instanceId><instanceState><code>80</code><name>stopped</name></instanceState><instanceLifecycle>spot</instanceLifecycle></item>
            </instancesSet></item></reservationSet></DescribeInstancesResponse>
            """);
        using var client = new Ec2Client(_environment.Options());
        var instances = new List<Instance>();
        await foreach (var reservation in client.DescribeInstancesAsync(new() { Filters = [new() { Name = "tag:Backup Me", Values = ["yes", "Ja+"] }] }, Stop))
            instances.AddRange(reservation.Instances);

        instances.Select(i => $"{i.InstanceId} {i.State!.Code} {i.State.Name} {i.InstanceLifecycle} {(i.Tags is [var tag, ..] ? tag.Value : null)}").ShouldBe(["i-1 16 running  web & co", "i-2 80 stopped spot "]);
        server.Requests.Single().Form.ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Action"] = "DescribeInstances", ["Version"] = "2016-11-15", ["Filter.1.Name"] = "tag:Backup Me", ["Filter.1.Value.1"] = "yes", ["Filter.1.Value.2"] = "Ja+",
            },
            ignoreOrder: true);
        server.Requests.Single().Headers["content-type"].ShouldStartWith("application/x-www-form-urlencoded");
    }

    [Fact]
    public async Task Pages_are_read_to_the_last()
    {
        var tokens = new List<string?>();
        await using var server = await AwsServer.StartAsync(request =>
        {
            var token = request.Json.TryGetProperty("NextToken", out var t) ? t.GetString() : null;
            tokens.Add(token);
            var page = token is null ? 1 : int.Parse(token);
            return AwsAnswer.Json($$"""{"InstanceInformationList":[{"InstanceId":"i-{{page}}"}]{{(page < 3 ? $",\"NextToken\":\"{page + 1}\"" : "")}}}""");
        });
        _environment.Set("AWS_ENDPOINT_URL_SSM", server.Endpoint.AbsoluteUri);
        using var client = new SsmClient(_environment.Options());
        var ids = new List<string?>();
        await foreach (var instance in client.DescribeInstanceInformationAsync(new(), Stop))
            ids.Add(instance.InstanceId);
        ids.ShouldBe(["i-1", "i-2", "i-3"]);
        tokens.ShouldBe([null, "2", "3"]);
    }

    [Fact]
    public async Task A_list_that_gives_the_same_page_again_ends_as_an_error()
    {
        await using var server = await ServeAsync("SSM", """{"InstanceInformationList":[],"NextToken":"again"}""");
        using var client = new SsmClient(_environment.Options());
        var failure = await Should.ThrowAsync<BackupException>(async () =>
        {
            await foreach (var _ in client.DescribeInstanceInformationAsync(new(), Stop))
            {
            }
        });
        failure.Kind.ShouldBe(FailureKind.Corrupt);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Failures_of_the_server_and_throttles_are_retried()
    {
        await using var server = await ServeAsync("SSM", Parameter);
        server.Fail(AwsAnswer.Error(503, "ServiceUnavailable", "busy"), AwsAnswer.Error(400, "ThrottlingException", "Rate exceeded"));
        using var client = new SsmClient(_environment.Options());
        (await client.GetParameterAsync(new() { Name = "p" }, Stop)).Parameter!.Value.ShouldBe("v");
        server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_lost_connection_is_retried()
    {
        await using var server = await ServeAsync("SSM", Parameter);
        server.Fail(new AwsAnswer { Reset = true });
        using var client = new SsmClient(_environment.Options());
        (await client.GetParameterAsync(new() { Name = "p" }, Stop)).Parameter!.Value.ShouldBe("v");
        server.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_has_no_token_is_not_sent_twice_where_it_may_have_arrived(bool reset)
    {
        await using var server = await ServeAsync("SSM", "{}");
        server.Fail(reset ? new AwsAnswer { Reset = true } : AwsAnswer.Error(500, "InternalServerError", "oops"));
        using var client = new SsmClient(_environment.Options());
        var failure = await Should.ThrowAsync<BackupException>(() => client.SendCommandAsync(new() { DocumentName = "d" }, Stop));
        failure.Kind.ShouldBe(FailureKind.Unavailable);
        failure.Message.ShouldContain("not known whether SSM received SendCommand");
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_has_no_token_is_sent_again_where_it_was_refused()
    {
        await using var server = await ServeAsync("SSM", "{}");
        server.Fail(AwsAnswer.Error(400, "ThrottlingException", "Rate exceeded"));
        using var client = new SsmClient(_environment.Options());
        await client.SendCommandAsync(new() { DocumentName = "d" }, Stop);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Retries_end()
    {
        await using var server = await ServeAsync("SSM", Parameter);
        server.Fail([.. Enumerable.Repeat(AwsAnswer.Error(400, "ThrottlingException", "Rate exceeded"), 9)]);
        using var client = new SsmClient(_environment.Options() with { MaxAttempts = 2 });
        var failure = await Should.ThrowAsync<AwsServiceException>(() => client.GetParameterAsync(new() { Name = "p" }, Stop));
        (failure.Kind, failure.ErrorCode, failure.Service, failure.Operation).ShouldBe((FailureKind.Throttled, "ThrottlingException", "SSM", "GetParameter"));
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Retry_After_is_waited_for()
    {
        var clock = new FakeTime(impatient: true);
        await using var server = await ServeAsync("CODEARTIFACT", "{}");
        server.Fail(AwsAnswer.Error(429, "ThrottlingException", "slow").With("Retry-After", "7"));
        using var client = new CodeArtifactClient(_environment.Options() with { Time = clock });
        await client.GetRepositoryEndpointAsync(Package.Repository, "maven", Stop);
        clock.Delays.ShouldBe([TimeSpan.FromSeconds(7)]);
        server.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(-17)]
    [InlineData(17)]
    public async Task A_wrong_clock_is_found_out_and_corrected(int minutes)
    {
        await using var server = await ServeAsync("SSM", Parameter);
        server.ClockOffset = TimeSpan.FromMinutes(minutes);
        using var client = new SsmClient(_environment.Options());
        (await client.GetParameterAsync(new() { Name = "p" }, Stop)).Parameter!.Value.ShouldBe("v");
    }

    [Fact]
    public async Task Keys_that_expired_are_an_error_that_says_so()
    {
        await using var server = await ServeAsync("SSM", Parameter);
        server.Credentials.ExpireAll();
        using var client = new SsmClient(_environment.Options());
        var failure = await Should.ThrowAsync<AwsServiceException>(() => client.GetParameterAsync(new() { Name = "p" }, Stop));
        failure.Kind.ShouldBe(FailureKind.CredentialsExpired);
        failure.Advice.ShouldNotBeNull().ShouldContain("aws sso login");
    }

    [Fact]
    public async Task No_keys_at_all_is_an_error_that_says_where_they_could_be()
    {
        await using var server = await ServeAsync("SSM", Parameter);
        using var client = new SsmClient(new() { Aws = new() { Region = "eu-central-1" } });
        (await Should.ThrowAsync<BackupException>(() => client.GetParameterAsync(new() { Name = "p" }, Stop))).Kind.ShouldBe(FailureKind.AuthenticationFailed);
        server.Requests.ShouldBeEmpty();
    }

    [Theory]
    // The four places of an error's code, and what has none.
    [InlineData(400, null, """{"__type":"com.amazonaws.ssm#ParameterNotFound","message":"m"}""", FailureKind.NotFound, "ParameterNotFound", "m")]
    [InlineData(404, "ResourceNotFoundException:http://internal.amazon.com/coral/", """{"Message":"M"}""", FailureKind.NotFound, "ResourceNotFoundException", "M")]
    [InlineData(400, null, """{"code":"ValidationException","message":"bad","reason":"CANNOT_PARSE"}""", FailureKind.InvalidInput, "ValidationException", "bad")]
    [InlineData(400, null, """{"Code":"InvalidParameterValueException","Message":"vault","Type":"Client"}""", FailureKind.InvalidInput, "InvalidParameterValueException", "vault")]
    [InlineData(400, null, """<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>no i-1</Message></Error></Errors><RequestID>q</RequestID></Response>""", FailureKind.NotFound, "InvalidInstanceID.NotFound", "no i-1")]
    [InlineData(403, null, """<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized.</Message></Error></Errors></Response>""", FailureKind.PermissionDenied, "UnauthorizedOperation", "You are not authorized.")]
    [InlineData(403, null, "<html>Forbidden by proxy</html>", FailureKind.PermissionDenied, "AccessDeniedException", null)]
    [InlineData(409, null, """{"__type":"ConflictException","message":"c"}""", FailureKind.AlreadyExists, "ConflictException", "c")]
    [InlineData(402, null, """{"__type":"ServiceQuotaExceededException","message":"150"}""", FailureKind.NoSpace, "ServiceQuotaExceededException", "150")]
    [InlineData(403, null, """{"__type":"AccessDeniedException","Message":"no"}""", FailureKind.PermissionDenied, "AccessDeniedException", "no")]
    public async Task Errors_are_read_wherever_they_stand(int status, string? header, string body, FailureKind kind, string code, string? message)
    {
        await using var server = await AwsServer.StartAsync(_ =>
            header is null ? AwsAnswer.Json(body, status) : AwsAnswer.Json(body, status).With("x-amzn-ErrorType", header));
        _environment.Set("AWS_ENDPOINT_URL_SSM", server.Endpoint.AbsoluteUri);
        using var client = new SsmClient(_environment.Options());
        var failure = await Should.ThrowAsync<AwsServiceException>(() => client.GetParameterAsync(new() { Name = "p" }, Stop));
        (failure.Kind, failure.ErrorCode, failure.ServiceMessage, failure.StatusCode).ShouldBe((kind, code, message, (HttpStatusCode)status));
        failure.RequestId.ShouldBe("11111111-2222-3333-4444-555555555555");
        failure.Reason.ShouldBe(body.Contains("reason", StringComparison.Ordinal) ? "CANNOT_PARSE" : null);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_answer_that_is_no_json_is_an_error_without_what_it_said()
    {
        await using var server = await ServeAsync("SSM", """{"Parameter":{"Value":"hunter2" oops}}""");
        using var client = new SsmClient(_environment.Options());
        var failure = await Should.ThrowAsync<BackupException>(() => client.GetParameterAsync(new() { Name = "p" }, Stop));
        failure.Kind.ShouldBe(FailureKind.Unavailable, failure.ToString());
        failure.ToString().ShouldNotContain("hunter2");
        failure.ToString().ShouldNotContain("oops");
    }

    [Fact]
    public async Task Nobody_there_is_an_error_that_names_the_host()
    {
        _environment.Set("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9");
        using var client = new SsmClient(_environment.Options() with { MaxAttempts = 1 });
        var failure = await Should.ThrowAsync<BackupException>(() => client.GetParameterAsync(new() { Name = "p" }, Stop));
        failure.Kind.ShouldBe(FailureKind.Unavailable);
        failure.Message.ShouldContain("127.0.0.1");
    }

    [Fact]
    public async Task A_body_streams_and_gives_its_connection_back()
    {
        var bytes = Encoding.ASCII.GetBytes(new string('x', 300_000));
        await using var server = await AwsServer.StartAsync(_ => new AwsAnswer { Body = bytes, ContentType = "application/octet-stream" }.With("X-PackageVersionRevision", "rev"));
        _environment.Set("AWS_ENDPOINT_URL_CODEARTIFACT", server.Endpoint.AbsoluteUri);
        using var client = new CodeArtifactClient(_environment.Options());
        for (var i = 0; i < 5; i++)
        {
            await using var asset = await client.GetPackageVersionAssetAsync(Package, "1.0", "a.jar", "rev", Stop);
            asset.PackageVersionRevision.ShouldBe("rev");
            asset.Asset.Length.ShouldBe(bytes.Length);
            using var copy = new MemoryStream();
            await asset.Asset.Content.CopyToAsync(copy, Stop);
            copy.ToArray().ShouldBe(bytes);
        }
    }

    [Fact]
    public async Task A_body_that_is_cut_is_an_error()
    {
        var cut = new TaskCompletionSource();
        await using var server = await AwsServer.StartAsync(_ => new AwsAnswer { Body = new byte[100_000], CutAfter = 5_000, CutWhen = cut.Task });
        _environment.Set("AWS_ENDPOINT_URL_CODEARTIFACT", server.Endpoint.AbsoluteUri);
        using var client = new CodeArtifactClient(_environment.Options());
        await using var asset = await client.GetPackageVersionAssetAsync(Package, "1.0", "a.jar", "rev", Stop);
        cut.SetResult();
        await Should.ThrowAsync<IOException>(() => asset.Asset.Content.CopyToAsync(Stream.Null, Stop));
    }

    [Fact]
    public async Task A_cancelled_request_ends_as_one()
    {
        using var stop = new CancellationTokenSource();
        await using var server = await AwsServer.StartAsync(_ =>
        {
            stop.Cancel();
            return AwsAnswer.Error(503, "ServiceUnavailable", "busy");
        });
        _environment.Set("AWS_ENDPOINT_URL_SSM", server.Endpoint.AbsoluteUri);
        using var client = new SsmClient(_environment.Options());
        await Should.ThrowAsync<OperationCanceledException>(() => client.GetParameterAsync(new() { Name = "p" }, stop.Token));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(503)]
    public async Task A_service_that_stops_in_mid_answer_holds_nobody_who_gave_up(int status)
    {
        await using var server = await ServeAsync("SSM", "{}");
        var stuck = new TaskCompletionSource();
        server.Fail(new AwsAnswer { Status = status, Body = new byte[100], CutAfter = 10, CutWhen = stuck.Task });
        using var client = new SsmClient(_environment.Options());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var asked = client.GetParameterAsync(new() { Name = "x" }, stop.Token);
        while (server.Requests.Count == 0)
            await Task.Delay(5, Stop);
        await stop.CancelAsync();
        // Long before the server itself would cut the connection.
        await Should.ThrowAsync<OperationCanceledException>(() => asked.WaitAsync(TimeSpan.FromSeconds(3), Stop));
        stuck.SetResult();
    }

    [Fact]
    public async Task An_answer_that_stops_is_tried_again_when_its_time_is_over()
    {
        await using var server = await ServeAsync("SSM", """{"Parameter":{"Value":"whole"}}""");
        var stuck = new TaskCompletionSource();
        server.Fail(new AwsAnswer { Body = new byte[100], CutAfter = 10, CutWhen = stuck.Task });
        using var client = new SsmClient(_environment.Options() with { Timeout = TimeSpan.FromSeconds(1) });
        (await client.GetParameterAsync(new() { Name = "x" }, Stop)).Parameter!.Value.ShouldBe("whole");
        stuck.SetResult();
    }

    [Fact]
    public async Task The_endpoint_of_S3_is_not_that_of_others()
    {
        await using var ssm = await ServeAsync("SSM", Parameter);
        using var client = new SsmClient(_environment.Options() with { Aws = _environment.Options().Aws with { EndpointUrl = new("http://127.0.0.1:9") } });
        (await client.GetParameterAsync(new() { Name = "p" }, Stop)).Parameter!.Value.ShouldBe("v");
    }

    [Theory]
    [InlineData("AWS_ENDPOINT_URL")]
    [InlineData("AWS_ENDPOINT_URL_SECRETS_MANAGER")]
    public async Task Endpoint_variables_are_honoured(string variable)
    {
        await using var server = await AwsServer.StartAsync(_ => AwsAnswer.Json("""{"SecretString":"v"}"""));
        _environment.Set(variable, server.Endpoint.AbsoluteUri);
        using var client = new Backup.Engine.Aws.SecretsManager.SecretsManagerClient(_environment.Options());
        (await client.GetSecretValueAsync(new() { SecretId = "s" }, Stop)).SecretString.ShouldBe("v");
        server.Requests.Single().Headers["x-amz-target"].ShouldBe("secretsmanager.GetSecretValue");
    }

    [Theory]
    [InlineData("eu-central-1", "https://ssm.eu-central-1.amazonaws.com")]
    [InlineData("cn-north-1", "https://ssm.cn-north-1.amazonaws.com.cn")]
    [InlineData("us-gov-west-1", "https://ssm.us-gov-west-1.amazonaws.com")]
    [InlineData("us-iso-east-1", "https://ssm.us-iso-east-1.c2s.ic.gov")]
    public void Every_partition_has_its_hosts(string region, string endpoint)
    {
        using var client = AwsApiClient.Create(SsmClient.Service, new() { Aws = new() { Region = region } });
        client.Endpoint.ShouldBe(new Uri(endpoint));
    }

    [Fact]
    public void Fips_and_dual_stack_hosts_are_used_where_they_are_asked_for()
    {
        // The variables for it are read once a process, so the configuration is told here.
        var config = new AwsApiConfig(SsmClient.Service, new()) { RegionEndpoint = Amazon.RegionEndpoint.USEast1, UseFIPSEndpoint = true, UseDualstackEndpoint = true };
        config.DetermineServiceOperationEndpoint(null!).URL.ShouldBe("https://ssm-fips.us-east-1.api.aws");
    }

    private static PackageReference Package { get; } = new()
    {
        Repository = new() { Domain = "d", DomainOwner = "111122223333", Repository = "r" },
        Format = "maven",
        Namespace = "com.example",
        Package = "lib",
    };

    private const string Parameter = """{"Parameter":{"Name":"p","Value":"v"}}""";

    private async Task<AwsServer> ServeAsync(string service, string body)
    {
        var server = await AwsServer.StartAsync(_ => body.StartsWith('<') ? AwsAnswer.Xml(body) : AwsAnswer.Json(body));
        _environment.Set("AWS_ENDPOINT_URL_" + service, server.Endpoint.AbsoluteUri);
        return server;
    }
}
