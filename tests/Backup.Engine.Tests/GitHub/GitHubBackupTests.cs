using System.Text;
using Backup.Engine.GitHub;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.TestServers.GitHub;
using Backup.TestServers.GitHub.Faults;

namespace Backup.Engine.Tests.GitHub;

/// <summary>Whole runs against the loopback GitHub.</summary>
public sealed class GitHubBackupTests
{
    [Fact]
    public async Task A_second_run_fetches_and_stores_nothing()
    {
        await using var place = await GitHubPlace.CreateAsync();
        for (var i = 0; i < 3; i++)
            await place.AddAsync($"acme/r{i}");

        var first = await place.BackupAsync();
        first.Select(result => (result.Outcome, result.Reason)).ShouldAllBe(item => item.Outcome == Outcome.Completed);
        first.Count.ShouldBe(3);
        var stored = await place.StoredAsync();

        place.Server.ClearRequests();
        var second = await place.BackupAsync();

        second.ShouldAllBe(result => result.Outcome == Outcome.Unchanged);
        (await place.StoredAsync()).ShouldBe(stored);
        place.Server.Requests.ShouldNotContain(request => request.Path.EndsWith("git-upload-pack", StringComparison.Ordinal));
        (await place.RunsAsync()).Single().Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task What_the_listing_says_was_not_pushed_is_not_even_asked_for()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var quiet = await place.AddAsync("acme/quiet");
        quiet.PushedAt = DateTimeOffset.UtcNow.AddDays(-1);
        var options = place.Options("acme") with { Content = GitHubContent.Git };
        await place.BackupAsync(options);

        place.Server.ClearRequests();
        await place.BackupAsync(options);
        place.Server.Requests.Select(request => request.Path).ShouldBe(["/api/v3/orgs/acme/repos"]);

        // Refs are compared all the same once the last time is too long ago.
        place.Server.ClearRequests();
        await place.BackupAsync(options with { FullEvery = TimeSpan.Zero });
        place.Server.Requests.ShouldContain(request => request.Path.EndsWith("/info/refs", StringComparison.Ordinal));

        quiet.PushedAt = DateTimeOffset.UtcNow.AddHours(-1);
        await place.CommitAsync(quiet, "two");
        (await place.BackupAsync(options)).Single().Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task Each_repository_that_cannot_be_read_is_a_typed_result_and_the_others_are_stored()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/good");
        place.Server.AddRepository("acme/empty");
        var states = new Dictionary<string, RepositoryState>(StringComparer.Ordinal)
        {
            ["dmca"] = RepositoryState.Dmca,
            ["blocked"] = RepositoryState.Blocked,
            ["disabled"] = RepositoryState.Disabled,
            ["vanished"] = RepositoryState.Vanished,
            ["forbidden"] = RepositoryState.Forbidden,
        };
        foreach (var (name, state) in states)
            (await place.AddAsync($"acme/{name}")).State = state;

        var results = (await place.BackupAsync()).ToDictionary(result => result.FullName[5..], StringComparer.Ordinal);

        results["good"].Outcome.ShouldBe(Outcome.Completed);
        results["empty"].Status.ShouldBe(RepositoryStatus.Empty);
        results["empty"].Outcome.ShouldBe(Outcome.Completed);
        results.Where(pair => states.ContainsKey(pair.Key)).ShouldAllBe(pair => pair.Value.Outcome == Outcome.Failed && pair.Value.Kind != null && pair.Value.Advice != null);
        results["dmca"].Status.ShouldBe(RepositoryStatus.Blocked);
        results["blocked"].Status.ShouldBe(RepositoryStatus.Blocked);
        results["disabled"].Status.ShouldBe(RepositoryStatus.Disabled);
        results["vanished"].Status.ShouldBe(RepositoryStatus.Vanished);
        results["vanished"].Kind.ShouldBe(FailureKind.NotFound);
        results["forbidden"].Status.ShouldBe(RepositoryStatus.AccessLost);
        var run = (await place.RunsAsync()).Single();
        run.Outcome.ShouldBe(Outcome.Failed);
        run.Failures.Count.ShouldBe(5);

        // Told once; from then on it is known.
        (await place.BackupAsync()).Where(result => states.ContainsKey(result.FullName[5..])).ShouldAllBe(result => result.Outcome == Outcome.Skipped);
    }

    [Fact]
    public async Task What_is_lost_keeps_its_last_copy_and_is_told_once()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/stays");
        var gone = await place.AddAsync("acme/gone");
        await place.BackupAsync();
        var stored = await place.StoredAsync();
        gone.State = RepositoryState.Deleted;

        var lost = (await place.BackupAsync()).Single(result => result.FullName == "acme/gone");
        lost.Status.ShouldBe(RepositoryStatus.NotListed);
        lost.Outcome.ShouldBe(Outcome.Failed);
        lost.LastGood.ShouldNotBeNull();
        stored.Except(await place.StoredAsync(), StringComparer.Ordinal).ShouldBeEmpty();
        await using (var store = await place.OpenAsync())
        {
            var newest = (await place.RunsAsync())[0];
            (await new RunCatalog(store).ReadInventoryAsync(newest, CancellationToken.None).Select(entry => entry.Path).ToListAsync()).ShouldContain(path => path.Contains("gone", StringComparison.Ordinal) && path.EndsWith(".bundle", StringComparison.Ordinal));
        }

        (await place.BackupAsync()).ShouldNotContain(result => result.FullName == "acme/gone");
        gone.State = RepositoryState.Normal;
        (await place.BackupAsync()).Single(result => result.FullName == "acme/gone").Outcome.ShouldBeOneOf(Outcome.Completed, Outcome.Unchanged);
    }

    [Fact]
    public async Task A_renamed_repository_stays_one_history()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/old");
        var before = (await place.BackupAsync()).Single();

        place.Server.World.Rename(repository, "acme/new");
        await place.CommitAsync(repository, "two");
        var after = (await place.BackupAsync()).Single();

        after.FullName.ShouldBe("acme/new");
        after.Status.ShouldBe(RepositoryStatus.Renamed);
        after.Folder.ShouldBe(before.Folder);
        after.Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_token_that_is_revoked_meanwhile_ends_the_run_and_what_is_through_is_committed()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/a");
        await place.AddAsync("acme/b");
        foreach (var path in (string[])["/acme/b.git/", "/repos/acme/b"])
            place.Server.Faults.Add(path, new FaultAction(401, """{"message":"Bad credentials"}"""), times: int.MaxValue);

        var results = new List<GitHubBackupResult>();
        var failure = await Should.ThrowAsync<BackupException>(async () =>
        {
            await foreach (var result in GitHubBackup.RunAsync(place.Options("acme") with { ThrottleLimit = 1 }))
                results.Add(result);
        });

        failure.Kind.ShouldBe(FailureKind.AuthenticationFailed);
        results.Single().FullName.ShouldBe("acme/a");
        var run = (await place.RunsAsync()).Single();
        run.Outcome.ShouldBe(Outcome.Failed);
        run.TotalObjects.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_truncated_pack_fails_that_repository_alone_and_stores_nothing_of_it()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/good");
        await place.AddAsync("acme/cut");
        place.Server.Faults.Add("acme/cut.git/git-upload-pack", new FaultAction(TruncateAfter: 60), times: int.MaxValue);

        var results = await place.BackupAsync(place.Options("acme") with { Content = GitHubContent.Git });

        results.Single(result => result.FullName == "acme/good").Outcome.ShouldBe(Outcome.Completed);
        var cut = results.Single(result => result.FullName == "acme/cut");
        cut.Outcome.ShouldBe(Outcome.Failed);
        cut.Kind.ShouldNotBe(FailureKind.Unknown);
        (await place.StoredAsync()).ShouldNotContain(item => item.StartsWith(cut.Folder, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_never_answers_fails_that_repository_alone()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/good");
        await place.AddAsync("acme/hangs");
        place.Server.Faults.Add("acme/hangs.git/info/refs", new FaultAction(Hang: true), times: int.MaxValue);

        var results = await place.BackupAsync(place.Options("acme") with { Content = GitHubContent.Git, Stall = TimeSpan.FromMilliseconds(300) });

        results.Single(result => result.FullName == "acme/good").Outcome.ShouldBe(Outcome.Completed);
        results.Single(result => result.FullName == "acme/hangs").Kind.ShouldBe(FailureKind.TimedOut);
    }

    [Fact]
    public async Task WhatIf_says_what_would_be_fetched_and_writes_nothing()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/app");

        var planned = (await place.BackupAsync(place.Options("acme") with { WhatIf = true })).Single();

        planned.WhatIf.ShouldBeTrue();
        planned.Reason!.ShouldContain("history");
        Directory.Exists(place.Destination.Directory).ShouldBeFalse();
        place.Server.Requests.ShouldAllBe(request => request.Method == "GET");
    }

    [Fact]
    public async Task Shards_share_the_repositories_and_none_twice()
    {
        await using var place = await GitHubPlace.CreateAsync();
        for (var i = 0; i < 12; i++)
            place.Server.AddRepository($"acme/r{i}");
        var taken = new List<string>();
        for (var i = 1; i <= 3; i++)
        {
            var options = place.Options("acme");
            taken.AddRange((await place.BackupAsync(options with { List = options.List with { Shard = new(i, 3) }, Content = GitHubContent.Git })).Select(result => result.FullName));
        }

        taken.Order(StringComparer.Ordinal).ShouldBe(place.Server.World.Repositories.Select(repository => repository.FullName).Order(StringComparer.Ordinal));
        (await place.RunsAsync()).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_lost_state_is_found_again_in_the_store_and_no_history_is_sent_twice()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/app");
        await place.BackupAsync();
        var stored = await place.StoredAsync();
        Directory.Delete(Path.Combine(place.Destination.Directory!, "_catalog"), recursive: true);

        await place.BackupAsync();

        (await place.StoredAsync()).Where(item => item.Contains(".bundle", StringComparison.Ordinal)).ShouldBe(stored.Where(item => item.Contains(".bundle", StringComparison.Ordinal)));
        await using var store = await place.OpenAsync();
        var run = (await place.RunsAsync()).Single();
        (await new RunCatalog(store).ReadInventoryAsync(run, CancellationToken.None).Select(entry => entry.Path).ToListAsync()).ShouldContain(path => path.EndsWith(".bundle", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Everything_that_an_inventory_names_is_in_the_store_as_it_says()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        var content = place.Server.Content(repository);
        content.Issue("a bug");
        content.Asset(content.Release("v1"), "app.zip", Encoding.UTF8.GetBytes("asset"));
        await place.BackupAsync();
        await place.CommitAsync(repository, "two");
        content.Issue("another");
        await place.BackupAsync();

        await using var store = await place.OpenAsync();
        var runs = await place.RunsAsync();
        runs.Count.ShouldBe(2);
        var paths = new List<string>();
        await foreach (var entry in new RunCatalog(store).ReadInventoryAsync(runs[0], CancellationToken.None))
        {
            paths.Add(entry.Path);
            var head = await store.HeadAsync(entry.Key!);
            head.ShouldNotBeNull(entry.Key);
            head.Size.ShouldBe(entry.Size);
        }

        paths.Count(path => path.EndsWith(".bundle", StringComparison.Ordinal)).ShouldBe(2);
        paths.Count(path => path.EndsWith("issues.jsonl.gz", StringComparison.Ordinal)).ShouldBe(2);
        paths.ShouldContain(path => path.Contains("/assets/", StringComparison.Ordinal));
        runs[0].TotalObjects.ShouldBe(paths.Count);
    }

    [Fact]
    public async Task The_token_is_in_nothing_that_is_stored_or_said()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/app");
        (await place.AddAsync("acme/broken")).State = RepositoryState.Forbidden;
        var results = await place.BackupAsync();

        var secrets = new[] { place.Server.Token, Convert.ToBase64String(Encoding.UTF8.GetBytes("x-access-token:" + place.Server.Token)) };
        foreach (var secret in secrets)
        {
            results.ShouldAllBe(result => !result.ToString().Contains(secret, StringComparison.Ordinal));
            foreach (var file in Directory.EnumerateFiles(place.Directory.Path, "*", SearchOption.AllDirectories))
                Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)).ShouldNotContain(secret);
        }
    }
}
