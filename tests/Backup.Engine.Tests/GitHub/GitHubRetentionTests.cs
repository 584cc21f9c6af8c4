using System.Text;
using Backup.Engine.GitHub;
using Backup.Engine.Runs;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.GitHub.Git;

namespace Backup.Engine.Tests.GitHub;

/// <summary>What a retention takes away, what it never does, and what killed runs leave.</summary>
public sealed class GitHubRetentionTests
{
    private readonly FakeTime _time = new();

    private GitHubBackupOptions Options(GitHubPlace place, string? keep = null) =>
        place.Options("acme") with { Content = GitHubContent.Git | GitHubContent.Lfs, Store = new() { Time = _time }, Keep = keep is null ? null : Retention.Parse(keep) };

    /// <summary>A repository whose history is written anew on each of some days: each day's objects are its own.</summary>
    private async Task<List<(DateTimeOffset At, string Refs)>> DaysAsync(GitHubPlace place, int days, Func<int, GitHubBackupOptions> options)
    {
        var repository = place.Server.World.Repositories.FirstOrDefault() ?? await place.AddAsync("acme/app");
        var source = new SourceRepository(repository.Path);
        var made = new List<(DateTimeOffset, string)>();
        for (var day = 0; day < days; day++)
        {
            _time.Advance(TimeSpan.FromDays(1));
            await source.ReplaceAsync("refs/heads/main", ("file.txt", Encoding.UTF8.GetBytes($"day {day} {Guid.NewGuid()}")));
            repository.PushedAt = _time.GetUtcNow();
            (await place.BackupAsync(options(day))).ShouldAllBe(result => result.Outcome == Outcome.Completed);
            made.Add((_time.GetUtcNow(), await source.GitAsync("for-each-ref")));
        }

        return made;
    }

    private static async Task RestoresAsync(GitHubPlace place, DateTimeOffset? at, string refs)
    {
        var path = place.Directory.Combine($"restored-{Guid.NewGuid():N}");
        var result = (await GitHubRestore.RunAsync(new() { From = place.Destination, Names = ["acme/app"], At = at, Path = path }).ToListAsync()).Single();
        result.Failures.ShouldBeEmpty();
        (await new SourceRepository(result.Target).GitAsync("for-each-ref")).ShouldBe(refs);
        await new SourceRepository(result.Target).GitAsync("fsck", "--full", "--strict");
    }

    [Fact]
    public async Task What_is_kept_restores_and_proves_and_the_rest_is_gone()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var days = await DaysAsync(place, 6, _ => Options(place));
        var before = await place.StoredAsync();

        var planned = await place.BackupAsync(Options(place, "2l") with { WhatIf = true });
        planned.Single().WhatIf.ShouldBeTrue();
        (await place.StoredAsync()).ShouldBe(before);
        days.AddRange(await DaysAsync(place, 1, _ => Options(place, "2l")));

        var runs = await place.RunsAsync();
        // Two by the rule; one more because it was followed by a run of yesterday and somebody may still build on it.
        runs.Count.ShouldBe(3);
        foreach (var (at, refs) in days.TakeLast(3))
            await RestoresAsync(place, at, refs);
        await using var store = await place.OpenAsync();
        foreach (var run in runs)
            (await new RunCheck(store, run, deep: true, null).RunAsync(CancellationToken.None)).Problems.ShouldBe(0);
        var named = await NamedAsync(place, runs);
        // Descriptions of generations that no run kept, and everything else of theirs, went with their runs; their bundles are in the chain of what is kept.
        (await place.StoredAsync()).Select(item => item.Split(' ')[0]).Where(key => key.StartsWith("github/", StringComparison.Ordinal)).ShouldBe(named, StringComparer.Ordinal, ignoreOrder: true);
        (await Should.ThrowAsync<BackupException>(() => RestoresAsync(place, days[0].At, ""))).Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public async Task What_another_shard_leans_on_stays()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var days = await DaysAsync(place, 2, _ => Options(place));
        // Another source takes the same repository up, and finds its generations in the store.
        var sharded = Options(place) with { List = Options(place).List with { Shard = new(1, 1) } };
        await place.BackupAsync(sharded);
        await DaysAsync(place, 5, _ => Options(place, "1l"));

        await using var store = await place.OpenAsync();
        var other = (await place.RunsAsync()).Single(run => run.SourceName.Contains("shard", StringComparison.Ordinal));
        (await new RunCheck(store, other, deep: true, null).RunAsync(CancellationToken.None)).Problems.ShouldBe(0);
        days.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_killed_runs_generation_is_taken_over_and_stored_once()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await DaysAsync(place, 1, _ => Options(place));
        var known = (await place.StoredAsync()).Where(item => item.StartsWith("_catalog/", StringComparison.Ordinal)).Select(item => item.Split(' ')[0]).ToHashSet(StringComparer.Ordinal);
        var refs = (await DaysAsync(place, 1, _ => Options(place)))[0].Refs;
        // Killed before its commit: the catalog knows nothing of the second run.
        await using (var store = await place.OpenAsync())
        {
            var lost = (await place.StoredAsync()).Select(item => item.Split(' ')[0]).Where(key => key.StartsWith("_catalog/", StringComparison.Ordinal) && !known.Contains(key)).ToList();
            await foreach (var result in store.DeleteAsync(lost.ToAsyncEnumerable()))
                result.Failure.ShouldBeNull();
        }

        var bundles = (await place.StoredAsync()).Count(item => item.Contains(".bundle", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromHours(1));
        await place.BackupAsync(Options(place));

        (await place.StoredAsync()).Count(item => item.Contains(".bundle", StringComparison.Ordinal)).ShouldBe(bundles);
        (await NamedAsync(place, [(await place.RunsAsync())[0]])).Count(key => key.EndsWith(".bundle", StringComparison.Ordinal)).ShouldBe(2);
        await RestoresAsync(place, null, refs);
    }

    [Fact]
    public async Task What_a_killed_run_left_half_done_goes_once_nobody_can_be_at_it()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await DaysAsync(place, 1, _ => Options(place));
        var folder = (await place.BackupAsync(Options(place))).Single().Folder;
        var half = $"{folder}/{RunCatalog.Stamp(_time.GetUtcNow().AddHours(1))}-abcdef012345/repository.bundle";
        await WriteAsync(place, half);
        _time.Advance(TimeSpan.FromDays(30));
        var days = await DaysAsync(place, 3, _ => Options(place));
        var young = $"{folder}/{RunCatalog.Stamp(_time.GetUtcNow().AddHours(1))}-abcdef012346/repository.bundle";
        await WriteAsync(place, young);
        (await KeysAsync(place)).ShouldContain(half);

        days.AddRange(await DaysAsync(place, 1, _ => Options(place, "2l")));

        var keys = await KeysAsync(place);
        keys.ShouldNotContain(half);
        keys.ShouldContain(young);
        await RestoresAsync(place, null, days[^1].Refs);
    }

    private static async Task WriteAsync(GitHubPlace place, string key)
    {
        await using var store = await place.OpenAsync();
        await store.WriteAsync(key, new MemoryStream(Encoding.UTF8.GetBytes("half")), new() { Length = 4 });
    }

    private static async Task<List<string>> KeysAsync(GitHubPlace place) => [.. (await place.StoredAsync()).Select(item => item.Split(' ')[0])];

    private static async Task<List<string>> NamedAsync(GitHubPlace place, IEnumerable<RunManifest> runs)
    {
        await using var store = await place.OpenAsync();
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var run in runs)
        {
            await foreach (var entry in new RunCatalog(store).ReadInventoryAsync(run, CancellationToken.None))
                named.Add(entry.Key!);
        }

        return [.. named.Where(key => key.StartsWith("github/", StringComparison.Ordinal))];
    }
}
