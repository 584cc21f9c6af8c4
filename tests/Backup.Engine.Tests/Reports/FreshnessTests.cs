using Backup.Engine.Reports;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Tests.Reports;

/// <summary>What counts as fresh. In doubt nothing does.</summary>
public sealed class FreshnessTests : IAsyncDisposable
{
    private const string Source = "/srv/images";

    private readonly CatalogPlace _place = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _place.DisposeAsync();

    [Theory]
    [InlineData(23, SourceState.Fresh)]
    [InlineData(24, SourceState.Fresh)]
    [InlineData(25, SourceState.Stale)]
    public async Task A_source_is_fresh_until_its_newest_good_run_is_older_than_its_interval(int hours, SourceState state)
    {
        await _place.RunAsync(Source, TimeSpan.FromHours(hours));
        var source = await _place.ReadSourceAsync();
        source.State.ShouldBe(state);
        source.IsFresh.ShouldBe(state == SourceState.Fresh);
        source.Age.ShouldBe(TimeSpan.FromHours(hours));
        (source.Reason is null).ShouldBe(source.IsFresh);
    }

    [Theory]
    [InlineData(Outcome.Completed, true)]
    [InlineData(Outcome.Unchanged, true)]
    [InlineData(Outcome.Adopted, true)]
    [InlineData(Outcome.Failed, false)]
    [InlineData(Outcome.Skipped, false)]
    [InlineData(Outcome.Deferred, false)]
    public async Task Only_a_whole_run_is_good(Outcome outcome, bool good)
    {
        await _place.RunAsync(Source, TimeSpan.FromHours(1), outcome);
        (await _place.ReadSourceAsync()).IsFresh.ShouldBe(good);
    }

    [Fact]
    public async Task A_source_that_fails_since_is_failing_and_then_stale()
    {
        var good = await _place.RunAsync(Source, TimeSpan.FromHours(20));
        await _place.RunAsync(Source, TimeSpan.FromHours(1), Outcome.Failed);

        var source = await _place.ReadSourceAsync();
        source.State.ShouldBe(SourceState.Failing);
        source.LastGoodRunId.ShouldBe(good.RunId);
        source.LastOutcome.ShouldBe(Outcome.Failed);
        source.Reason.ShouldNotBeNull().ShouldContain("2 items failed.");

        _place.Time.Advance(TimeSpan.FromHours(5));
        source = await _place.ReadSourceAsync();
        source.State.ShouldBe(SourceState.Stale);
        source.Reason.ShouldNotBeNull().ShouldContain("2 items failed.");
    }

    [Fact]
    public async Task A_source_that_is_expected_and_was_never_backed_up_is_missing()
    {
        await _place.RunAsync(Source, TimeSpan.FromHours(1));
        var report = await _place.ReadAsync(null, "*", "jira", "/srv/mail");
        report.Sources.Select(source => (source.SourceName, source.State)).ShouldBe([(Source, SourceState.Fresh), ("jira", SourceState.Missing), ("/srv/mail", SourceState.Missing)]);
        report.Sources[1].System.ShouldBe("jira");
        report.Sources[1].IsFresh.ShouldBeFalse();
    }

    [Fact]
    public async Task An_expected_source_in_an_empty_destination_is_missing()
    {
        await _place.WriteAsync("something.txt", "else");
        (await _place.ReadSourceAsync(null, "folders")).State.ShouldBe(SourceState.Missing);
    }

    [Fact]
    public async Task A_destination_without_runs_is_a_failure()
    {
        await _place.WriteAsync("something.txt", "else");
        var report = await _place.ReadAsync();
        report.Kind.ShouldBe(FailureKind.NotFound);
        report.Sources.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_destination_that_is_not_there_is_a_failure_and_the_next_is_read()
    {
        await _place.RunAsync(Source, TimeSpan.FromHours(1));
        var gone = StoreLocation.ForDirectory(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString()));
        var reports = await BackupReports.RunAsync(new() { Destinations = [new(gone, []), new(_place.Location, [])], Store = new() { Time = _place.Time } }, null, Token).ToListAsync(Token);
        reports[0].Kind.ShouldBe(FailureKind.NotFound);
        reports[0].Failure.ShouldNotBeNull().ShouldContain(gone.ToString());
        reports[1].Sources.ShouldHaveSingleItem().IsFresh.ShouldBeTrue();
    }

    [Fact]
    public async Task A_run_of_the_future_does_not_count()
    {
        await _place.RunAsync(Source, TimeSpan.FromDays(-400));
        var source = await _place.ReadSourceAsync();
        source.IsFresh.ShouldBeFalse();
        source.Reason.ShouldNotBeNull().ShouldContain("future");

        await _place.RunAsync(Source, TimeSpan.FromHours(2));
        (await _place.ReadSourceAsync()).State.ShouldBe(SourceState.Failing);
    }

    [Fact]
    public async Task A_clock_that_is_a_little_ahead_is_none_of_that()
    {
        await _place.RunAsync(Source, TimeSpan.FromMinutes(-5));
        var source = await _place.ReadSourceAsync();
        source.State.ShouldBe(SourceState.Fresh);
        source.Age.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_damaged_manifest_is_no_good_run()
    {
        var run = await _place.RunAsync(Source, TimeSpan.FromHours(1));
        await _place.WriteAsync(RunCatalog.ManifestKey(run), "{");
        var source = await _place.ReadSourceAsync();
        source.State.ShouldBe(SourceState.Stale);
        source.Unreadable.ShouldHaveSingleItem().ShouldContain(run.RunId);

        await _place.RunAsync(Source, TimeSpan.FromHours(2));
        source = await _place.ReadSourceAsync();
        source.State.ShouldBe(SourceState.Failing);
        source.SourceName.ShouldBe(Source);
    }

    [Fact]
    public async Task Where_nothing_of_a_source_can_be_read_others_are_told_all_the_same()
    {
        await _place.WriteAsync("_catalog/runs/folders/broken-1234/20260101T000000Z-000000000001.json", "not JSON");
        await _place.RunAsync(Source, TimeSpan.FromHours(1));
        var report = await _place.ReadAsync();
        report.Sources.Select(source => (source.SourceName, source.IsFresh)).ShouldBe([("broken-1234", false), (Source, true)]);
    }

    [Fact]
    public async Task Intervals_are_by_the_most_specific_pattern()
    {
        await _place.RunAsync("/srv/images", TimeSpan.FromDays(3));
        await _place.RunAsync("/srv/mail", TimeSpan.FromDays(3));
        await _place.RunAsync("acme.atlassian.net", TimeSpan.FromDays(3), system: "jira");
        var report = await _place.ReadAsync(options => options with
        {
            Intervals = [new(new("folders"), TimeSpan.FromDays(2)), new(new("folders//srv/m*"), TimeSpan.FromDays(7)), new(new("*.atlassian.net"), TimeSpan.FromDays(4))],
        });
        report.Sources.ToDictionary(source => source.SourceName, source => (source.Interval.Days, source.IsFresh), StringComparer.Ordinal).ShouldBe(
            new Dictionary<string, (int, bool)>(StringComparer.Ordinal) { ["/srv/images"] = (2, false), ["/srv/mail"] = (7, true), ["acme.atlassian.net"] = (4, true) },
            ignoreOrder: true);
    }

    [Theory]
    [InlineData("folders", true)]
    [InlineData("FOLDERS/*", true)]
    [InlineData("folders//srv/images", true)]
    [InlineData("/srv/images", true)]
    [InlineData("/SRV/*", true)]
    [InlineData("*images", true)]
    [InlineData("jira", false)]
    [InlineData("jira//srv/images", false)]
    [InlineData("/srv", false)]
    [InlineData("srv/images", false)]
    public void A_pattern_names_a_system_a_source_or_both(string pattern, bool matches) => new SourcePattern(pattern).Matches("folders", Source).ShouldBe(matches);

    [Fact]
    public async Task Sources_that_are_not_wanted_are_not_judged()
    {
        await _place.RunAsync(Source, TimeSpan.FromHours(1));
        await _place.RunAsync("/srv/old", TimeSpan.FromDays(400));
        (await _place.ReadSourceAsync(null, "/srv/images")).IsFresh.ShouldBeTrue();
    }

    [Fact]
    public async Task A_source_that_was_found_unchanged_is_as_old_as_that()
    {
        var run = await _place.RunAsync(Source, TimeSpan.FromDays(5));
        await new UnchangedMarks(await _place.StoreAsync()).WriteAsync(RunCatalog.ManifestKey(run), _place.Now - TimeSpan.FromHours(2), Token);
        var source = await _place.ReadSourceAsync();
        source.State.ShouldBe(SourceState.Fresh);
        source.Age.ShouldBe(TimeSpan.FromHours(2));
        source.LastGoodRunId.ShouldBe(run.RunId);
    }

    [Fact]
    public async Task That_it_was_found_unchanged_counts_only_beside_the_run_that_it_speaks_of()
    {
        var run = await _place.RunAsync(Source, TimeSpan.FromDays(5));
        var marks = new UnchangedMarks(await _place.StoreAsync());
        await marks.WriteAsync(RunCatalog.ManifestKey(run with { RunId = "000000000000" }), _place.Now, Token);
        (await _place.ReadSourceAsync()).State.ShouldBe(SourceState.Stale);

        await marks.WriteAsync(RunCatalog.ManifestKey(run), _place.Now + TimeSpan.FromDays(9), Token);
        (await _place.ReadSourceAsync()).State.ShouldBe(SourceState.Stale);

        await _place.WriteAsync($"_catalog/unchanged/folders/{run.Source}.json", "damaged");
        (await _place.ReadSourceAsync()).State.ShouldBe(SourceState.Stale);
    }

    [Fact]
    public async Task A_look_that_finds_nothing_to_do_mends_what_failed_before()
    {
        var failed = await _place.RunAsync(Source, TimeSpan.FromHours(3), Outcome.Failed);
        await new UnchangedMarks(await _place.StoreAsync()).WriteAsync(RunCatalog.ManifestKey(failed), _place.Now - TimeSpan.FromHours(1), Token);
        (await _place.ReadSourceAsync()).State.ShouldBe(SourceState.Fresh);
    }
}
