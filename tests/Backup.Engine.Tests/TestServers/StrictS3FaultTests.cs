using System.Diagnostics;
using System.Net;
using Amazon.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.TestServers;

/// <summary>Each fault as a plain HTTP client sees it.</summary>
public sealed class StrictS3FaultTests : IAsyncLifetime
{
    private const string Bucket = StrictS3Clients.Bucket;
    private StrictS3Server _server = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await StrictS3Clients.StartAsync();
        _http = _server.Raw();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Status_with_Retry_After_twice_and_only_for_one_part()
    {
        var fault = _server.Faults.Add(new Fault
        {
            Match = r => r is { Operation: "PutObject", Key: "k" },
            Times = 2,
            Action = FaultAction.Status(503, "SlowDown", TimeSpan.FromSeconds(3)),
        });
        (await PutAsync("other")).StatusCode.ShouldBe(HttpStatusCode.OK);
        for (var i = 0; i < 2; i++)
        {
            var slow = await PutAsync("k");
            slow.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            slow.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(3));
            (await slow.ErrorCodeAsync()).ShouldBe("SlowDown");
        }

        (await PutAsync("k")).StatusCode.ShouldBe(HttpStatusCode.OK);
        fault.Hits.ShouldBe(2);
        _server.Requests.Select(r => r.Status).ShouldBe([200, 503, 503, 200]);
    }

    [Fact]
    public async Task Resets()
    {
        _server.Faults.Add("PutObject", FaultAction.ResetBeforeBody);
        await Should.ThrowAsync<HttpRequestException>(() => PutAsync("k"));
        _server.Faults.Add("PutObject", FaultAction.ResetMidBody(100_000));
        await Should.ThrowAsync<HttpRequestException>(() => PutAsync("k", 4_000_000));
        _server.State.Objects(Bucket).ShouldBeEmpty();
        _server.Requests[^1].BodyBytes.ShouldBeInRange(100_000, 3_999_999);
    }

    [Fact]
    public async Task Apply_then_reset()
    {
        _server.Faults.Add("PutObject", FaultAction.ApplyThenReset);
        await Should.ThrowAsync<HttpRequestException>(() => PutAsync("k"));
        _server.State.Objects(Bucket).ShouldHaveSingleItem().Key.ShouldBe("k");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public async Task A_truncated_response(int bytes)
    {
        await PutAsync("k", 300_000);
        _server.Faults.Add("GetObject", FaultAction.TruncateResponse(bytes));
        using var response = await _http.GetAsync(_server.Presign("k"), HttpCompletionOption.ResponseHeadersRead);
        response.Content.Headers.ContentLength.ShouldBe(300_000);
        var received = 0;
        await Should.ThrowAsync<IOException>(async () =>
        {
            await using var stream = await response.Content.ReadAsStreamAsync();
            var buffer = new byte[8192];
            while (await stream.ReadAsync(buffer) is var read and > 0)
                received += read;
        });
        received.ShouldBe(bytes);
    }

    [Fact]
    public async Task OK_with_an_error_in_it()
    {
        _server.Faults.Add("PutObject", FaultAction.OkWithErrorBody("InternalError"));
        var response = await PutAsync("k");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.ErrorCodeAsync()).ShouldBe("InternalError");
        _server.State.Objects(Bucket).ShouldBeEmpty();
    }

    [Fact]
    public async Task Wrong_answers()
    {
        var good = await PutAsync("k");
        _server.Faults.Add("PutObject", FaultAction.WrongETagBack);
        var etag = await PutAsync("k");
        etag.Headers.ETag.ShouldNotBe(good.Headers.ETag);
        Checksum(etag).ShouldBe(Checksum(good));
        _server.Faults.Add("PutObject", FaultAction.WrongChecksumBack);
        var checksum = await PutAsync("k");
        checksum.Headers.ETag.ShouldBe(good.Headers.ETag);
        Checksum(checksum).Equals(Checksum(good), StringComparison.Ordinal).ShouldBeFalse();
    }

    [Fact]
    public async Task A_body_that_is_corrupted_on_its_way()
    {
        var good = await PutAsync("k");
        _server.Faults.Add("PutObject", FaultAction.CorruptStored);
        var silent = await PutAsync("k");
        silent.StatusCode.ShouldBe(HttpStatusCode.OK);
        Checksum(silent).Equals(Checksum(good), StringComparison.Ordinal).ShouldBeFalse();

        _server.Faults.Add("PutObject", FaultAction.CorruptStored);
        using var sdk = _server.Sdk();
        var refused = await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(new() { BucketName = Bucket, Key = "k", ContentBody = "x" }));
        refused.ErrorCode.ShouldBe("BadDigest");
    }

    [Fact]
    public async Task Hang_and_delay()
    {
        var hang = _server.Faults.Add("PutObject", FaultAction.Hang);
        using var patience = new CancellationTokenSource();
        var hanging = _http.PutAsync(_server.Presign("k", HttpVerb.PUT), new ByteArrayContent([1]), patience.Token);
        // Only once it hangs: given up earlier, it would leave the fault to the next request.
        while (hang.Hits == 0 && !hanging.IsCompleted)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => hanging);
        _server.Faults.Add("PutObject", FaultAction.Delay(TimeSpan.FromMilliseconds(200)));
        var watch = Stopwatch.StartNew();
        (await PutAsync("k")).StatusCode.ShouldBe(HttpStatusCode.OK);
        watch.Elapsed.ShouldBeGreaterThan(TimeSpan.FromMilliseconds(190));
    }

    private Task<HttpResponseMessage> PutAsync(string key, int length = 1000) => _http.PutAsync(_server.Presign(key, HttpVerb.PUT), new ByteArrayContent(new byte[length]));

    private static string Checksum(HttpResponseMessage response) => response.Headers.GetValues("x-amz-checksum-crc64nvme").Single();
}
