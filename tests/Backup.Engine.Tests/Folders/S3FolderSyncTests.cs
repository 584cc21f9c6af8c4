using System.Runtime.Versioning;
using Backup.Engine.Folders;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Folders;

/// <summary>
/// A folder in the strict S3, with all that only S3 has: requests to count, classes, archives and refusals. Each test has a server of its own,
/// because some of them move the storage's clock.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class S3FolderSyncTests : FolderSyncContract, IAsyncLifetime
{
    private readonly StrictS3Fixture _fixture = new();
    private readonly string _prefix = $"folders-{Guid.NewGuid():n}/";

    private StrictS3Server Server => _fixture.Server;

    private protected override FolderPlace NewPlace() => new(StoreLocation.ForBucket(StrictS3Fixture.Bucket, _prefix), _fixture.Options);

    protected override IReadOnlyList<string> TakeRequests()
    {
        var data = _prefix + Place.Source[1..];
        var names = Server.Requests.Select(request => request.Operation + (request.Key?.StartsWith(data, StringComparison.Ordinal) == false ? " of the catalog" : "")).ToList();
        Server.ClearRequests();
        return names;
    }

    private protected override Task DamageAsync(string path)
    {
        Server.State.FlipByte(StrictS3Fixture.Bucket, Key(path));
        return Task.CompletedTask;
    }

    public ValueTask InitializeAsync() => _fixture.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _fixture.DisposeAsync();
    }

    private string Key(string path) => $"{_prefix}{Place.Source[1..]}/{path}";

    private List<StoredVersion> Versions => [.. Server.State.Versions(StrictS3Fixture.Bucket).Where(version => version.Key.StartsWith(_prefix, StringComparison.Ordinal))];

    [Fact]
    public async Task Data_goes_into_the_archive_by_default_and_the_catalog_never()
    {
        Place.Write("a");
        await Place.SyncedAsync(o => o with { StorageClass = null });
        Versions.ShouldAllBe(version => version.StorageClass == (version.Key.Contains("/_catalog/") ? "STANDARD" : "DEEP_ARCHIVE"));
        Versions.Count.ShouldBe(3);
        Place.Write("b");
        await Place.SyncedAsync(o => o with { StorageClass = "glacier_ir" });
        Versions.Single(version => version.Key == Key("b")).StorageClass.ShouldBe("GLACIER_IR");
        (await Place.VerifyAsync(deep: false)).Passed.ShouldBeTrue();
        var deep = await Place.VerifyAsync(deep: true);
        (deep.Passed, deep.Archived, deep.Problems).ShouldBe((false, 1, 0));
    }

    [Fact]
    public async Task Archived_files_are_asked_for_waited_for_and_given_back()
    {
        Place.Write("a");
        Place.Write("b/c");
        await Place.SyncedAsync(o => o with { StorageClass = null });
        var copy = Place["copy"];
        var (first, _) = await Place.RestoreAsync(copy, o => o with { Include = ["a"], Days = 1, Tier = RestoreTier.Standard });
        (first.Outcome, first.Deferred, first.Restored).ShouldBe((Outcome.Deferred, 1, 0));
        Server.AdvanceStorageTime(TimeSpan.FromHours(1));
        (await Place.RestoreAsync(copy, o => o with { Include = ["a"] })).Summary.Restored.ShouldBe(1);

        // A copy that expired while nobody looked is asked for again.
        Server.AdvanceStorageTime(TimeSpan.FromDays(3));
        Directory.Delete(copy, recursive: true);
        var polled = 0;
        var waiting = Place.RestoreAsync(copy, o => o with { Wait = true, Days = 1, PollInterval = TimeSpan.FromMilliseconds(20), Logger = new Listener(Advance) });
        var (summary, items) = await waiting;
        items.ShouldBeEmpty();
        (summary.Outcome, summary.Restored, summary.Deferred).ShouldBe((Outcome.Completed, 2, 0));
        polled.ShouldBeGreaterThanOrEqualTo(3);
        Server.Requests.Count(request => request.Operation == "RestoreObject").ShouldBeGreaterThanOrEqualTo(5);
        FolderPlace.ShouldBeSame(Place.Source, copy);

        // Asked for, then (nobody having looked in time) expired, asked for again, and readable.
        void Advance(string message)
        {
            if (message.Contains("not readable yet", StringComparison.Ordinal))
                Server.AdvanceStorageTime(++polled == 1 ? TimeSpan.FromDays(10) : polled == 2 ? TimeSpan.FromSeconds(1) : TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public async Task Waiting_has_an_end()
    {
        Place.Write("a");
        await Place.SyncedAsync(o => o with { StorageClass = null });
        var failure = await Should.ThrowAsync<BackupException>(() => Place.RestoreAsync(
            Place["copy"],
            o => o with { Wait = true, Timeout = TimeSpan.FromMilliseconds(60), PollInterval = TimeSpan.FromMilliseconds(25) }));
        failure.Kind.ShouldBe(FailureKind.TimedOut);
        failure.Advice!.ShouldContain("-Resume");
    }

    [Fact]
    public async Task In_a_locked_bucket_everything_is_locked_and_the_backup_goes_on()
    {
        Server.State.CreateBucket("locked", "Enabled", objectLock: true);
        using var place = new FolderPlace(StoreLocation.ForBucket("locked"), _fixture.Options with { ObjectLockMode = "COMPLIANCE", ObjectLockDays = 30, PartSize = 5 << 20 });
        place.Write("small", "first");
        place.Write("gone");
        File.WriteAllBytes(place.Source + "/in parts", new byte[11 << 20]);
        await place.SyncedAsync();
        await using var store = await ObjectStores.OpenAsync(place.Location, _fixture.Options, Token);
        await foreach (var item in store.ListAsync("", Token))
            (await store.HeadAsync(item.Key, null, Token))!.LockedUntil!.Value.ShouldBe(DateTimeOffset.UtcNow.AddDays(30), TimeSpan.FromMinutes(5), item.Key);

        // A lock holds versions: a newer one and a delete marker may be laid over them.
        place.Write("small", "second");
        File.Delete(place.Source + "/gone");
        var second = await place.SyncedAsync();
        (second.Changed, second.Deleted).ShouldBe((1, 1));
        await place.ShouldComeBackAsync();
        Server.State.Versions("locked").Count(version => version.Key.EndsWith("/small", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData("Enabled", 0)]
    [InlineData(null, 1)]
    public async Task A_bucket_without_versions_is_told_at_the_backup(string? versioning, int warnings)
    {
        Server.State.CreateBucket("plain", versioning);
        using var place = new FolderPlace(StoreLocation.ForBucket("plain"), _fixture.Options);
        var heard = new List<string>();
        place.Write("a");
        await place.SyncedAsync(o => o with { Logger = new Listener(heard.Add) });
        heard.Count(line => line.Contains("keeps no versions", StringComparison.Ordinal)).ShouldBe(warnings);

        // New files overwrite nothing: it was said once, and is said again when something is lost.
        place.Write("b");
        await place.SyncedAsync(o => o with { Logger = new Listener(heard.Add) });
        heard.Count(line => line.Contains("keeps no versions", StringComparison.Ordinal)).ShouldBe(warnings);
        place.Write("a", "changed");
        await place.SyncedAsync(o => o with { Logger = new Listener(heard.Add) });
        heard.Count(line => line.Contains("keeps no versions", StringComparison.Ordinal)).ShouldBe(2 * warnings);
    }

    [Fact]
    public async Task What_waits_is_told_from_what_happens_to_have_its_size_and_time()
    {
        var file = Place.Write("a", "stored");
        Place.Write("gone");
        await Place.SyncedAsync(o => o with { StorageClass = null });
        var version = Versions.Single(v => v.Key == Key("gone"));
        var copy = Directory.CreateDirectory(Place["copy"]).FullName;
        var other = Path.Combine(copy, "a");
        await File.WriteAllTextAsync(other, "rotten", Token);
        File.SetLastWriteTimeUtc(other, File.GetLastWriteTimeUtc(file));
        Server.Deny = request => request.Key == version.Key;

        var (summary, items) = await Place.RestoreAsync(copy, o => o with { Wait = true, PollInterval = TimeSpan.FromMilliseconds(5), Logger = new Listener(message => Server.AdvanceStorageTime(TimeSpan.FromSeconds(4))) });
        (summary.Outcome, summary.Restored, summary.Failed).ShouldBe((Outcome.Failed, 1, 1));
        items.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.PermissionDenied);
        (await File.ReadAllTextAsync(other, Token)).ShouldBe("stored");
    }

    [Fact]
    public async Task A_run_that_could_not_write_its_manifest_owes_it()
    {
        Place.Write("a");
        Server.Deny = request => request.Method == "PUT" && request.Key?.Contains("_catalog/runs/", StringComparison.Ordinal) == true;
        var failed = await Place.SyncAsync();
        (failed.Outcome, failed.RunId).ShouldBe((Outcome.Failed, null));
        failed.Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.PermissionDenied);
        (await Place.RunsAsync()).ShouldBeEmpty();

        Server.Deny = null;
        TakeRequests();
        var owed = await Place.SyncedAsync();
        (owed.New, owed.Bytes).ShouldBe((0, 0));
        (await Place.RunsAsync()).ShouldHaveSingleItem().RunId.ShouldBe(owed.RunId);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_store_whose_clock_is_ahead_is_not_asked_for_each_object_when_the_cache_is_lost()
    {
        Server.AdvanceStorageTime(TimeSpan.FromHours(1));
        for (var i = 0; i < 20; i++)
            Place.Write($"f{i}");
        await Place.SyncedAsync();
        Place.LoseCache();
        Server.ClearRequests();
        (await Place.SyncedAsync()).Adopted.ShouldBe(20);
        Server.Requests.ShouldNotContain(request => request.Operation == "HeadObject" && request.Key!.StartsWith(Key(""), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_renamed_file_that_cannot_be_stored_keeps_the_object_it_was()
    {
        var old = Place.Write("old-name");
        Place.Write("other");
        await Place.SyncedAsync();
        File.Move(old, Path.Combine(Place.Source, "new-name"));
        Server.Deny = request => request.Method == "PUT" && request.Key == Key("new-name");

        var result = await Place.SyncAsync(o => o with { MaxDeletePercent = 100 });
        (result.Outcome, result.Deleted).ShouldBe((Outcome.Failed, 0));
        result.Failures.Select(failure => failure.Kind).ShouldBe([FailureKind.PermissionDenied, FailureKind.DeletionRefused], ignoreOrder: true);
        Versions.ShouldContain(version => version.Key == Key("old-name") && version.IsLatest && !version.IsDeleteMarker);

        Server.Deny = null;
        (await Place.SyncedAsync(o => o with { MaxDeletePercent = 100 })).Deleted.ShouldBe(1);
    }

    [Fact]
    public async Task A_damaged_manifest_is_left_out_of_the_list_and_never_passed_over_by_a_restore()
    {
        Place.Write("a");
        await Place.SyncedAsync();
        Place.Write("b");
        await Place.SyncedAsync();
        var newest = (await Place.RunsAsync())[0];
        Server.State.FlipByte(StrictS3Fixture.Bucket, _prefix + newest.ManifestKey);

        (await Place.RunsAsync()).ShouldHaveSingleItem().RunId.ShouldNotBe(newest.RunId, StringComparer.Ordinal);
        await Should.ThrowAsync<BackupException>(() => Place.RestoreAsync(Place["copy"]));
    }

    [Fact]
    public async Task Access_denied_on_one_object_is_one_failure()
    {
        for (var i = 0; i < 5; i++)
            Place.Write($"f{i}");
        Server.Deny = request => request.Key == Key("f3");
        var result = await Place.SyncAsync();
        (result.Outcome, result.New, result.Failed).ShouldBe((Outcome.Failed, 4, 1));
        var failure = result.Failures.ShouldHaveSingleItem();
        (failure.Item, failure.Kind).ShouldBe(("f3", FailureKind.PermissionDenied));
        (await Place.ManifestAsync()).Counts.Failed.ShouldBe(1);

        // Neither does it stand in the way of a cache that is rebuilt.
        Server.Deny = null;
        await Place.SyncedAsync();
        await File.WriteAllTextAsync(Path.Combine(Place.Source, "f4"), "CONTENT", Token);
        Place.LoseCache();
        Server.Deny = request => request.Method == "HEAD" && request.Key == Key("f4");
        (await Place.SyncedAsync()).Changed.ShouldBe(1);
    }

    [Fact]
    public async Task A_deletion_that_is_refused_by_the_store_is_tried_again()
    {
        for (var i = 0; i < 3; i++)
            Place.Write($"f{i}");
        await Place.SyncedAsync();
        File.Delete(Path.Combine(Place.Source, "f0"));
        Server.Deny = request => request.Operation == "DeleteObjects";
        var result = await Place.SyncAsync();
        (result.Outcome, result.Deleted, result.Failed).ShouldBe((Outcome.Failed, 0, 1));
        (await Place.InventoryAsync()).Count.ShouldBe(3, "It is stored still.");
        Server.Deny = null;
        (await Place.SyncedAsync()).Deleted.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_became_a_link_leaves_no_object_even_where_the_store_first_refuses()
    {
        var file = Place.Write("x");
        Place.Write("y");
        await Place.SyncedAsync();
        File.Delete(file);
        File.CreateSymbolicLink(file, "y");
        Server.Deny = request => request.Operation == "DeleteObjects";
        (await Place.SyncAsync()).Failed.ShouldBe(1);
        Server.Deny = null;
        await Place.SyncedAsync();
        (await Place.ObjectsAsync()).ShouldBe(["y"]);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_and_credentials_that_expire_end_the_run_once()
    {
        for (var i = 0; i < 30; i++)
            Place.Write($"f{i}");
        var options = Place.Options;
        (await Should.ThrowAsync<BackupException>(() => FolderPlace.RunAsync(options with { Destination = StoreLocation.ForBucket("no-such-bucket") }))).Kind.ShouldBe(FailureKind.NotFound);
        await Place.SyncedAsync();
        for (var i = 0; i < 30; i++)
            Place.Write($"f{i}", "edited");
        Server.Faults.Add(new Fault { Match = request => request.Operation == "PutObject", Action = FaultAction.Status(403, "ExpiredToken"), Times = int.MaxValue });
        var outputs = new List<FolderSyncOutput>();
        var failure = await Should.ThrowAsync<BackupException>(async () =>
        {
            await foreach (var output in FolderSync.RunAsync(options, cancellationToken: Token))
                outputs.Add(output);
        });
        failure.Kind.ShouldBe(FailureKind.CredentialsExpired);
        outputs[^1].ShouldBeOfType<FolderSyncResult>().Outcome.ShouldBe(Outcome.Failed);
        Server.Faults.Clear();
        (await Place.SyncedAsync()).Changed.ShouldBe(30);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_listing_that_breaks_off_adopts_nothing_and_deletes_nothing()
    {
        for (var i = 0; i < 5; i++)
            Place.Write($"f{i}");
        await Place.SyncedAsync();
        Place.LoseCache();
        Server.Deny = request => request.Operation == "ListObjectsV2" && request.Query.Contains("source", StringComparison.Ordinal);
        (await Place.SyncAsync()).Outcome.ShouldBe(Outcome.Failed);
        Server.Deny = null;
        (await Place.SyncedAsync()).Adopted.ShouldBe(5);
        Versions.ShouldNotContain(version => version.IsDeleteMarker);
    }

    [Fact]
    public async Task Truncated_and_missing_objects_are_found_without_reading_them()
    {
        Place.Write("whole");
        Place.Write("gone");
        Place.Write("short", "0123456789");
        await Place.SyncedAsync();
        await using (var unversioned = await Place.OpenStoreAsync())
        {
            var entries = await Place.InventoryAsync();
            var manifest = await Place.ManifestAsync();
            // The same run, of a store that keeps no versions.
            await using var writer = InventoryWriter.Start(unversioned, "_catalog/inventories/folders/x/current.jsonl.gz", Token);
            foreach (var entry in entries)
                await writer.AddAsync(entry with { Version = null }, Token);
            await new RunCatalog(unversioned).CommitAsync(manifest with { RunId = "fff000000000", Inventory = [await writer.CompleteAsync(Token)] }, Token);
            await unversioned.DeleteAsync(new[] { Place.Source[1..] + "/gone" }.ToAsyncEnumerable(), Token).ToListAsync(Token);
            await unversioned.WriteAsync(Place.Source[1..] + "/short", new MemoryStream("01234"u8.ToArray()), null, Token);
        }

        TakeRequests();
        var quick = await Place.VerifyAsync(deep: false, "fff000000000");
        quick.Details.Select(problem => (problem.Path, problem.Kind)).Order().ShouldBe([("gone", FailureKind.NotFound), ("short", FailureKind.LengthMismatch)]);
        TakeRequests().Any(name => name == "GetObject").ShouldBeFalse();
        var (summary, _) = await Place.RestoreAsync(Place["copy"], o => o with { RunId = "fff000000000" });
        (summary.Restored, summary.Failed).ShouldBe((1, 2));
    }
}
