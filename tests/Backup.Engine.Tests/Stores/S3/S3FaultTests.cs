using Backup.Engine.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>What goes wrong on the way, and what becomes of it.</summary>
public sealed class S3FaultTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Transient => ["SlowDown", "Throttled", "InternalError", "ResetBeforeBody", "ResetMidBody", "CorruptStored"];

    private static FaultAction Action(string name) => name switch
    {
        "SlowDown" => FaultAction.Status(503, "SlowDown"),
        "Throttled" => FaultAction.Status(429, "TooManyRequests"),
        "InternalError" => FaultAction.Status(500, "InternalError"),
        "ResetBeforeBody" => FaultAction.ResetBeforeBody,
        "ResetMidBody" => FaultAction.ResetMidBody(70_000),
        "ApplyThenReset" => FaultAction.ApplyThenReset,
        _ => FaultAction.CorruptStored,
    };

    [Theory]
    [MemberData(nameof(Transient))]
    public async Task What_passes_is_tried_again(string fault)
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Faults.Add("PutObject", Action(fault), times: 2);
        var (data, progress) = (S3Bench.Data(200_000), new SumOfProgress());

        var stored = await store.WriteAsync("k", new MemoryStream(data), new() { Length = data.Length, Progress = progress }, Token);
        stored.Size.ShouldBe(data.Length);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        progress.Total.ShouldBe(data.Length);
        bench.Count("PutObject").ShouldBe(3);
        bench.Time.Delays.Count.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Transient))]
    public async Task Parts_are_tried_again_too(string fault)
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Faults.Add(new() { Match = r => r is { Operation: "UploadPart", PartNumber: 2 }, Action = Action(fault), Times = 2 });
        var (data, progress) = (S3Bench.Data((2 * S3Bench.PartSize) + 100_000), new SumOfProgress());

        await store.WriteAsync("k", new MemoryStream(data), new() { Progress = progress }, Token);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        progress.Total.ShouldBe(data.Length);
        bench.Count("UploadPart").ShouldBe(5);
    }

    [Fact]
    public async Task The_time_that_the_store_asks_for_is_waited()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Faults.Add("PutObject", FaultAction.Status(503, "SlowDown", TimeSpan.FromSeconds(7)));
        bench.Server.Faults.Add(new() { Match = r => r.Operation == "PutObject", Skip = 1, Action = FaultAction.Status(503, "SlowDown", TimeSpan.FromMinutes(5)) });
        await store.WriteAsync("k", new MemoryStream([1]), null, Token);
        bench.Time.Delays[0].ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(7));
        // Five minutes are more than one object is worth waiting for at a time, but what it does wait is not nothing.
        bench.Time.Delays[1].ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task What_stays_wrong_is_told_with_its_reason()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        async Task<BackupException> FailAsync(FaultAction action)
        {
            bench.Server.Faults.Clear();
            bench.Server.Faults.Add("PutObject", action, int.MaxValue);
            return await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream([1]), null, Token));
        }

        (await FailAsync(FaultAction.Status(503, "SlowDown"))).Kind.ShouldBe(FailureKind.Throttled);
        (await FailAsync(FaultAction.Status(500, "InternalError"))).Kind.ShouldBe(FailureKind.Unavailable);
        (await FailAsync(FaultAction.ResetBeforeBody)).Kind.ShouldBe(FailureKind.Unavailable);
        var damaged = await FailAsync(FaultAction.CorruptStored);
        damaged.Kind.ShouldBe(FailureKind.ChecksumMismatch);
        damaged.Message.ShouldContain($"s3://{S3Bench.Bucket}/k");
        bench.Server.State.Objects(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("PutObject", 1)]
    [InlineData("CreateMultipartUpload", S3Bench.PartSize + 1)]
    [InlineData("UploadPart", S3Bench.PartSize + 1)]
    [InlineData("CompleteMultipartUpload", S3Bench.PartSize + 1)]
    public async Task Failures_give_their_memory_back_once(string operation, int size)
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync(o => o with { MaxAttempts = 1 });
        bench.Server.Deny = r => r.Operation == operation;
        // More of these than the budget holds: where each keeps its first part, the next one waits for ever.
        for (var i = 0; i < 10; i++)
            (await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(new byte[size]), null, Token).WaitAsync(TimeSpan.FromSeconds(60), Token))).Kind.ShouldBe(FailureKind.PermissionDenied);
        store.Memory.Used.ShouldBe(0);
    }

    [Fact]
    public async Task A_part_larger_than_the_budget_is_sent_alone()
    {
        await using var bench = await S3Bench.StartAsync(new() { MinimumPartSize = 1 });
        var store = await bench.ReadyAsync(o => o with { PartSize = 1024, MemoryBudget = 1 << 20 });
        // 10,000 parts of 1 KiB do not suffice: the plan wants parts of 1 MiB and more, beside nothing else.
        var length = 25L << 20;
        await store.WriteAsync("k", new OddStream(new byte[length]), new() { Length = length }, Token).WaitAsync(TimeSpan.FromSeconds(60), Token);
        store.Memory.Used.ShouldBe(0);
    }

    [Fact]
    public async Task OK_with_an_error_in_it_is_an_error()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Faults.Add("CompleteMultipartUpload", FaultAction.OkWithErrorBody("InternalError"));
        var data = S3Bench.Data(S3Bench.PartSize + 1);
        await store.WriteAsync("k", new MemoryStream(data), null, Token);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        bench.Count("CompleteMultipartUpload").ShouldBe(2);

        bench.Server.Faults.Add("CompleteMultipartUpload", FaultAction.OkWithErrorBody("InternalError"), int.MaxValue);
        (await Should.ThrowAsync<BackupException>(() => store.WriteAsync("other", new MemoryStream(data), null, Token))).Kind.ShouldBe(FailureKind.Unavailable);
        bench.Server.State.Objects(S3Bench.Bucket).Count.ShouldBe(1);
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_deletion_that_failed_behind_an_OK_is_no_deletion()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync(o => o with { MaxAttempts = 2 });
        await store.WriteAsync("k", new MemoryStream([1]), null, Token);
        bench.Server.Faults.Add("DeleteObjects", FaultAction.OkWithErrorBody("InternalError"), int.MaxValue);
        var result = await store.DeleteAsync(new[] { "k" }.ToAsyncEnumerable(), Token).SingleAsync(Token);
        result.Failure.ShouldNotBeNull().Kind.ShouldBe(FailureKind.Unavailable);
        bench.Server.State.Objects(S3Bench.Bucket).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("PutObject", 10)]
    [InlineData("UploadPart", S3Bench.PartSize + 10)]
    [InlineData("CompleteMultipartUpload", S3Bench.PartSize + 10)]
    public async Task A_wrong_checksum_back_is_no_success(string operation, int size)
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Faults.Add(operation, FaultAction.WrongChecksumBack);
        var failure = await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(S3Bench.Data(size)), null, Token));
        failure.Kind.ShouldBe(FailureKind.ChecksumMismatch);
        failure.Message.ShouldContain($"s3://{S3Bench.Bucket}/k");
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("PutObject", 10)]
    [InlineData("UploadPart", S3Bench.PartSize + 10)]
    [InlineData("CompleteMultipartUpload", S3Bench.PartSize + 10)]
    public async Task A_wrong_tag_back_is_no_success_where_the_tag_is_the_proof(string operation, int size)
    {
        await using var bench = await S3Bench.StartAsync(new() { IgnoreChecksums = true });
        var store = await bench.ReadyAsync();
        bench.Server.Faults.Add(operation, FaultAction.WrongETagBack);
        (await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(S3Bench.Data(size)), null, Token))).Kind.ShouldBe(FailureKind.ChecksumMismatch);
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(10, false)]
    [InlineData(S3Bench.PartSize + 10, true)]
    [InlineData(S3Bench.PartSize + 10, false)]
    public async Task A_lost_answer_is_recognised_as_ones_own_success(int size, bool onlyIfAbsent)
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Faults.Add(size > S3Bench.PartSize ? "CompleteMultipartUpload" : "PutObject", FaultAction.ApplyThenReset);
        var (data, progress) = (S3Bench.Data(size), new SumOfProgress());
        var stored = await store.WriteAsync("k", new MemoryStream(data), new() { OnlyIfAbsent = onlyIfAbsent, Progress = progress }, Token);
        stored.Size.ShouldBe(size);
        stored.Sha256.ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(data)));
        progress.Total.ShouldBe(size);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
    }

    [Fact]
    public async Task Somebody_elses_object_is_not_taken_for_ones_own()
    {
        await using var bench = await S3Bench.StartAsync();
        var (store, other) = (await bench.ReadyAsync(), await bench.ReadyAsync());
        var fault = bench.Server.Faults.Add(new()
        {
            Match = r => r.Operation == "PutObject" && r.Headers.ContainsKey("if-none-match"),
            Action = FaultAction.ResetBeforeBody,
        });
        bench.Server.Faults.Add(new()
        {
            // Between the two attempts somebody else comes first.
            Match = r =>
            {
                if (r.Operation == "PutObject" && r.Headers.ContainsKey("if-none-match") && fault.Hits == 1)
                    other.WriteAsync("k", new MemoryStream([2]), null, Token).GetAwaiter().GetResult();
                return false;
            },
            Action = FaultAction.Hang,
        });
        (await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream([1]), new() { OnlyIfAbsent = true }, Token))).Kind.ShouldBe(FailureKind.AlreadyExists);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe([2]);
    }

    [Fact]
    public async Task A_store_that_hangs_is_asked_again()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync(o => o with { StallTimeout = TimeSpan.FromMilliseconds(500), MaxAttempts = 20 });
        bench.Server.Faults.Add("PutObject", FaultAction.Hang);
        await store.WriteAsync("k", new MemoryStream([1]), null, Token);
        bench.Count("PutObject").ShouldBeGreaterThanOrEqualTo(2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_wrong_clock_is_corrected(int hours)
    {
        await using var bench = await S3Bench.StartAsync();
        bench.Server.ClockOffset = TimeSpan.FromHours(hours);
        var store = bench.Open();
        await store.WriteAsync("k", new MemoryStream([1]), null, Token);
        (await store.HeadAsync("k", null, Token)).ShouldNotBeNull();
        // The HEAD is the first request of another store: its answer has no body to say what is wrong.
        (await bench.Open().HeadAsync("k", null, Token)).ShouldNotBeNull();
        bench.Server.ClearRequests();
        await store.WriteAsync("l", new MemoryStream([1]), null, Token);
        bench.Server.Requests.ShouldAllBe(r => r.Status == 200);
    }

    [Fact]
    public async Task A_truncated_answer_is_read_on()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        var data = S3Bench.Data(3_000_000);
        var stored = await store.WriteAsync("k", new MemoryStream(data), null, Token);
        bench.Server.Faults.Add("GetObject", FaultAction.TruncateResponse(1_000_000), times: 2);
        (await ReadAsync(store, "k")).ShouldBe(data);
        var again = bench.Server.Requests.Where(r => r.Operation == "GetObject").Skip(1).ToList();
        again.ShouldNotBeEmpty();
        again.ShouldAllBe(r => r.Headers["range"].StartsWith("bytes=") && r.Headers["if-match"] == $"\"{stored.ETag}\"");

        bench.Server.Faults.Add("GetObject", FaultAction.TruncateResponse(0), int.MaxValue);
        (await Should.ThrowAsync<BackupException>(() => ReadAsync(store, "k"))).Kind.ShouldBe(FailureKind.Unavailable);
    }

    [Fact]
    public async Task An_object_that_is_replaced_while_it_is_read_is_never_mixed()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        await store.WriteAsync("k", new MemoryStream(S3Bench.Data(3_000_000)), null, Token);
        bench.Server.Faults.Add("GetObject", FaultAction.TruncateResponse(1_000_000));
        await using var content = await store.ReadAsync("k", null, Token);
        await store.WriteAsync("k", new MemoryStream(S3Bench.Data(3_000_000, seed: 2)), null, Token);
        var failure = await Should.ThrowAsync<BackupException>(() => content.Stream.CopyToAsync(Stream.Null, Token));
        failure.Kind.ShouldBe(FailureKind.ChangedWhileRead);
        failure.Message.ShouldContain($"s3://{S3Bench.Bucket}/k");
    }

    [Fact]
    public async Task Every_kind_of_fault_while_the_store_is_found_out_is_survived()
    {
        await using var bench = await S3Bench.StartAsync(versioning: "Enabled");
        foreach (var fault in Transient.Select(row => row.Data).Where(name => name != "CorruptStored"))
        {
            bench.Server.Faults.Add("PutObject", Action(fault));
            (await bench.Open().ProofAsync(Token)).ShouldBe(S3Proof.Crc64Nvme);
        }

        bench.Server.State.Versions(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_content_type_goes_out_as_it_was_given()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        await store.WriteAsync("k", new MemoryStream([1]), new() { ContentType = "text/plain;charset=\"utf-8\"", Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = "two  spaces" } }, Token);
        bench.Server.State.Objects(S3Bench.Bucket)[0].Headers["content-type"].ShouldBe("text/plain;charset=\"utf-8\"");
        (await store.HeadAsync("k", null, Token))!.Metadata["name"].ShouldBe("two  spaces");
    }

    private static async Task<byte[]> ReadAsync(S3ObjectStore store, string key)
    {
        await using var content = await store.ReadAsync(key, null, Token);
        using var bytes = new MemoryStream();
        await content.Stream.CopyToAsync(bytes, Token);
        return bytes.ToArray();
    }
}
