using System.Text;
using Backup.Engine.GitHub;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.GitHub.Git;
using Backup.TestServers.GitHub;
using Backup.TestServers.GitHub.Faults;
using HubRepository = Backup.TestServers.GitHub.GitHubRepository;

namespace Backup.Engine.Tests.GitHub;

/// <summary>Restores to directories and to another GitHub.</summary>
public sealed class GitHubRestoreTests
{
    private static GitHubRestoreOptions Options(GitHubPlace place, GitHubServer? target = null) => new()
    {
        From = place.Destination,
        Names = ["acme/*"],
        Owner = target is null ? null : "octocat",
        Path = target is null ? place.Directory.Combine("restored") : null,
        Connection = target is null ? new() : new() { ApiUri = target.ApiUri, Credential = GitHubCredential.ForToken(target.Token), WritesPerMinute = 60_000 },
    };

    private static async Task<GitHubRestoreResult> RestoreAsync(GitHubRestoreOptions options) => (await GitHubRestore.RunAsync(options).ToListAsync()).Single();

    private static async Task<HubRepository> FilledAsync(GitHubPlace place)
    {
        var repository = await place.AddAsync("acme/app");
        await new SourceRepository(repository.Path).GitAsync("update-ref", "refs/tags/v1", "refs/heads/main");
        var content = place.Server.Content(repository);
        content.Label("bug", "ff0000");
        content.Milestone("1.0");
        content.Issue("first", "It breaks for @alice.", "bob", ["bug"], 1);
        content.Issue("second", state: "closed");
        content.PullRequest("third");
        content.Comment(1, "I see it too.", "carol");
        content.Comment(2, "Solved.");
        content.Asset(content.Release("v1", "Notes."), "app.bin", Encoding.UTF8.GetBytes("the asset"));
        content.Add("topics", new() { ["name"] = "backup" });
        repository.Private = true;
        return repository;
    }

    [Fact]
    public async Task A_repository_on_another_GitHub_gets_its_history_and_records_once()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var original = await FilledAsync(place);
        (await place.BackupAsync()).ShouldAllBe(result => result.Outcome == Outcome.Completed);
        await using var target = await GitHubServer.StartAsync();

        var result = await RestoreAsync(Options(place, target));

        result.Failures.ShouldBeEmpty();
        (result.Outcome, result.Labels, result.Milestones, result.Issues, result.Comments, result.Releases, result.Assets).ShouldBe((Outcome.Completed, 1, 1, 3, 2, 1, 1));
        var copy = target.World.Repositories.Single();
        copy.FullName.ShouldBe("octocat/app");
        copy.Private.ShouldBeTrue();
        (await new SourceRepository(copy.Path).GitAsync("for-each-ref")).ShouldBe(await new SourceRepository(original.Path).GitAsync("for-each-ref"));
        await new SourceRepository(copy.Path).GitAsync("fsck", "--full", "--strict");
        var issues = copy.RecordsOf("issues");
        issues.Select(issue => ((string)issue["title"]!, (string)issue["state"]!)).ShouldBe([("first", "open"), ("second", "closed"), ("third", "open")]);
        var first = (string)issues[0]["body"]!;
        first.ShouldContain("**bob** opened this as #1 of acme/app on ");
        first.ShouldContain("It breaks for @");
        first.ShouldNotContain("@alice");
        issues[0]["labels"]![0]!["name"]!.ToString().ShouldBe("bug");
        issues[0]["milestone"]!["title"]!.ToString().ShouldBe("1.0");
        ((string)copy.RecordsOf("comments")[0]["body"]!).ShouldContain("**carol** wrote on ");
        copy.RecordsOf("releases").Single()["assets"]![0]!["name"]!.ToString().ShouldBe("app.bin");
        copy.RecordsOf("topics").Single()["name"]!.ToString().ShouldBe("backup");
        result.IssueMap.ShouldBe(new Dictionary<int, int> { [1] = 1, [2] = 2, [3] = 3 });

        target.ClearRequests();
        var again = await RestoreAsync(Options(place, target));
        again.Outcome.ShouldBe(Outcome.Unchanged);
        again.IssueMap.Count.ShouldBe(3);
        target.Requests.Where(request => request.Path.StartsWith("/api/", StringComparison.Ordinal)).ShouldAllBe(request => request.Method == "GET");
    }

    [Fact]
    public async Task An_interrupted_restore_goes_on_and_makes_nothing_twice()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await FilledAsync(place);
        await place.BackupAsync();
        await using var target = await GitHubServer.StartAsync();
        // The issue is made, and nobody hears of it.
        target.Faults.Add(new() { Match = request => request.Method == "POST" && request.Path.EndsWith("/issues", StringComparison.Ordinal), Skip = 1, Action = new(ApplyThenReset: true) });

        var first = await RestoreAsync(Options(place, target));
        first.Outcome.ShouldBe(Outcome.Failed);
        var second = await RestoreAsync(Options(place, target));

        second.Outcome.ShouldBe(Outcome.Completed);
        var copy = target.World.Repositories.Single();
        copy.RecordsOf("issues").Select(issue => (string)issue["title"]!).ShouldBe(["first", "second", "third"]);
        ((string)copy.RecordsOf("issues")[1]["state"]!).ShouldBe("closed");
        copy.RecordsOf("comments").Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_limit_on_created_content_is_waited_for()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await FilledAsync(place);
        await place.BackupAsync();
        await using var target = await GitHubServer.StartAsync();
        target.Faults.Add(new() { Match = request => request.Method == "POST" && request.Path.EndsWith("/issues", StringComparison.Ordinal), Action = FaultAction.SecondaryLimit(60) });
        var time = new AdvancingTime();

        var result = await RestoreAsync(Options(place, target) with { Store = new() { Time = time } });

        result.Failures.ShouldBeEmpty();
        time.Waited.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(60));
        target.World.Repositories.Single().RecordsOf("issues").Count.ShouldBe(3);
    }

    [Fact]
    public async Task Reviews_become_comments_and_what_has_no_place_is_told()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await FilledAsync(place);
        await new SourceRepository(repository.Path).GitAsync("update-ref", "refs/pull/3/head", "refs/heads/main");
        await new SourceRepository(repository.Path).GitAsync("update-ref", "refs/notes/commits", "refs/heads/main");
        var content = place.Server.Content(repository);
        content.Review(3, "Fine with @bob.");
        content.Review(3, "")["state"] = "COMMENTED";
        content.Review(3, "")["state"] = "CHANGES_REQUESTED";
        content.Add("review-comments", new() { ["id"] = 5, ["user"] = new System.Text.Json.Nodes.JsonObject { ["login"] = "dave", ["id"] = 7 }, ["body"] = "A typo.", ["path"] = "src/`a`.cs", ["line"] = 12, ["pull_request_url"] = "https://api.github.com/repos/acme/app/pulls/3", ["updated_at"] = "2026-01-02T03:04:05Z", ["created_at"] = "2026-01-02T03:04:05Z" });
        content.Add("rulesets", new() { ["id"] = 11, ["name"] = "main" });
        content.Event(1, "closed");
        (await place.BackupAsync()).Single().Outcome.ShouldBe(Outcome.Completed);
        await using var target = await GitHubServer.StartAsync();

        var result = await RestoreAsync(Options(place, target));

        result.Failures.ShouldBeEmpty();
        result.Comments.ShouldBe(5);
        var copy = target.World.Repositories.Single();
        var texts = copy.RecordsOf("comments").Select(comment => (string)comment["body"]!).ToList();
        texts.ShouldContain(text => text.StartsWith("> **hubot** approved this on ", StringComparison.Ordinal) && text.Contains("Fine with @\u200bbob.", StringComparison.Ordinal));
        texts.ShouldContain(text => text.Contains("asked for changes", StringComparison.Ordinal));
        texts.ShouldContain(text => text.StartsWith("> **dave** commented on `src/'a'.cs`, line 12, on 2026-01-02 03:04 UTC.", StringComparison.Ordinal));
        (await new SourceRepository(copy.Path).GitAsync("rev-parse", "refs/heads/restored/pr/3")).ShouldBe(await new SourceRepository(repository.Path).GitAsync("rev-parse", "refs/pull/3/head"));
        result.NotRestored.ShouldBe(["1 ruleset", "1 issue event", "1 ref that is neither branch nor tag"], ignoreOrder: true);
        result.Reason!.ShouldContain("1 ruleset");
        (await RestoreAsync(Options(place, target))).Outcome.ShouldBe(Outcome.Unchanged);
        copy.RecordsOf("comments").Count.ShouldBe(5);

        // Elsewhere no record has a place, and that is told as well.
        (await RestoreAsync(Options(place))).NotRestored.ShouldContain("review comments");
    }

    [Fact]
    public async Task Pull_requests_come_back_without_issues_too()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await FilledAsync(place);
        await place.BackupAsync(place.Options("acme") with { Content = GitHubContent.Git | GitHubContent.PullRequests });
        await using var target = await GitHubServer.StartAsync();

        var result = await RestoreAsync(Options(place, target));

        result.Failures.ShouldBeEmpty();
        result.IssueMap.Keys.ShouldBe([3]);
        ((string)target.World.Repositories.Single().RecordsOf("issues").Single()["body"]!).ShouldContain("as pull request #3 of acme/app");
    }

    [Fact]
    public async Task One_record_that_is_refused_leaves_the_others()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await FilledAsync(place);
        await place.BackupAsync();
        await using var target = await GitHubServer.StartAsync();
        target.Faults.Add(new() { Match = request => request.Method == "POST" && request.Path.EndsWith("/milestones", StringComparison.Ordinal), Action = new(422, """{"message":"Validation Failed","errors":[{"resource":"Milestone","field":"title","code":"invalid"}]}""") });

        var result = await RestoreAsync(Options(place, target));

        result.Outcome.ShouldBe(Outcome.Failed);
        result.Failures.Single().Message.ShouldContain("Validation Failed");
        result.Issues.ShouldBe(3);
    }

    [Fact]
    public async Task A_directory_gets_any_generation()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app", "before");
        var source = new SourceRepository(repository.Path);
        await place.BackupAsync();
        var then = (await place.RunsAsync())[0].Finished;
        var before = await source.GitAsync("for-each-ref");
        // Generations are told apart by the second.
        await Task.Delay(1100);
        await source.ReplaceAsync("refs/heads/main", ("file.txt", Encoding.UTF8.GetBytes("after")));
        repository.Touch();
        place.Server.World.Rename(repository, "acme/other");
        await place.BackupAsync();

        (await RestoreAsync(Options(place) with { Names = ["acme/app"], At = then })).Outcome.ShouldBe(Outcome.Completed);
        (await new SourceRepository(place.Directory.Combine("restored/acme/app.git")).GitAsync("for-each-ref")).ShouldBe(before);
        // By its old name too.
        (await RestoreAsync(Options(place) with { Names = ["acme/app"] })).FullName.ShouldBe("acme/other");
        (await new SourceRepository(place.Directory.Combine("restored/acme/other.git")).GitAsync("for-each-ref")).ShouldBe(await source.GitAsync("for-each-ref"));
        await RestoreAsync(Options(place) with { Checkout = true, Path = place.Directory.Combine("files") });
        (await File.ReadAllTextAsync(place.Directory.Combine("files/acme/other/file.txt"))).ShouldBe("after");
    }

    [Fact]
    public async Task Another_server_gets_refs_by_its_address()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var original = await FilledAsync(place);
        await place.BackupAsync();
        await using var target = await GitHubServer.StartAsync();
        var copy = target.AddRepository("mirror/acme-app");

        var result = await RestoreAsync(Options(place, target) with { Owner = null, Remote = target.Endpoint + "mirror/{owner}-{name}.git" });

        result.Failures.ShouldBeEmpty();
        (await new SourceRepository(copy.Path).GitAsync("for-each-ref")).ShouldBe(await new SourceRepository(original.Path).GitAsync("for-each-ref"));
    }

    [Fact]
    public async Task WhatIf_writes_nothing()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await FilledAsync(place);
        await place.BackupAsync();
        await using var target = await GitHubServer.StartAsync();

        (await RestoreAsync(Options(place, target) with { WhatIf = true })).WhatIf.ShouldBeTrue();
        (await RestoreAsync(Options(place) with { WhatIf = true })).Reason!.ShouldContain("generation");

        target.Requests.ShouldBeEmpty();
        Directory.Exists(place.Directory.Combine("restored")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_name_that_nothing_fits_ends_it_with_advice()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/app");
        await place.BackupAsync();

        var failure = await Should.ThrowAsync<BackupException>(() => RestoreAsync(Options(place) with { Names = ["acme/none"] }));
        failure.Kind.ShouldBe(FailureKind.NotFound);
        failure.Message.ShouldContain("acme/none");
        (await Should.ThrowAsync<BackupException>(() => RestoreAsync(Options(place) with { At = DateTimeOffset.UtcNow.AddYears(-1) }))).Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public void A_marker_is_read_from_the_last_line_alone()
    {
        var text = RestoreMarker.Text("acme/app#12", "bob", DateTimeOffset.UnixEpoch, "opened this", "quoting <!-- restored: acme/app#3 -->");
        RestoreMarker.IssueOf(RestoreMarker.SourceOf(text)!, "acme/app").ShouldBe(12);
        RestoreMarker.SourceOf("quoting <!-- restored: acme/app#3 -->\nand more").ShouldBeNull();
        RestoreMarker.IssueOf("acme/app#12", "acme/other").ShouldBeNull();
        RestoreMarker.Text("acme/app#1", null, DateTimeOffset.UnixEpoch, "wrote", new string('x', 100_000)).Length.ShouldBeLessThanOrEqualTo(65_536);
        RestoreMarker.SourceOf(RestoreMarker.Text("acme/app#1", null, DateTimeOffset.UnixEpoch, "wrote", new string('x', 100_000))).ShouldBe("acme/app#1");
    }
}
