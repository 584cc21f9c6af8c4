using System.Security.Cryptography;
using Backup.Engine.GitHub;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.GitHub;
using Backup.TestServers.GitHub.Faults;

namespace Backup.Engine.Tests.GitHub;

/// <summary>How the API is asked: limits, tokens, pages, redirects.</summary>
public sealed class GitHubClientTests
{
    private static async Task<List<string>> NamesAsync(GitHubPlace place, GitHubListOptions? options = null) =>
        await GitHubRepositories.ListAsync(options ?? new() { Connection = place.Connection, Organizations = ["acme"], Time = place.Time ?? TimeProvider.System }).Select(repository => repository.FullName).ToListAsync();

    [Fact]
    public async Task A_list_is_read_to_its_last_page()
    {
        await using var place = await GitHubPlace.CreateAsync();
        for (var i = 0; i < 205; i++)
            place.Server.AddRepository($"acme/r{i:D3}");

        (await NamesAsync(place)).ShouldBe(Enumerable.Range(0, 205).Select(i => $"acme/r{i:D3}"));
        place.Server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_page_that_leads_to_another_origin_is_not_followed()
    {
        await using var place = await GitHubPlace.CreateAsync();
        place.Server.AddRepository("acme/app");
        place.Server.Faults.Add("/orgs/acme/repos", new FaultAction(200, "[]", new Dictionary<string, string>(StringComparer.Ordinal) { ["Link"] = "<http://localhost:1/next>; rel=\"next\"" }));

        var failure = await Should.ThrowAsync<BackupException>(() => NamesAsync(place));
        failure.Kind.ShouldBe(FailureKind.Unavailable);
        failure.Message.ShouldContain("another place");
    }

    [Theory]
    [InlineData(17)]
    [InlineData(null)]
    public async Task The_secondary_limit_is_waited_for_as_long_as_asked_or_a_minute(int? retryAfter)
    {
        await using var place = await GitHubPlace.CreateAsync(isImpatient: true);
        place.Server.AddRepository("acme/app");
        place.Server.Faults.Add("/orgs/acme/repos", FaultAction.SecondaryLimit(retryAfter));
        var advancing = new AdvancingTime();

        var names = await NamesAsync(place, new() { Connection = place.Connection, Organizations = ["acme"], Time = advancing });

        names.ShouldBe(["acme/app"]);
        advancing.Waited.TotalSeconds.ShouldBeInRange(retryAfter ?? 60, (retryAfter ?? 60) + 1);
    }

    [Fact]
    public async Task The_primary_limit_is_waited_for_until_its_reset()
    {
        await using var place = await GitHubPlace.CreateAsync();
        place.Server.AddRepository("acme/app");
        place.Server.Faults.Add("/orgs/acme/repos", FaultAction.PrimaryLimit(DateTimeOffset.UtcNow.AddMinutes(40)));
        var advancing = new AdvancingTime();

        (await NamesAsync(place, new() { Connection = place.Connection, Organizations = ["acme"], Time = advancing })).ShouldBe(["acme/app"]);

        advancing.Waited.TotalMinutes.ShouldBeInRange(39, 41);
    }

    [Fact]
    public async Task A_limit_that_does_not_end_is_given_up_and_named()
    {
        await using var place = await GitHubPlace.CreateAsync();
        place.Server.Faults.Add("/orgs/acme/repos", FaultAction.SecondaryLimit(5), times: int.MaxValue);

        var failure = await Should.ThrowAsync<BackupException>(() => NamesAsync(place, new() { Connection = place.Connection, Organizations = ["acme"], Time = new AdvancingTime() }));

        failure.Kind.ShouldBe(FailureKind.Throttled);
        place.Server.Requests.Count.ShouldBe(8);
    }

    [Fact]
    public async Task A_plain_403_is_no_limit_and_not_asked_again()
    {
        await using var place = await GitHubPlace.CreateAsync();
        place.Server.Faults.Add("/orgs/acme/repos", new FaultAction(403, """{"message":"Must have admin rights to Repository."}"""), times: int.MaxValue);

        var failure = await Should.ThrowAsync<BackupException>(() => NamesAsync(place));

        failure.Kind.ShouldBe(FailureKind.PermissionDenied);
        failure.Message.ShouldContain("Must have admin rights");
        place.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task After_a_complaint_fewer_requests_are_in_flight_and_then_more_again()
    {
        var time = new AdvancingTime();
        var governor = new RequestGovernor(16, 60, time, null);
        for (var i = 0; i < 1000; i++)
        {
            using (await governor.EnterAsync(isWrite: false, CancellationToken.None))
                governor.Good();
        }

        governor.Limit.ShouldBe(16);
        governor.Pause(TimeSpan.FromSeconds(1), "test");
        governor.Limit.ShouldBe(8);
    }

    [Fact]
    public async Task Writes_are_spaced_and_five_hundred_an_hour()
    {
        var time = new AdvancingTime();
        var governor = new RequestGovernor(16, 80, time, null);
        for (var i = 0; i < 501; i++)
        {
            using (await governor.EnterAsync(isWrite: true, CancellationToken.None))
            {
                // Sent.
            }
        }

        time.Waited.TotalMinutes.ShouldBeInRange(60, 60.1);
    }

    [Fact]
    public async Task A_wrong_token_ends_it_and_is_not_repeated_in_the_message()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var connection = place.Connection with { Credential = GitHubCredential.ForToken("ghp_wrong_token_123") };

        var failure = await Should.ThrowAsync<BackupException>(() => NamesAsync(place, new() { Connection = connection, Organizations = ["acme"] }));

        failure.Kind.ShouldBe(FailureKind.AuthenticationFailed);
        failure.ToString().ShouldNotContain("ghp_wrong");
        connection.ToString().ShouldNotContain("ghp_wrong");
    }

    [Fact]
    public async Task An_app_signs_in_and_its_token_is_made_anew_when_it_ends()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/one");
        await place.AddAsync("acme/two");
        await place.AddAsync("other/hidden");
        using var key = RSA.Create(2048);
        place.Server.World.AddInstallation("4711", key.ExportSubjectPublicKeyInfoPem(), 99, "acme");
        var connection = place.Connection with { Credential = GitHubCredential.ForApp("4711", 99, key.ExportRSAPrivateKeyPem()) };
        var options = place.Options() with { List = new() { Connection = connection } };

        (await place.BackupAsync(options)).Select(result => (result.FullName, result.Outcome)).ShouldBe([("acme/one", Outcome.Completed), ("acme/two", Outcome.Completed)], ignoreOrder: true);
        place.Server.Requests.Count(request => request.Path.EndsWith("/access_tokens", StringComparison.Ordinal)).ShouldBe(1);

        // One whose life is shorter than our margin is made anew for each request; one that the server has forgotten, once.
        using var client = new GitHubClient(connection, TimeProvider.System, null);
        await client.ListAsync(Operation.ListRepositoriesOfInstallation, [], "", "repositories", CancellationToken.None).ToListAsync();
        place.Server.ExpireInstallationTokens();
        (await client.ListAsync(Operation.ListRepositoriesOfInstallation, [], "", "repositories", CancellationToken.None).ToListAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_key_of_another_app_is_refused_and_a_text_that_is_no_key_as_well()
    {
        await using var place = await GitHubPlace.CreateAsync();
        using var key = RSA.Create(2048);
        using var other = RSA.Create(2048);
        place.Server.World.AddInstallation("4711", key.ExportSubjectPublicKeyInfoPem(), 99, "acme");
        var connection = place.Connection with { Credential = GitHubCredential.ForApp("4711", 99, other.ExportRSAPrivateKeyPem()) };

        (await Should.ThrowAsync<BackupException>(() => NamesAsync(place, new() { Connection = connection }))).Kind.ShouldBe(FailureKind.AuthenticationFailed);
        var failure = Should.Throw<BackupException>(() => GitHubCredential.ForApp("4711", 99, "-----BEGIN secret nonsense"));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.ToString().ShouldNotContain("nonsense");
    }

    [Fact]
    public async Task A_renamed_repository_is_found_by_its_old_name_with_the_token()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/old");
        repository.Private = true;
        place.Server.World.Rename(repository, "acme/new");

        (await NamesAsync(place, new() { Connection = place.Connection, Names = ["acme/old"] })).ShouldBe(["acme/new"]);
    }

    [Fact]
    public async Task Names_that_would_leave_the_operation_are_refused()
    {
        await using var place = await GitHubPlace.CreateAsync();

        (await Should.ThrowAsync<BackupException>(() => NamesAsync(place, new() { Connection = place.Connection, Names = ["../orgs"] }))).Kind.ShouldBe(FailureKind.InvalidInput);
        place.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Filters_take_what_they_say()
    {
        await using var place = await GitHubPlace.CreateAsync();
        foreach (var name in new[] { "api-a", "api-b", "web", "fork", "old" })
            place.Server.AddRepository($"acme/{name}");
        place.Server.World.Repositories.Single(repository => repository.Name == "fork").Fork = true;
        place.Server.World.Repositories.Single(repository => repository.Name == "old").Archived = true;
        place.Server.AddRepository("octocat/mine");
        var all = new GitHubListOptions { Connection = place.Connection };

        (await NamesAsync(place, all with { Organizations = ["acme"] })).ShouldBe(["acme/api-a", "acme/api-b", "acme/web"]);
        (await NamesAsync(place, all with { Organizations = ["acme"], Include = ["api-*"], Exclude = ["acme/api-b"] })).ShouldBe(["acme/api-a"]);
        (await NamesAsync(place, all with { Organizations = ["acme"], IncludeForks = true, IncludeArchived = true })).Count.ShouldBe(5);
        (await NamesAsync(place, all with { Affiliation = ["owner"] })).ShouldBe(["octocat/mine"]);
        (await NamesAsync(place, all)).Count.ShouldBe(4);
        (await NamesAsync(place, all with { Users = ["octocat"], Organizations = ["acme"], Names = ["acme/web"] })).Count(name => name == "acme/web").ShouldBe(1);
    }

    [Fact]
    public async Task The_header_and_scheme_can_be_set_and_each_request_says_who_it_is()
    {
        await using var place = await GitHubPlace.CreateAsync();
        place.Server.AddRepository("acme/app");
        await NamesAsync(place, new() { Connection = place.Connection with { AuthorizationScheme = "token", Accept = "application/vnd.github.v3+json" }, Organizations = ["acme"] });

        var request = place.Server.Requests.Single();
        request.Headers["Authorization"].ShouldBe("token " + place.Server.Token);
        request.Headers["Accept"].ShouldBe("application/vnd.github.v3+json");
        request.Headers["X-GitHub-Api-Version"].ShouldBe("2022-11-28");
        request.Headers["User-Agent"].ShouldStartWith("AtlassianBackup/");
    }

    [Theory]
    [InlineData("https://api.github.com", "github.com", "https://github.com/", "https://uploads.github.com/")]
    [InlineData("https://api.acme.ghe.com", "acme.ghe.com", "https://acme.ghe.com/", "https://uploads.acme.ghe.com/")]
    [InlineData("https://git.example.com/api/v3", "git.example.com", "https://git.example.com/", "https://git.example.com/api/uploads/")]
    public void Addresses_follow_from_the_api(string api, string host, string git, string uploads)
    {
        var connection = new GitHubConnection { ApiUri = new(api) };
        connection.Host.ShouldBe(host);
        connection.GitUri.AbsoluteUri.ShouldBe(git);
        connection.UploadUri.AbsoluteUri.ShouldBe(uploads);
    }

    [Theory]
    [InlineData("<https://a/x?page=2>; rel=\"next\", <https://a/x?page=9>; rel=\"last\"", "https://a/x?page=2")]
    [InlineData("<https://a/x?page=1>; rel=\"prev\", <https://a/x,y?page=3>; rel=\"next\"", "https://a/x,y?page=3")]
    [InlineData("<https://a/x?page=1>; rel=\"prev\"", null)]
    [InlineData("<https://a/x", null)]
    [InlineData("", null)]
    public void Next_links_are_found(string header, string? next) => LinkHeader.Next(header).ShouldBe(next);

    [Theory]
    [InlineData("0/8")]
    [InlineData("9/8")]
    [InlineData("3")]
    [InlineData("a/b")]
    [InlineData("-1/8")]
    public void Shards_that_are_none_are_refused(string text) => Should.Throw<BackupException>(() => Shard.Parse(text)).Kind.ShouldBe(FailureKind.InvalidInput);
}
