using System.Security.Cryptography;
using Backup.Engine.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>Uploads in parts: cancelled, failed, killed and continued.</summary>
public sealed class S3MultipartTests
{
    private const int Part = S3Bench.PartSize;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<bool> Proofs => [false, true];

    [Fact]
    public async Task A_cancelled_upload_leaves_nothing()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var source = new OddStream(S3Bench.Data(6 * Part), before: at =>
        {
            if (at >= 4 * Part)
                cancel.Cancel();
        });
        await Should.ThrowAsync<OperationCanceledException>(() => store.WriteAsync("k", source, null, cancel.Token));
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
        bench.Server.State.Objects(S3Bench.Bucket).ShouldBeEmpty();
        store.Memory.Used.ShouldBe(0);
    }

    [Fact]
    public async Task A_failed_part_fails_the_whole_with_its_reason()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        bench.Server.Deny = r => r is { Operation: "UploadPart", PartNumber: 3 };
        var endless = new OddStream(S3Bench.Data(20 * Part));
        var failure = await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", endless, null, Token));
        failure.Kind.ShouldBe(FailureKind.PermissionDenied);
        failure.Message.ShouldContain($"s3://{S3Bench.Bucket}/k");
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
        store.Memory.Used.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task An_interrupted_upload_is_continued(bool byMd5)
    {
        await using var bench = await S3Bench.StartAsync(new() { IgnoreChecksums = byMd5 });
        var data = S3Bench.Data((6 * Part) + 1000);
        var held = await InterruptAsync(bench, data);

        bench.Server.ClearRequests();
        var progress = new SumOfProgress();
        var store = bench.Open();
        var stored = await store.WriteAsync("k", new MemoryStream(data), new() { Length = data.Length, Progress = progress }, Token);
        stored.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(data)));
        stored.Checksum!.Algorithm.ShouldBe(byMd5 ? "md5" : "crc64nvme");
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        bench.Server.Requests.Where(r => r.Operation == "UploadPart").Select(r => r.PartNumber!.Value).Order().ShouldBe(Enumerable.Range(1, 7).Except(held));
        bench.Count("CreateMultipartUpload").ShouldBe(0);
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
        progress.Total.ShouldBe(data.Length);
    }

    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task Of_a_changed_source_only_what_differs_is_sent_again(bool byMd5)
    {
        await using var bench = await S3Bench.StartAsync(new() { IgnoreChecksums = byMd5 });
        var data = S3Bench.Data(6 * Part);
        var held = await InterruptAsync(bench, data);
        held.ShouldContain(1);
        data[100] ^= 1;

        bench.Server.ClearRequests();
        await bench.Open().WriteAsync("k", new MemoryStream(data), null, Token);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        bench.Server.Requests.Where(r => r.Operation == "UploadPart").Select(r => r.PartNumber!.Value).Order().ShouldBe(Enumerable.Range(1, 6).Except(held).Append(1).Order());
    }

    [Fact]
    public async Task An_upload_of_another_class_is_not_continued()
    {
        await using var bench = await S3Bench.StartAsync();
        var data = S3Bench.Data(3 * Part);
        await InterruptAsync(bench, data);
        await bench.Open().WriteAsync("k", new MemoryStream(data), new() { StorageClass = "DEEP_ARCHIVE" }, Token);
        bench.Server.State.Objects(S3Bench.Bucket).ShouldHaveSingleItem().StorageClass.ShouldBe("DEEP_ARCHIVE");
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_continued_upload_does_not_pass_with_stale_metadata()
    {
        await using var bench = await S3Bench.StartAsync();
        var data = S3Bench.Data(3 * Part);
        await InterruptAsync(bench, data, new(StringComparer.Ordinal) { ["mtime"] = "1" });
        var options = new Backup.Engine.Stores.WriteOptions { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["mtime"] = "2" } };
        var store = bench.Open();
        (await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(data), options, Token))).Kind.ShouldBe(FailureKind.ChangedWhileRead);
        await store.WriteAsync("k", new MemoryStream(data), options, Token);
        (await store.HeadAsync("k", null, Token))!.Metadata["mtime"].ShouldBe("2");
    }

    [Fact]
    public async Task A_continued_upload_with_the_same_metadata_passes()
    {
        await using var bench = await S3Bench.StartAsync();
        var data = S3Bench.Data(3 * Part);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["mtime"] = "1", ["name"] = " größe  x" };
        await InterruptAsync(bench, data, metadata);
        bench.Server.ClearRequests();
        await bench.Open().WriteAsync("k", new MemoryStream(data), new() { Metadata = metadata }, Token);
        bench.Count("CreateMultipartUpload").ShouldBe(0);
    }

    [Fact]
    public async Task Two_uploads_of_one_key_leave_one_object_and_no_upload()
    {
        await using var bench = await S3Bench.StartAsync();
        var data = S3Bench.Data(4 * Part);
        await InterruptAsync(bench, data);
        using (var sdk = bench.Sdk())
            await sdk.InitiateMultipartUploadAsync(new() { BucketName = S3Bench.Bucket, Key = "k", ChecksumAlgorithm = Amazon.S3.ChecksumAlgorithm.CRC64NVME }, Token);
        bench.Server.State.Uploads(S3Bench.Bucket).Count.ShouldBe(2);

        var stored = await bench.Open().WriteAsync("k", new MemoryStream(data), null, Token);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
        stored.Size.ShouldBe(data.Length);
    }

    [Fact]
    public async Task An_upload_of_another_tool_with_another_checksum_is_not_continued()
    {
        await using var bench = await S3Bench.StartAsync();
        using (var sdk = bench.Sdk())
            await sdk.InitiateMultipartUploadAsync(new() { BucketName = S3Bench.Bucket, Key = "k", ChecksumAlgorithm = Amazon.S3.ChecksumAlgorithm.CRC32 }, Token);
        var data = S3Bench.Data(2 * Part);
        await bench.Open().WriteAsync("k", new MemoryStream(data), null, Token);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("ListParts")]
    [InlineData("UploadPart")]
    public async Task An_upload_that_vanishes_is_begun_again_or_a_clear_failure(string before)
    {
        await using var bench = await S3Bench.StartAsync();
        var data = S3Bench.Data(4 * Part);
        await InterruptAsync(bench, data);
        var id = bench.Server.State.Uploads(S3Bench.Bucket).Single().UploadId;
        using var sdk = bench.Sdk();
        var aborted = 0;
        bench.Server.Faults.Add(new()
        {
            Match = r =>
            {
                if (r.Operation == before && Interlocked.Exchange(ref aborted, 1) == 0)
                    sdk.AbortMultipartUploadAsync(S3Bench.Bucket, "k", id, Token).GetAwaiter().GetResult();
                return false;
            },
            Action = FaultAction.Hang,
        });

        var store = bench.Open();
        if (before == "UploadPart")
        {
            var failure = await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(data), null, Token));
            failure.Message.ShouldContain("was removed while it was under way");
            failure.Advice!.ShouldContain("run again");
            bench.Server.State.Objects(S3Bench.Bucket).ShouldBeEmpty();
        }

        await store.WriteAsync("k", new MemoryStream(data), null, Token);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "k")).ShouldBe(data);
        bench.Server.State.Uploads(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Fact]
    public async Task Three_hundred_mebibytes_stay_within_the_budget()
    {
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync(o => o with { MemoryBudget = 24 << 20 });
        var length = 300L << 20;
        await store.WriteAsync("k", new OddStream(new byte[length]), new() { Length = length }, Token);
        store.Memory.Peak.ShouldBeLessThanOrEqualTo(24 << 20);
        store.Memory.Used.ShouldBe(0);
        store.Blocks.Allocated.ShouldBeLessThanOrEqualTo(24 << 20);
        bench.Server.State.Objects(S3Bench.Bucket).ShouldHaveSingleItem().Size.ShouldBe(length);
    }

    /// <summary>A run that is cancelled and cannot clean up after itself: as good as killed.</summary>
    /// <returns>The parts that the store holds.</returns>
    private static async Task<List<int>> InterruptAsync(S3Bench bench, byte[] data, Dictionary<string, string>? metadata = null)
    {
        await using var store = bench.Open();
        await store.CheckAsync(forWriting: true, Token);
        bench.Server.Deny = r => r.Operation == "AbortMultipartUpload";
        bench.Server.Faults.Add(new() { Match = r => r.Operation == "UploadPart" && r.PartNumber > 2, Action = FaultAction.Hang, Times = int.MaxValue });
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writing = store.WriteAsync("k", new MemoryStream(data), new() { Metadata = metadata }, cancel.Token);
        while (bench.Server.State.Uploads(S3Bench.Bucket).All(upload => upload.Parts.Count < 2))
            await Task.Delay(10, Token);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(writing);
        bench.Server.Deny = null;
        bench.Server.Faults.Clear();
        return [.. bench.Server.State.Uploads(S3Bench.Bucket).Single().Parts];
    }
}
