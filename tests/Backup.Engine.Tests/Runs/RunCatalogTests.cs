using System.IO.Compression;
using System.Text;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Stores.Directories;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Runs;

public sealed class RunCatalogTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Began = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.Zero);

    private readonly TemporaryDirectory _directory = new();
    private DirectoryObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _store = await DirectoryObjectStore.OpenAsync(StoreLocation.ForDirectory(_directory.Combine("store")), new() { FlushToDisk = false }, Token);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    // --- Manifests ------------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_manifest_comes_back_as_it_was_committed()
    {
        var catalog = new RunCatalog(_store);
        var manifest = Manifest(Began) with
        {
            Outcome = Outcome.Failed,
            Reason = "one item failed",
            Proofs = ["crc64nvme"],
            Counts = new() { Stored = 1, Updated = 2, Unchanged = 3, Deleted = 4, Failed = 5 },
            Inventory = [new("_catalog/inventories/x", new string('a', 64), 12, 3)],
            Failures = [new("a/b", FailureKind.PermissionDenied, "no")],
            Properties = new Dictionary<string, string>(StringComparer.Ordinal) { ["root"] = "ü" },
        };
        await catalog.CommitAsync(manifest, Token);

        var key = RunCatalog.ManifestKey(manifest);
        key.ShouldBe($"_catalog/runs/folders/{manifest.Source}/20260304T050607Z-{manifest.RunId}.json");
        var back = await catalog.ReadAsync(key, Token);
        System.Text.Json.JsonSerializer.Serialize(back).ShouldBe(System.Text.Json.JsonSerializer.Serialize(manifest));

        var json = await Text(key);
        json.ShouldContain("\"format\": 1");
        json.ShouldContain("\"started\": \"2026-03-04T05:06:07.089+00:00\"");
        json.ShouldContain("\"permissionDenied\"", Case.Insensitive);
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("the zip file ends early", 1)]
    public async Task A_verification_tells_that_the_run_had_failed_and_what_was_damaged_from_the_beginning(string? damage, int problems)
    {
        var run = new RunWriter(_store, "folders", "/srv/a", TimeProvider.System);
        await _store.WriteAsync("a", new MemoryStream([1, 2, 3]), null, Token);
        var segment = await run.WriteInventoryAsync([new() { Path = "a", Type = InventoryEntryType.File, Key = "a", Size = 3, Damage = damage }], Token);
        await run.CommitAsync(run.Draft(Outcome.Failed, "2 items failed.") with { Inventory = [segment], TotalObjects = 1, TotalBytes = 3 }, Token);

        var verification = await RunVerifier.RunAsync(_store.Location, new(), deep: true, cancellationToken: Token).SingleAsync(Token);
        (verification.Problems, verification.Checked, verification.Passed, verification.RunFailure).ShouldBe((problems, 1, problems == 0, "2 items failed."));
    }

    [Fact]
    public async Task A_run_is_committed_once()
    {
        var catalog = new RunCatalog(_store);
        var manifest = Manifest(Began);
        await catalog.CommitAsync(manifest, Token);
        await Fails(FailureKind.AlreadyExists, () => catalog.CommitAsync(manifest with { Outcome = Outcome.Failed }, Token));
        (await catalog.ReadAsync(RunCatalog.ManifestKey(manifest), Token)).Outcome.ShouldBe(Outcome.Completed);
    }

    [Theory]
    [InlineData("", FailureKind.Corrupt)]
    [InlineData("{", FailureKind.Corrupt)]
    [InlineData("[]", FailureKind.Corrupt)]
    [InlineData("null", FailureKind.Corrupt)]
    [InlineData("\"text\"", FailureKind.Corrupt)]
    [InlineData("""{"format":1}""", FailureKind.Corrupt)]
    [InlineData("""{"format":2,"somethingNew":[]}""", FailureKind.NotSupported)]
    public async Task A_manifest_that_is_damaged_or_newer_is_told_apart(string json, FailureKind kind)
    {
        await Store("_catalog/runs/folders/x/20260101T000000Z-0.json", Encoding.UTF8.GetBytes(json));
        (await Fails(kind, () => new RunCatalog(_store).ReadAsync("_catalog/runs/folders/x/20260101T000000Z-0.json", Token))).Message.ShouldContain("20260101T000000Z-0");
    }

    [Fact]
    public async Task Runs_are_listed_newest_first_and_selected()
    {
        var catalog = new RunCatalog(_store);
        (await Ids(new())).ShouldBeEmpty();
        var runs = new List<RunManifest>();
        for (var day = 0; day < 4; day++)
        {
            runs.Add(Manifest(Began.AddDays(day), "/srv/data"));
            runs.Add(Manifest(Began.AddDays(day).AddHours(1), "/srv/other"));
        }
        runs.Add(Manifest(Began.AddDays(2).AddHours(2), "octocat", "github"));
        foreach (var run in runs)
            await catalog.CommitAsync(run, Token);

        (await Ids(new())).ShouldBe(runs.OrderByDescending(r => r.Started).Select(r => r.RunId));
        (await Ids(new() { System = "github" })).ShouldBe([runs[8].RunId]);
        (await Ids(new() { System = "maven" })).ShouldBeEmpty();
        (await Ids(new() { SourceName = "/srv/d*" })).ShouldBe([runs[6].RunId, runs[4].RunId, runs[2].RunId, runs[0].RunId]);
        (await Ids(new() { RunIds = [runs[3].RunId] })).ShouldBe([runs[3].RunId]);
        (await Ids(new() { Since = Began.AddDays(3) })).ShouldBe([runs[7].RunId, runs[6].RunId]);
        (await Ids(new() { Until = Began.AddMinutes(30) })).ShouldBe([runs[0].RunId]);
        (await Ids(new() { LatestOnly = true })).ShouldBe([runs[7].RunId, runs[6].RunId, runs[8].RunId]);

        (await catalog.FindLatestAsync("folders", runs[0].Source, null, Token))!.RunId.ShouldBe(runs[6].RunId);
        (await catalog.FindLatestAsync("folders", runs[0].Source, Began.AddDays(1).AddHours(5), Token))!.RunId.ShouldBe(runs[2].RunId);
        (await catalog.FindLatestAsync("folders", runs[0].Source, Began.AddDays(-1), Token)).ShouldBeNull();
        (await catalog.FindLatestAsync("folders", "nobody", null, Token)).ShouldBeNull();

        async Task<List<string>> Ids(RunQuery query) => await catalog.ListAsync(query, Token).Select(r => r.RunId).ToListAsync(Token);
    }

    [Fact]
    public void Run_ids_are_twelve_hexadecimal_digits_and_do_not_repeat()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => RunCatalog.NewRunId(Began)).ToList();
        ids.ShouldAllBe(id => id.Length == 12 && id.All(char.IsAsciiHexDigitLower));
        ids.Distinct(StringComparer.Ordinal).Count().ShouldBe(1000);
    }

    [Theory]
    [InlineData("/srv/data", "srv-data-")]
    [InlineData("C:\\Users\\Zoë\\Docs", "c-users-zo-docs-")]
    [InlineData("日本", "")]
    [InlineData("---", "")]
    public void A_source_slug_is_readable_and_unique(string name, string begin)
    {
        var slug = CatalogSource.FromName(name);
        slug.ShouldStartWith(begin);
        slug.Length.ShouldBe(begin.Length + 8);
        slug.ShouldBe(CatalogSource.FromName(name));
        (slug == CatalogSource.FromName(name + " ")).ShouldBeFalse();
        CatalogSource.FromName(new string('x', 300)).Length.ShouldBe(49);
    }

    // --- Inventories ----------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_later_segment_overrides_an_earlier_one_and_a_tombstone_removes()
    {
        var first = await Segment("1", File("a", 1), File("b", 1), File("c", 1), File("d/x", 1), File("\uFF5E", 1), File("😀", 1));
        var second = await Segment("2", File("b", 2), Gone("c"), File("d", 2), File("e", 2));
        var third = await Segment("3", Gone("a"), File("c", 3), Gone("e"), Gone("never there"), File("😀", 3));

        (await Read(first, second, third)).ShouldBe([("b", 2L), ("c", 3L), ("d", 2L), ("d/x", 1L), ("\uFF5E", 1L), ("😀", 3L)]);
        (await Read(first)).Count.ShouldBe(6);
        (await Read()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_entry_comes_back_as_it_was_written_and_nulls_are_left_out()
    {
        var entry = new InventoryEntry
        {
            Path = "ü/\n\"x\"",
            Type = InventoryEntryType.File,
            Key = "k",
            Size = long.MaxValue,
            Sha256 = new string('b', 64),
            Checksum = "crc64nvme:AAAAAAAAAAA=",
            Version = "v",
            StorageClass = "DEEP_ARCHIVE",
            Mtime = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1234567),
            Mode = "0644",
        };
        var link = new InventoryEntry { Path = "ü/z", Type = InventoryEntryType.Symlink, Target = "../a" };
        var segment = await Segment("1", entry, link);
        (await InventoryReader.ReadAsync(_store, [segment], Token).ToListAsync(Token)).ShouldBe([entry, link]);

        using var gzip = new GZipStream(new MemoryStream(await Bytes(segment.Key)), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        var lines = (await reader.ReadToEndAsync(Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(2);
        lines[0].ShouldContain("\"mtime\":\"2026-01-02T03:04:05.1234567Z\"");
        lines[0].ShouldContain("\"class\":\"DEEP_ARCHIVE\"");
        lines[1].ShouldNotContain("null");
        lines[1].ShouldNotContain("mtime");
    }

    [Theory]
    [InlineData("b", "a")]
    [InlineData("a", "a")]
    [InlineData("😀", "\uFF5E")]
    public async Task Entries_out_of_order_are_refused_and_nothing_is_stored(string first, string second)
    {
        await using (var writer = InventoryWriter.Start(_store, "inventory", Token))
        {
            await writer.AddAsync(File(first, 1), Token);
            await Should.ThrowAsync<InvalidOperationException>(async () => await writer.AddAsync(File(second, 1), Token));
        }
        (await _store.HeadAsync("inventory", null, Token)).ShouldBeNull();
    }

    [Fact]
    public async Task A_damaged_segment_is_corrupt()
    {
        var segment = await Segment("1", [.. Enumerable.Range(0, 5000).Select(i => File($"{i:d6}", i))]);
        var good = await Bytes(segment.Key);

        await Damage(good[..^1]);
        await Damage(good[..(good.Length / 2)]);
        await Damage([]);
        await Damage([.. good, 0]);
        await Damage(Encoding.UTF8.GetBytes("no gzip at all"));
        var flipped = good.ToArray();
        flipped[good.Length / 2] ^= 1;
        await Damage(flipped);
        await Damage(Gzip("{\"path\":\"a\",\"type\":\"file\"}\n"));
        await Damage(Gzip("not json\n"));

        await Store(segment.Key, good);
        (await Read(segment)).Count.ShouldBe(5000);
        await Fails(FailureKind.Corrupt, () => Read(segment with { Sha256 = new string('0', 64) }));
        await Fails(FailureKind.Corrupt, () => Read(segment with { Entries = 4999 }));
        await _store.DeleteAsync(((string[])[segment.Key]).ToAsyncEnumerable(), Token).ToListAsync(Token);
        await Fails(FailureKind.NotFound, () => Read(segment));

        async Task Damage(byte[] content)
        {
            await Store(segment.Key, content);
            await Fails(FailureKind.Corrupt, () => Read(segment));
        }
    }

    [Fact]
    public async Task A_store_that_fails_ends_the_writer()
    {
        await Store("blocked", [1]);
        await using var failing = await DirectoryObjectStore.OpenAsync(StoreLocation.ForDirectory(_directory.Combine("other")), null, Token);
        await failing.WriteAsync("x", new MemoryStream([1]), null, Token);
        Directory.Delete(_directory.Combine("other"), recursive: true);
        await using var writer = InventoryWriter.Start(failing, "inventory", Token);
        await Should.ThrowAsync<BackupException>(async () =>
        {
            for (var i = 0; i < 1_000_000; i++)
                await writer.AddAsync(File($"{i:d9}", i), Token);
            await writer.CompleteAsync(Token);
        });
    }

    [Fact]
    public async Task A_hundred_thousand_entries_are_streamed_in_little_memory()
    {
        const int Count = 100_000;
        await Segment("warm", File("a", 1));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        InventorySegment segment;
        await using (var writer = InventoryWriter.Start(_store, "big", Token))
        {
            for (var i = 0; i < Count; i++)
                await writer.AddAsync(File($"some/directory/with/a/name/{i:d9}.bin", i), Token);
            (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(8 << 20);
            segment = await writer.CompleteAsync(Token);
        }
        segment.Entries.ShouldBe(Count);

        var update = await Segment("update", [.. Enumerable.Range(0, 1000).Select(i => Gone($"some/directory/with/a/name/{i * 100:d9}.bin"))]);
        var read = 0;
        await foreach (var entry in InventoryReader.ReadAsync(_store, [segment, update], Token))
        {
            entry.Type.ShouldBe(InventoryEntryType.File);
            if (++read == Count / 2)
                (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(8 << 20);
        }
        read.ShouldBe(Count - 1000);
    }

    private static InventoryEntry File(string path, long size) =>
        new() { Path = path, Type = InventoryEntryType.File, Key = "data/" + path, Size = size, Sha256 = new string('c', 64) };

    private static InventoryEntry Gone(string path) => new() { Path = path, Type = InventoryEntryType.Deleted };

    private static RunManifest Manifest(DateTimeOffset started, string sourceName = "/srv/data", string system = "folders") => new()
    {
        RunId = RunCatalog.NewRunId(started),
        System = system,
        Source = CatalogSource.FromName(sourceName),
        SourceName = sourceName,
        Host = "host",
        ModuleVersion = "1.0.0",
        Started = started,
        Finished = started.AddMinutes(10),
        Outcome = Outcome.Completed,
    };

    private static byte[] Gzip(string text)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return buffer.ToArray();
    }

    private static async Task<BackupException> Fails(FailureKind kind, Func<Task> action)
    {
        var failure = await Should.ThrowAsync<BackupException>(action);
        failure.Kind.ShouldBe(kind, failure.Message);
        return failure;
    }

    private async Task<InventorySegment> Segment(string name, params InventoryEntry[] entries)
    {
        await using var writer = InventoryWriter.Start(_store, RunCatalog.InventoryKey("folders", "source", Began, name), Token);
        foreach (var entry in entries)
            await writer.AddAsync(entry, Token);
        var segment = await writer.CompleteAsync(Token);
        segment.Entries.ShouldBe(entries.Length);
        return segment;
    }

    private async Task<List<(string Path, long Size)>> Read(params InventorySegment[] segments) =>
        await InventoryReader.ReadAsync(_store, segments, Token).Select(e => (e.Path, e.Size)).ToListAsync(Token);

    private Task<StoredObject> Store(string key, byte[] content) => _store.WriteAsync(key, new MemoryStream(content), null, Token);

    private async Task<byte[]> Bytes(string key)
    {
        await using var content = await _store.ReadAsync(key, null, Token);
        using var buffer = new MemoryStream();
        await content.Stream.CopyToAsync(buffer, Token);
        return buffer.ToArray();
    }

    private async Task<string> Text(string key) => Encoding.UTF8.GetString(await Bytes(key));
}
