using System.Text;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Stores.S3;

namespace Backup.Engine.Tests.Runs;

/// <summary>Runs as the systems write them, and what is left of them when a retention has been at work.</summary>
public sealed class RunPrunerTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>, IAsyncLifetime
{
    private const string System = "confluence";
    private const string Site = "acme.atlassian.net";

    private readonly FakeTime _time = new();
    private readonly string _prefix = $"{Guid.NewGuid():n}/";
    private IObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await OpenAsync(s3.Options);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task What_only_an_expired_run_names_goes_with_it()
    {
        var old = await RunAsync(("a.zip", "old/a.zip"), ("shared.bundle", "shared"));
        var kept = await RunAsync(("a.zip", "new/a.zip"), ("shared.bundle", "shared"));

        (await PruneAsync("1l")).ShouldBe([old.RunId]);
        (await KeysAsync()).ShouldBe([kept.Inventory[0].Key, RunCatalog.ManifestKey(kept), "new/a.zip", "shared"], StringComparer.Ordinal, ignoreOrder: true);
    }

    [Fact]
    public async Task A_segment_that_a_kept_run_is_laid_over_stays()
    {
        var old = await RunAsync(("a", "a"));
        var run = Begin();
        var segment = await run.WriteInventoryAsync([new() { Path = "b", Type = InventoryEntryType.File, Key = "b" }], Token);
        await run.CommitAsync(run.Draft(Outcome.Completed) with { Inventory = [.. old.Inventory, segment] }, Token);

        (await PruneAsync("1l")).ShouldBe([old.RunId]);
        var keys = await KeysAsync();
        keys.ShouldContain(old.Inventory[0].Key, StringComparer.Ordinal);
        keys.ShouldContain("a", StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_locked_run_stays_until_the_lock_is_over()
    {
        s3.Server.State.CreateBucket("locked", "Enabled", objectLock: true);
        await using var locked = await OpenAsync(s3.Options with { ObjectLockMode = "GOVERNANCE", ObjectLockDays = 10 }, "locked");
        _store = locked;
        var old = await RunAsync(("a", "a"));
        await RunAsync(("b", "b"));

        (await PruneAsync("1l")).ShouldBeEmpty();
        (await KeysAsync()).ShouldContain("a", StringComparer.Ordinal);

        _time.Advance(TimeSpan.FromDays(11));
        (await PruneAsync("1l")).ShouldBe([old.RunId]);
        (await KeysAsync()).ShouldNotContain("a", StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_pruning_that_was_cut_short_is_finished_by_the_next()
    {
        var old = await RunAsync(("a", "a"));
        await RunAsync(("b", "b"));
        // As if it had ended before the manifest.
        await foreach (var result in _store.DeleteAsync(new[] { "a", old.Inventory[0].Key }.ToAsyncEnumerable(), Token))
            result.Failure.ShouldBeNull();

        (await PruneAsync("1l")).ShouldBe([old.RunId]);
        (await KeysAsync()).ShouldNotContain(RunCatalog.ManifestKey(old), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Beside_a_manifest_that_cannot_be_read_nothing_is_removed()
    {
        var old = await RunAsync(("a", "a"));
        var newer = await RunAsync(("b", "b"));
        await StoreAsync(RunCatalog.ManifestKey(newer), "{");

        (await Should.ThrowAsync<BackupException>(() => PruneAsync("1l"))).Kind.ShouldBe(FailureKind.Corrupt);
        (await KeysAsync()).ShouldContain(RunCatalog.ManifestKey(old), StringComparer.Ordinal);
        (await KeysAsync()).ShouldContain("a", StringComparer.Ordinal);
    }

    [Fact]
    public async Task Another_source_is_not_touched()
    {
        await RunAsync(("a", "a"));
        await RunAsync(("b", "b"));
        (await new RunPruner(_store, _time).PruneAsync(System, CatalogSource.FromName("other.atlassian.net"), Retention.Parse("1l"), Token)).ShouldBeEmpty();
        (await KeysAsync()).Count.ShouldBe(6);
    }

    private Task<IObjectStore> OpenAsync(StoreOptions options, string bucket = StrictS3Fixture.Bucket) =>
        ObjectStores.OpenAsync(StoreLocation.Parse($"s3://{bucket}/{_prefix}"), options, Token);

    private RunWriter Begin()
    {
        _time.Advance(TimeSpan.FromHours(1));
        return new(_store, System, Site, _time);
    }

    private async Task<RunManifest> RunAsync(params (string Path, string Key)[] objects)
    {
        var run = Begin();
        foreach (var (_, key) in objects)
            await StoreAsync(key, key);
        var segment = await run.WriteInventoryAsync(objects.Select(item => new InventoryEntry { Path = item.Path, Type = InventoryEntryType.File, Key = item.Key, Size = item.Key.Length }), Token);
        return await run.CommitAsync(run.Draft(Outcome.Completed) with { Inventory = [segment], TotalObjects = objects.Length }, Token);
    }

    private async Task StoreAsync(string key, string text) => await _store.WriteAsync(key, new MemoryStream(Encoding.UTF8.GetBytes(text)), null, Token);

    private async Task<string[]> PruneAsync(string retention) =>
        [.. (await new RunPruner(_store, _time).PruneAsync(System, CatalogSource.FromName(Site), Retention.Parse(retention), Token)).Select(run => run.RunId)];

    private async Task<List<string>> KeysAsync() => await _store.ListAsync("", Token).Select(item => item.Key).ToListAsync(Token);
}
