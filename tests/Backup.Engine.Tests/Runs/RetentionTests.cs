using Backup.Engine.Runs;

namespace Backup.Engine.Tests.Runs;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("7d")]
    [InlineData("7d4w12m")]
    [InlineData("10l")]
    [InlineData("12M2Y")]
    public void It_is_read_and_repeated(string text) => Retention.Parse(text).ToString().ShouldBe(text);

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("d")]
    [InlineData("0d")]
    [InlineData("-1d")]
    [InlineData("7d 4w")]
    [InlineData("7d7d")]
    [InlineData("7x")]
    [InlineData("99999999999d")]
    [InlineData("٧d")]
    public void Anything_else_is_refused_by_name(string text)
    {
        var failure = Should.Throw<BackupException>(() => Retention.Parse(text));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.Message.ShouldContain($"'{text}'");
    }

    [Fact]
    public void Of_each_period_the_newest_run_is_kept()
    {
        // Three runs a day for 60 days.
        var runs = Enumerable.Range(0, 180).Select(i => Run(Noon.AddHours(-8 * i))).ToList();
        var kept = runs.Except(Retention.Parse("3d2w2m").Expired(runs)).Select(run => run.Started).ToList();

        kept.ShouldBe(
        [
            Noon,
            new(2026, 11, 20, 20, 0, 0, TimeSpan.Zero),
            new(2026, 11, 19, 20, 0, 0, TimeSpan.Zero),
            // The week before (ISO weeks end on Sunday), and the month before.
            new(2026, 11, 15, 20, 0, 0, TimeSpan.Zero),
            new(2026, 10, 31, 20, 0, 0, TimeSpan.Zero),
        ]);
    }

    [Fact]
    public void A_gap_counts_the_days_that_have_a_run()
    {
        var runs = new[] { Run(Noon), Run(Noon.AddDays(-100)), Run(Noon.AddDays(-200)) };
        Retention.Parse("2d").Expired(runs).ShouldBe([runs[2]]);
    }

    [Fact]
    public void The_newest_good_run_is_kept_however_many_failed_since()
    {
        var good = Run(Noon.AddDays(-400));
        var runs = Enumerable.Range(0, 50).Select(i => Run(Noon.AddDays(-i), Outcome.Failed)).Append(good).ToList();
        Retention.Parse("1l").Expired(runs).ShouldBeEmpty();
    }

    [Fact]
    public void Without_a_good_run_nothing_goes() =>
        Retention.Parse("1l").Expired([Run(Noon, Outcome.Failed), Run(Noon.AddYears(-5), Outcome.Failed)]).ShouldBeEmpty();

    [Fact]
    public void A_failed_run_takes_no_place_and_goes_after_thirty_days()
    {
        var runs = new[] { Run(Noon), Run(Noon.AddDays(-1), Outcome.Failed), Run(Noon.AddDays(-2)), Run(Noon.AddDays(-29), Outcome.Failed), Run(Noon.AddDays(-31), Outcome.Failed) };
        Retention.Parse("2l").Expired(runs).ShouldBe([runs[4]]);
    }

    private static RunManifest Run(DateTimeOffset started, Outcome outcome = Outcome.Completed) => new()
    {
        RunId = RunCatalog.NewRunId(started),
        System = "confluence",
        Source = "acme",
        SourceName = "acme.atlassian.net",
        Host = "test",
        ModuleVersion = "1.0.0",
        Started = started,
        Finished = started.AddMinutes(1),
        Outcome = outcome,
    };
}
