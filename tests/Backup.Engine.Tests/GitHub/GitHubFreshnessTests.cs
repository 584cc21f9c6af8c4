using Backup.Engine.GitHub;
using Backup.Engine.Reports;
using Backup.Engine.Runs;
using Backup.TestServers.GitHub;
using Backup.TestServers.GitHub.Faults;

namespace Backup.Engine.Tests.GitHub;

/// <summary>What the catalog says of an account after runs that changed nothing, failed, or were of chosen repositories.</summary>
public sealed class GitHubFreshnessTests
{
    private static GitHubBackupOptions Chosen(GitHubPlace place, params string[] names) => place.Options() with { List = place.Options().List with { Names = names } };

    [Fact]
    public async Task What_is_known_to_be_lost_does_not_fail_the_account_for_ever()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/good");
        (await place.AddAsync("acme/dmca")).State = RepositoryState.Dmca;
        await place.BackupAsync();
        (await place.RunsAsync()).Single().Outcome.ShouldBe(Outcome.Failed);

        // Told once. The next run finds nothing else wrong, and says so where monitoring looks.
        await place.BackupAsync();
        (await place.RunsAsync())[0].Outcome.ShouldBe(Outcome.Completed);

        await place.BackupAsync();
        (await place.RunsAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_account_that_does_not_change_stays_fresh_by_a_mark()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/quiet");
        await place.AddAsync("acme/other");
        await place.BackupAsync();
        var later = new ShiftedTime(TimeSpan.FromDays(3));
        (await FreshAsync(place, later)).ShouldBeFalse();

        // Chosen repositories say nothing of the others.
        await place.BackupAsync(Chosen(place, "acme/quiet") with { Store = new() { Time = later } });
        (await FreshAsync(place, later)).ShouldBeFalse();
        await place.BackupAsync(place.Options("acme") with { Store = new() { Time = later } });

        (await FreshAsync(place, later)).ShouldBeTrue();
        (await place.RunsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_run_of_chosen_repositories_does_not_hide_one_that_failed()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var good = await place.AddAsync("acme/good");
        await place.AddAsync("acme/bad");
        place.Server.Faults.Add("acme/bad.git/git-upload-pack", new FaultAction(TruncateAfter: 60), times: int.MaxValue);
        await place.BackupAsync();
        await place.CommitAsync(good, "two");

        (await place.BackupAsync(Chosen(place, "acme/good"))).Single().Outcome.ShouldBe(Outcome.Completed);

        var run = (await place.RunsAsync())[0];
        run.Outcome.ShouldBe(Outcome.Failed);
        run.Reason!.ShouldContain("acme/bad");
        place.Server.Faults.Clear();
        await place.BackupAsync();
        (await place.RunsAsync())[0].Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_name_that_cannot_be_had_leaves_the_others()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/a");
        var gone = await place.AddAsync("acme/gone");
        await place.BackupAsync(Chosen(place, "acme/a", "acme/gone"));
        gone.State = RepositoryState.Deleted;

        var results = (await place.BackupAsync(Chosen(place, "acme/a", "acme/gone", "acme/never", "mistyped", "nobody/none"))).ToDictionary(result => result.FullName, StringComparer.Ordinal);

        results["acme/a"].Outcome.ShouldBe(Outcome.Unchanged);
        results["acme/gone"].Outcome.ShouldBe(Outcome.Failed);
        results["acme/gone"].Status.ShouldBe(RepositoryStatus.Vanished);
        results["acme/gone"].LastGood.ShouldNotBeNull();
        results["acme/never"].Kind.ShouldBe(FailureKind.NotFound);
        results["mistyped"].Kind.ShouldBe(FailureKind.InvalidInput);
        results["nobody/none"].Outcome.ShouldBe(Outcome.Failed);
        // No source for a name that was mistyped: it would never be fresh.
        (await place.RunsAsync()).Select(run => run.SourceName).Distinct(StringComparer.Ordinal).Single().ShouldEndWith("/acme");
        (await place.BackupAsync(Chosen(place, "acme/gone"))).Single().Outcome.ShouldBe(Outcome.Skipped);

        var listed = new List<string>();
        var failure = await Should.ThrowAsync<BackupException>(async () =>
        {
            await foreach (var repository in GitHubRepositories.ListAsync(Chosen(place, "acme/gone", "acme/a").List))
                listed.Add(repository.FullName);
        });
        failure.Kind.ShouldBe(FailureKind.NotFound);
        listed.ShouldBe(["acme/a"]);
    }

    private static async Task<bool> FreshAsync(GitHubPlace place, TimeProvider time)
    {
        await using var store = await place.OpenAsync();
        var reports = await new CatalogSurvey(store, [], new ReportOptions { Destinations = [], Store = new() { Time = time } }, null).RunAsync(CancellationToken.None).ToListAsync();
        return reports.All(report => report.IsFresh);
    }

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
    }
}
