using Backup.Engine.Folders;
using Backup.Engine.Reports;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Reports;

/// <summary>What a verification found, kept in the catalog, and what freshness makes of it.</summary>
public sealed class VerificationRecordTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTime _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private StoreLocation Location => StoreLocation.ForDirectory(_directory.Combine("store"));

    private StoreOptions Options => new() { Time = _time };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_verification_is_recorded_only_where_that_is_asked_for()
    {
        await BackUpAsync();
        await VerifyAsync(deep: true, record: false);
        (await ReadAsync()).LastVerified.ShouldBeNull();
        Marks().ShouldBeEmpty();

        await VerifyAsync(deep: false);
        var source = await ReadAsync();
        (source.LastVerified, source.VerifiedDeep, source.VerifiedRunId).ShouldBe((_time.GetUtcNow(), false, source.LastGoodRunId));
        Marks().ShouldHaveSingleItem().ShouldEndWith($"{source.LastGoodRunId}.quick.json");
    }

    [Fact]
    public async Task A_run_that_was_found_damaged_is_not_good_until_it_is_found_whole_again()
    {
        await BackUpAsync();
        var file = Directory.GetFiles(_directory.Combine("store"), "a.txt", SearchOption.AllDirectories).ShouldHaveSingleItem();
        var whole = await File.ReadAllTextAsync(file, Token);
        await DamageAsync(file, "ALPHA");
        await VerifyAsync(deep: true);

        var source = await ReadAsync();
        source.IsFresh.ShouldBeFalse();
        source.LastVerified.ShouldBeNull();
        source.Reason.ShouldNotBeNull().ShouldContain("damaged");

        // Size and recorded checksum are still right: a quick look must not clear what a deep one found.
        _time.Advance(TimeSpan.FromMinutes(1));
        await VerifyAsync(deep: false);
        (await ReadAsync()).IsFresh.ShouldBeFalse();

        await DamageAsync(file, whole);
        _time.Advance(TimeSpan.FromMinutes(1));
        await VerifyAsync(deep: true);
        source = await ReadAsync();
        source.State.ShouldBe(SourceState.Fresh);
        (source.LastVerified, source.VerifiedDeep).ShouldBe((_time.GetUtcNow(), true));
    }

    [Fact]
    public async Task A_deep_verification_clears_what_an_earlier_quick_one_missed()
    {
        await BackUpAsync();
        var file = Directory.GetFiles(_directory.Combine("store"), "a.txt", SearchOption.AllDirectories).ShouldHaveSingleItem();
        File.Move(file, file + ".away");
        await VerifyAsync(deep: false);
        (await ReadAsync()).IsFresh.ShouldBeFalse();

        File.Move(file + ".away", file);
        _time.Advance(TimeSpan.FromMinutes(1));
        await VerifyAsync(deep: true);
        (await ReadAsync()).IsFresh.ShouldBeTrue();
    }

    [Fact]
    public async Task A_verification_can_be_required_and_grows_old()
    {
        await BackUpAsync();
        var source = await ReadAsync(TimeSpan.FromDays(30));
        (source.State, source.Reason!.Contains("No verification", StringComparison.Ordinal)).ShouldBe((SourceState.Stale, true));

        await VerifyAsync(deep: true);
        (await ReadAsync(TimeSpan.FromDays(30))).State.ShouldBe(SourceState.Fresh);

        _time.Advance(TimeSpan.FromDays(31));
        source = await ReadAsync(TimeSpan.FromDays(30));
        (source.State, source.Reason!.Contains("last verified", StringComparison.Ordinal)).ShouldBe((SourceState.Stale, true));
    }

    [Fact]
    public async Task Marks_go_with_their_run()
    {
        await using var store = await ObjectStores.OpenAsync(Location, Options, Token);
        var old = await RunAsync(store);
        await VerifyAsync(deep: true);
        _time.Advance(TimeSpan.FromHours(1));
        await RunAsync(store);
        await VerifyAsync(deep: true);

        Marks().Length.ShouldBe(2);
        (await new RunPruner(store, _time).PruneAsync("jira", old.Source, Retention.Parse("1l"), Token)).Select(run => run.RunId).ShouldBe([old.RunId]);
        Marks().ShouldHaveSingleItem().ShouldNotContain(old.RunId);
    }

    private async Task BackUpAsync()
    {
        Directory.CreateDirectory(_directory.Combine("source"));
        await File.WriteAllTextAsync(_directory.Combine("source", "a.txt"), "alpha", Token);
        var options = new FolderSyncOptions { Paths = [_directory.Combine("source")], Destination = Location, CachePath = _directory.Combine("cache"), Store = Options };
        await foreach (var output in FolderSync.RunAsync(options, null, Token))
            output.ShouldBeOfType<FolderSyncResult>().Outcome.ShouldBe(Outcome.Completed);
    }

    private async Task<RunManifest> RunAsync(IObjectStore store)
    {
        var run = new RunWriter(store, "jira", "acme.atlassian.net", _time);
        return await run.CommitAsync(run.Draft(Outcome.Completed) with { Inventory = [await run.WriteInventoryAsync([], Token)] }, Token);
    }

    private async Task DamageAsync(string file, string text)
    {
        File.SetAttributes(file, FileAttributes.Normal);
        var time = File.GetLastWriteTimeUtc(file);
        await File.WriteAllTextAsync(file, text, Token);
        File.SetLastWriteTimeUtc(file, time);
    }

    private async Task VerifyAsync(bool deep, bool record = true) =>
        await RunVerifier.RunAsync(Location, new(), deep, Options, null, record, Token).SingleAsync(Token);

    private async Task<SourceReport> ReadAsync(TimeSpan? maxVerificationAge = null)
    {
        var options = new ReportOptions { Destinations = [new(Location, [])], Interval = TimeSpan.FromDays(100), MaxVerificationAge = maxVerificationAge, Store = Options };
        return (await BackupReports.RunAsync(options, null, Token).SingleAsync(Token)).Sources.ShouldHaveSingleItem();
    }

    private string[] Marks() => Directory.Exists(_directory.Combine("store", "_catalog", "verified")) ? Directory.GetFiles(_directory.Combine("store", "_catalog", "verified"), "*.json", SearchOption.AllDirectories) : [];
}
