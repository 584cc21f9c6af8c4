using System.Net;
using System.Net.Sockets;
using System.Text;
using Backup.Engine.Aws;
using Backup.Engine.Stores;
using Backup.Engine.Stores.S3;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>What users get wrong, and what they are told.</summary>
public sealed class S3BadInputTests
{
    private const string Secret = "a-secret-that-nobody-may-see";
    private const string SessionToken = "a-token-that-nobody-may-see";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_missing_bucket()
    {
        await using var bench = await S3Bench.StartAsync();
        await FailAsync(bench.Open(bucket: "no-such-bucket"), FailureKind.NotFound, "'no-such-bucket'", "Create it");
    }

    [Fact]
    public async Task A_bucket_of_somebody_else()
    {
        await using var bench = await S3Bench.StartAsync();
        bench.Server.State.AddForeignBucket("foreign-bucket");
        await FailAsync(bench.Open(bucket: "foreign-bucket"), FailureKind.PermissionDenied, "foreign-bucket", "another account");
        await FailAsync(bench.Open(o => o with { ExpectedBucketOwner = "999999999999" }), FailureKind.PermissionDenied, S3Bench.Bucket, "another account");
        await bench.Open(o => o with { ExpectedBucketOwner = bench.Server.Options.AccountId }).WriteAsync("k", new MemoryStream([1]), null, Token);
    }

    [Fact]
    public async Task Wrong_keys()
    {
        await using var bench = await S3Bench.StartAsync();
        await FailAsync(bench.Open(o => o with { Aws = o.Aws with { Keys = new("test", Secret) } }), FailureKind.AuthenticationFailed, "SignatureDoesNotMatch", "access key");
        await FailAsync(bench.Open(o => o with { Aws = o.Aws with { Keys = new("nobody", Secret) } }), FailureKind.AuthenticationFailed, "InvalidAccessKeyId", "access key");
    }

    [Fact]
    public async Task Expired_keys_that_cannot_be_renewed()
    {
        await using var bench = await S3Bench.StartAsync(new() { SecretKey = Secret, SessionToken = SessionToken });
        bench.Server.ExpireCredentials();
        await FailAsync(bench.Open(o => o with { Aws = o.Aws with { Keys = new("test", Secret, SessionToken) } }), FailureKind.CredentialsExpired, "expired", "aws sso login");
    }

    [Fact]
    public async Task A_wrong_region()
    {
        await using var bench = await S3Bench.StartAsync(new() { Region = "eu-west-1" });
        await FailAsync(bench.Open(o => o with { Aws = o.Aws with { Region = "us-east-1" } }), FailureKind.WrongRegion, "eu-west-1", "-Region eu-west-1");
        bench.Server.Faults.Add(new() { Action = FaultAction.Status(301, "PermanentRedirect"), Times = int.MaxValue });
        await FailAsync(bench.Open(), FailureKind.WrongRegion, S3Bench.Bucket, "-Region");
    }

    [Fact]
    public async Task One_object_that_is_denied()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Deny = r => r.Key == "secret/plans";
        var failure = await Should.ThrowAsync<BackupException>(() => store.WriteAsync("secret/plans", new MemoryStream([1]), null, Token));
        Check(failure, FailureKind.PermissionDenied, $"s3://{S3Bench.Bucket}/secret/plans", "permission");
        await store.WriteAsync("other", new MemoryStream([1]), null, Token);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(S3Bench.PartSize + 1)]
    public async Task An_unknown_storage_class(int size)
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        Check(await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(new byte[size]), new() { StorageClass = "DEEP_FREEZE" }, Token)), FailureKind.InvalidInput, "'DEEP_FREEZE'", "DEEP_ARCHIVE");
    }

    [Theory]
    [InlineData("UPPER")]
    [InlineData("ab")]
    [InlineData("a..b")]
    [InlineData("192.168.1.1")]
    [InlineData("under_score")]
    public void An_invalid_bucket_name(string name) =>
        Check(Should.Throw<BackupException>(() => StoreLocation.ForBucket(name)), FailureKind.InvalidInput, $"'{name}'", "s3://bucket");

    [Fact]
    public void Options_that_would_never_end()
    {
        foreach (var options in (StoreOptions[])[new() { MaxConcurrency = 0 }, new() { MemoryBudget = 0 }, new() { PartSize = 0 }, new() { MaxBandwidth = 0 }, new() { MaxAttempts = 0 }, new() { StallTimeout = TimeSpan.Zero }])
            Should.Throw<BackupException>(() => S3ObjectStore.Open(StoreLocation.ForBucket("bucket"), options with { Aws = new() { Region = "us-east-1" } })).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    [Fact]
    public async Task An_endpoint_that_is_down()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var endpoint = $"http://127.0.0.1:{((IPEndPoint)closed.LocalEndpoint).Port}";
        closed.Stop();
        await FailAsync(Nowhere(endpoint), FailureKind.Unavailable, endpoint, "-EndpointUrl");
        await FailAsync(Nowhere("http://no-such-host.invalid"), FailureKind.Unavailable, "http://no-such-host.invalid", "-EndpointUrl");
    }

    [Fact]
    public async Task An_endpoint_that_never_answers_is_no_cancellation()
    {
        // It accepts and says nothing: the TLS handshake, a part of connecting, never ends.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var endpoint = $"https://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}";
        await using var store = Nowhere(endpoint, o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        Check(await Should.ThrowAsync<BackupException>(() => store.CheckAsync(forWriting: true, Token)), FailureKind.Unavailable, endpoint, "-EndpointUrl");
        Check(await Should.ThrowAsync<BackupException>(async () => await store.ListAsync("", Token).CountAsync(Token)), FailureKind.Unavailable, endpoint, "-EndpointUrl");
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts()
    {
        await using var bench = await S3Bench.StartAsync(new() { Tls = true });
        var store = bench.Open(o => o with { TrustedCertificate = null });
        await FailAsync(store, FailureKind.Unavailable, bench.Server.Endpoint.ToString().TrimEnd('/'), "certificate");
        bench.Time.Delays.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refusal_before_the_body_was_read_is_told_as_what_it_is()
    {
        // S3 answers and closes: the rest of the body meets a reset, and the answer may be lost with it.
        using var rude = new TcpListener(IPAddress.Loopback, 0);
        rude.Start();
        var asked = 0;
        using var stop = new CancellationTokenSource();
        var serving = Task.Run(async () =>
        {
            while (await rude.AcceptTcpClientAsync(stop.Token) is { } client)
            {
                using var _ = client;
                client.LingerState = new(enable: true, 0);
                var head = await HeadAsync(client.GetStream());
                if (head.StartsWith("PUT", StringComparison.Ordinal) && !head.Contains("100-continue", StringComparison.Ordinal))
                    continue;
                asked += head.Contains("100-continue", StringComparison.Ordinal) ? 1 : 0;
                var body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 403 Forbidden\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), stop.Token);
                client.LingerState = new(enable: false, 0);
                client.Client.Shutdown(SocketShutdown.Send);
            }
        });
        await using var store = Nowhere($"http://127.0.0.1:{((IPEndPoint)rude.LocalEndpoint).Port}");
        Check(await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(new byte[4 << 20]), null, Token)), FailureKind.PermissionDenied, "s3://bucket", "permission");
        asked.ShouldBeGreaterThan(0);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(serving);
    }

    [Fact]
    public async Task A_temporary_redirect_is_followed_with_a_signature_of_its_own()
    {
        await using var bench = await S3Bench.StartAsync();
        using var front = new TcpListener(IPAddress.Loopback, 0);
        front.Start();
        using var stop = new CancellationTokenSource();
        async Task RedirectAsync(TcpClient client)
        {
            using var _ = client;
            var path = (await HeadAsync(client.GetStream())).Split(' ')[1];
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 307 Temporary Redirect\r\nLocation: {bench.Server.Endpoint.ToString().TrimEnd('/')}{path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), stop.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            await client.GetStream().CopyToAsync(Stream.Null, stop.Token);
        }

        var serving = Task.Run(async () =>
        {
            while (await front.AcceptTcpClientAsync(stop.Token) is { } client)
                _ = RedirectAsync(client);
        });
        await using var store = Nowhere($"http://127.0.0.1:{((IPEndPoint)front.LocalEndpoint).Port}", bucket: S3Bench.Bucket);
        var data = S3Bench.Data(100_000);
        await store.WriteAsync("dir/größe ..", new MemoryStream(data), null, Token);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "dir/größe ..")).ShouldBe(data);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(serving);
    }

    [Fact]
    public async Task Keys_that_expire_on_the_way_are_renewed_by_their_source()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The credential process is a shell script.");
        using var directory = new TemporaryDirectory();
        await using var bench = await S3Bench.StartAsync(new() { AccessKey = "first", SecretKey = Secret, SessionToken = "token-1" });
        bench.Server.Credentials.Add("second", Secret, "token-2");
        var counter = directory.Combine("count");
        await File.WriteAllTextAsync(directory.Combine("keys.sh"), $$"""
            #!/bin/sh
            echo x >> {{counter}}
            if [ $(wc -l < {{counter}}) -eq 1 ]; then k=first; t=token-1; else k=second; t=token-2; fi
            echo "{\"Version\": 1, \"AccessKeyId\": \"$k\", \"SecretAccessKey\": \"{{Secret}}\", \"SessionToken\": \"$t\", \"Expiration\": \"2099-01-01T00:00:00Z\"}"
            """, Token);
        var credentials = new Amazon.Runtime.ProcessAWSCredentials($"sh {directory.Combine("keys.sh")}");
        var session = new AwsSession(new() { EndpointUrl = bench.Server.Endpoint, Region = "us-east-1" }, new Amazon.S3.AmazonS3Config(), credentials);
        using var http = new S3Http(S3Bench.Bucket, session, bench.Options);

        (await http.SendAsync(new(HttpMethod.Get, null), Token)).Dispose();
        bench.Server.Credentials.Expire("first");
        // All of them fail together; the process is asked once more, not twenty times.
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => (await http.SendAsync(new(HttpMethod.Get, null), Token)).Dispose()));
        (await File.ReadAllLinesAsync(counter, Token)).Length.ShouldBe(2);
        bench.Server.Credentials.Expire("second");
        var failure = await Should.ThrowAsync<BackupException>(() => http.SendAsync(new(HttpMethod.Get, null), Token));
        Check(failure, FailureKind.CredentialsExpired, "expired", "aws sso login");
    }

    private static S3ObjectStore Nowhere(string endpoint, Func<StoreOptions, StoreOptions>? change = null, string bucket = "bucket")
    {
        var options = new StoreOptions { Aws = new() { EndpointUrl = new(endpoint), Region = "us-east-1", Keys = new("test", "testsecret") }, Time = new FakeTime(impatient: true), MaxAttempts = 3 };
        return S3ObjectStore.Open(StoreLocation.ForBucket(bucket), change?.Invoke(options) ?? options);
    }

    private static async Task<string> HeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) == 1)
            head.Append((char)one[0]);
        return head.ToString();
    }

    /// <summary>Every way into a store says the same.</summary>
    private static async Task FailAsync(S3ObjectStore store, FailureKind kind, string names, string advises)
    {
        Check(await Should.ThrowAsync<BackupException>(() => store.CheckAsync(forWriting: true, Token)), kind, names, advises);
        Check(await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream([1]), null, Token)), kind, names, advises);
        Check(await Should.ThrowAsync<BackupException>(() => store.HeadAsync("k", null, Token)), kind, names, advises);
        Check(await Should.ThrowAsync<BackupException>(() => store.ReadAsync("k", null, Token)), kind, names, advises);
        var listing = await Should.ThrowAsync<BackupException>(async () => await store.ListAsync("", Token).CountAsync(Token));
        NoSecret(listing);
        listing.Kind.ShouldBe(kind);
    }

    private static void Check(BackupException failure, FailureKind kind, string names, string advises)
    {
        NoSecret(failure);
        failure.Kind.ShouldBe(kind, failure.ToString());
        failure.Message.ShouldContain(names);
        failure.Advice.ShouldNotBeNull().ShouldContain(advises);
    }

    private static void NoSecret(BackupException failure)
    {
        var everything = failure + failure.Advice;
        everything.ShouldNotContain(Secret);
        everything.ShouldNotContain(SessionToken);
        everything.ShouldNotContain("testsecret");
    }
}
