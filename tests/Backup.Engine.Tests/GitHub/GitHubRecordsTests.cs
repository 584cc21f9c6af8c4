using System.Text;
using System.Text.Json.Nodes;
using Backup.Engine.GitHub;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.GitHub.Faults;

namespace Backup.Engine.Tests.GitHub;

/// <summary>Issues, pull requests, releases, settings and what belongs to accounts.</summary>
public sealed class GitHubRecordsTests
{
    private static async Task<List<string>> KeysAsync(GitHubPlace place, string ending) =>
        [.. (await place.StoredAsync()).Select(item => item[..item.LastIndexOf(' ')]).Where(key => key.EndsWith(ending, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static async Task<List<JsonNode>> RecordsAsync(GitHubPlace place, string key) => [.. (await place.LinesAsync(key)).Select(line => JsonNode.Parse(line)!)];

    [Fact]
    public async Task All_kinds_are_stored_whole_and_more_than_one_page_of_them()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        var content = place.Server.Content(repository);
        content.Label("bug");
        content.Milestone("1.0");
        for (var i = 0; i < 230; i++)
            content.Issue($"issue {i}");
        content.Comment(1, "first");
        content.Event(1, "closed");
        content.Review((int)content.PullRequest("change")["number"]!, "fine");
        content.Add("review-comments", new() { ["id"] = 5, ["body"] = "here", ["updated_at"] = "2026-01-02T03:04:05Z", ["created_at"] = "2026-01-02T03:04:05Z" });
        content.Asset(content.Release("v1"), "app.bin", Encoding.UTF8.GetBytes("the asset"));
        content.Add("rulesets", new() { ["id"] = 7, ["name"] = "main" });
        content.Add("environments", new() { ["id"] = 8, ["name"] = "production" });
        content.Add("branch-protections", new() { ["name"] = "main", ["enforce_admins"] = new JsonObject { ["enabled"] = true } });
        content.Add("hooks", JsonNode.Parse("""{"id":9,"name":"web","config":{"url":"https://hooks.example.com/x?token=very-secret","secret":"********","content_type":"json"}}""")!.AsObject());
        content.Add("topics", new() { ["name"] = "backup" });

        var result = (await place.BackupAsync()).Single();

        result.Failures.ShouldBeEmpty();
        (await RecordsAsync(place, (await KeysAsync(place, "/issues.jsonl.gz")).Single())).Select(issue => (string)issue["title"]!).ShouldBe(
            Enumerable.Range(0, 230).Select(i => $"issue {i}").Append("change"));
        foreach (var kind in new[] { "labels", "milestones", "issue-comments", "issue-events", "pulls", "reviews", "review-comments", "releases", "rulesets", "environments", "branch-protections", "webhooks", "settings" })
            (await RecordsAsync(place, (await KeysAsync(place, $"/{kind}.jsonl.gz")).Single())).Count.ShouldBe(1, kind);
        var hook = (await place.LinesAsync((await KeysAsync(place, "/webhooks.jsonl.gz")).Single())).Single();
        hook.ShouldContain("hooks.example.com/x");
        hook.ShouldNotContain("secret");
        (await RecordsAsync(place, (await KeysAsync(place, "/settings.jsonl.gz")).Single()))[0]["topics"]!.AsArray().Select(topic => (string)topic!).ShouldBe(["backup"]);
        await using var store = await place.OpenAsync();
        await using var asset = await store.ReadAsync((await store.ListAsync(result.Folder + "/assets/").ToListAsync()).Single().Key);
        (await new StreamReader(asset.Stream).ReadToEndAsync()).ShouldBe("the asset");
    }

    [Fact]
    public async Task Only_what_was_updated_is_stored_again()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        var content = place.Server.Content(repository);
        var old = content.Issue("old");
        content.Issue("changes");
        content.PullRequest("pull");
        content.Event(1, "labeled");
        // As it is with real ones: nothing of the first run was updated in the very second of the second.
        foreach (var issue in repository.RecordsOf("issues").Concat(repository.RecordsOf("pulls")))
            (issue["updated_at"], issue["created_at"]) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        await place.BackupAsync();
        await place.BackupAsync();
        (await KeysAsync(place, "/issues.jsonl.gz")).Count.ShouldBe(1);

        repository.RecordsOf("issues")[1]["title"] = "changed";
        repository.RecordsOf("issues")[1]["updated_at"] = DateTimeOffset.UtcNow.AddSeconds(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        content.Issue("new");
        content.Event(2, "renamed");
        content.PullRequest("second");
        var result = (await place.BackupAsync()).Single();

        result.Outcome.ShouldBe(Outcome.Completed);
        var files = await KeysAsync(place, "/issues.jsonl.gz");
        files.Count.ShouldBe(2);
        (await RecordsAsync(place, files[1])).Select(issue => (string)issue["title"]!).ShouldBe(["changed", "new", "second"], ignoreOrder: true);
        (await RecordsAsync(place, (await KeysAsync(place, "/issue-events.jsonl.gz"))[1])).Select(item => (string)item["event"]!).ShouldBe(["renamed"]);
        (await RecordsAsync(place, (await KeysAsync(place, "/pulls.jsonl.gz"))[1])).Select(pull => (string)pull["title"]!).ShouldBe(["second"]);

        // Merged, the newest of each.
        await using var store = await place.OpenAsync();
        var merged = await RecordReader.ReadAsync(store, files, "number", CancellationToken.None).Select(issue => issue.GetProperty("title").GetString()).ToListAsync();
        merged.ShouldBe(["old", "changed", "pull", "new", "second"]);
        _ = old;
    }

    [Fact]
    public async Task What_is_updated_twice_within_a_second_is_not_missed()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        var issue = place.Server.Content(repository).Issue("first text");
        // All in one second, as far as the times tell.
        var second = DateTimeOffset.UtcNow.AddSeconds(30).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        issue["updated_at"] = second;
        await place.BackupAsync();
        issue["title"] = "second text";
        await place.BackupAsync();

        var files = await KeysAsync(place, "/issues.jsonl.gz");
        files.Count.ShouldBe(2);
        (await place.LinesAsync(files[1])).Single().ShouldContain("second text");
        (await place.BackupAsync()).Single().Outcome.ShouldBe(Outcome.Unchanged);
    }

    [Fact]
    public async Task A_run_without_news_costs_answers_of_304_alone_and_none_of_the_limit()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        var content = place.Server.Content(repository);
        content.Label("bug");
        content.Issue("one");
        content.PullRequest("two");
        content.Release("v1");
        content.Event(1, "closed");
        await place.BackupAsync();

        place.Server.ClearRequests();
        await place.BackupAsync();

        var api = place.Server.Requests.Where(request => request.Path.StartsWith("/api/v3/repos/", StringComparison.Ordinal)).ToList();
        api.Count.ShouldBeGreaterThan(10);
        api.Where(request => request.Status != 304).Select(request => request.ToString()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_full_pass_forgets_what_was_deleted_and_the_older_file_stays()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        place.Server.Content(repository).Comment(1, "deleted later");
        place.Server.Content(repository).Comment(1, "stays");
        await place.BackupAsync();
        repository.RecordsOf("comments").RemoveAt(0);
        await place.BackupAsync();
        (await KeysAsync(place, "/issue-comments.jsonl.gz")).Count.ShouldBe(1);

        await place.BackupAsync(place.Options("acme") with { FullEvery = TimeSpan.Zero });

        var files = await KeysAsync(place, "/issue-comments.jsonl.gz");
        files.Count.ShouldBe(2);
        (await place.LinesAsync(files[1])).Single().ShouldContain("stays");
    }

    [Fact]
    public async Task Issues_that_are_turned_off_and_settings_that_are_hidden_are_no_failure()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        repository.HasIssues = false;
        repository.HasPullRequests = false;
        place.Server.Faults.Add("/repos/acme/app/hooks", new FaultAction(404, """{"message":"Not Found"}"""), times: int.MaxValue);
        place.Server.Faults.Add("/repos/acme/app/environments", new FaultAction(403, """{"message":"Resource not accessible by personal access token"}"""), times: int.MaxValue);

        (await place.BackupAsync()).Single().Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_kind_that_fails_leaves_the_others_and_is_asked_for_again()
    {
        await using var place = await GitHubPlace.CreateAsync(isImpatient: true);
        var repository = await place.AddAsync("acme/app");
        place.Server.Content(repository).Label("bug");
        place.Server.Content(repository).Release("v1");
        var broken = place.Server.Faults.Add("/repos/acme/app/labels", new FaultAction(500, "oops"), times: int.MaxValue);

        var first = (await place.BackupAsync()).Single();
        first.Outcome.ShouldBe(Outcome.Failed);
        first.Kind.ShouldBe(FailureKind.Unavailable);
        broken.Hits.ShouldBe(5);
        (await KeysAsync(place, "/releases.jsonl.gz")).Count.ShouldBe(1);
        (await KeysAsync(place, ".bundle")).Count.ShouldBe(1);

        place.Server.Faults.Clear();
        (await place.BackupAsync()).Single().Outcome.ShouldBe(Outcome.Completed);
        (await KeysAsync(place, "/labels.jsonl.gz")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_asset_that_is_not_what_its_digest_says_is_not_stored()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        var content = place.Server.Content(repository);
        content.Asset(content.Release("v1"), "app.bin", Encoding.UTF8.GetBytes("bytes"))["digest"] = "sha256:" + new string('0', 64);

        var result = (await place.BackupAsync()).Single();

        result.Outcome.ShouldBe(Outcome.Failed);
        result.Kind.ShouldBe(FailureKind.ChecksumMismatch);
        (await place.StoredAsync()).ShouldNotContain(item => item.Contains("/assets/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_belongs_to_accounts_is_stored_with_them()
    {
        await using var place = await GitHubPlace.CreateAsync();
        place.Server.World.RecordsOf("acme", "members").Add(new() { ["login"] = "hubot", ["id"] = 2 });
        place.Server.World.RecordsOf("acme", "teams").Add(new() { ["id"] = 3, ["slug"] = "ops", ["name"] = "Ops" });
        place.Server.World.RecordsOf("acme", "teams/ops/members").Add(new() { ["login"] = "hubot", ["id"] = 2 });
        place.Server.World.RecordsOf("acme", "teams/ops/repos").Add(new() { ["full_name"] = "acme/app", ["role_name"] = "admin" });
        place.Server.World.RecordsOf("octocat", "gists").Add(JsonNode.Parse("""{"id":"abc","description":"d","files":{"a.txt":{"filename":"a.txt","content":"text of the gist"}}}""")!.AsObject());

        var organization = (await place.BackupAsync()).Single();
        organization.FullName.ShouldBe("acme");
        (await place.LinesAsync((await KeysAsync(place, "/members.jsonl.gz")).Single())).Single().ShouldContain("hubot");
        var team = (await place.LinesAsync((await KeysAsync(place, "/teams.jsonl.gz")).Single())).Single();
        team.ShouldContain("\"role_name\":\"admin\"");
        team.ShouldContain("hubot");

        await place.BackupAsync(place.Options());
        (await place.LinesAsync((await KeysAsync(place, "/gists.jsonl.gz")).Single())).Single().ShouldContain("text of the gist");
        (await place.BackupAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_archive_of_the_default_branch_is_whole_or_not_there()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/app");
        place.Server.AddRepository("acme/empty");
        var options = place.Options("acme") with { Content = GitHubContent.Zip };
        place.Server.Faults.Add("/_download/", new FaultAction(TruncateAfter: 50), times: int.MaxValue);

        (await place.BackupAsync(options)).Single(result => result.FullName == "acme/app").Outcome.ShouldBe(Outcome.Failed);
        (await KeysAsync(place, ".zip")).ShouldBeEmpty();
        place.Server.Faults.Clear();

        (await place.BackupAsync(options)).Single(result => result.FullName == "acme/app").Outcome.ShouldBe(Outcome.Completed);
        await using var store = await place.OpenAsync();
        await using var content = await store.ReadAsync((await KeysAsync(place, ".zip")).Single());
        using var bytes = new MemoryStream();
        await content.Stream.CopyToAsync(bytes);
        using var archive = new System.IO.Compression.ZipArchive(bytes);
        archive.Entries.ShouldContain(entry => entry.Name == "file.txt");
        (await place.BackupAsync(options)).ShouldAllBe(result => result.Outcome == Outcome.Unchanged);
    }
}
