using Backup.Engine.GitHub;
using Backup.Engine.Tests.GitHub.Git;
using Backup.TestServers.GitHub;

namespace Backup.Engine.Tests.GitHub;

/// <summary>What a restore refuses, because it would destroy something or say what is not so.</summary>
public sealed class GitHubRestoreTargetTests
{
    private static GitHubRestoreOptions Options(GitHubPlace place, params string[] names) =>
        new() { From = place.Destination, Names = names, Path = place.Directory.Combine("restored") };

    private static async Task<List<GitHubRestoreResult>> RestoreAsync(GitHubRestoreOptions options) => await GitHubRestore.RunAsync(options).ToListAsync();

    [Fact]
    public async Task What_was_never_backed_up_is_not_said_to_be_there()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/good");
        place.Server.AddRepository("acme/empty");
        (await place.AddAsync("acme/dmca")).State = RepositoryState.Dmca;
        await place.BackupAsync();

        var results = (await RestoreAsync(Options(place, "acme/*"))).ToDictionary(result => result.FullName, StringComparer.Ordinal);

        results["acme/good"].Outcome.ShouldBe(Outcome.Completed);
        results["acme/dmca"].Outcome.ShouldBe(Outcome.Skipped);
        results["acme/dmca"].Reason!.ShouldContain("never backed up");
        results["acme/dmca"].Reason!.ShouldContain("blocked");
        // A repository without commits comes back as one.
        results["acme/empty"].Outcome.ShouldBe(Outcome.Completed);
        (await new SourceRepository(results["acme/empty"].Target).GitAsync("rev-parse", "--is-bare-repository")).ShouldStartWith("true");
        Directory.Exists(results["acme/dmca"].Target).ShouldBeFalse();

        // Asked for by its name, it is an error; and no empty repository is made on GitHub.
        var named = (await RestoreAsync(Options(place, "acme/dmca"))).Single();
        (named.Outcome, named.Kind).ShouldBe((Outcome.Failed, FailureKind.NotFound));
        await using var target = await GitHubServer.StartAsync();
        var connection = new GitHubConnection { ApiUri = target.ApiUri, Credential = GitHubCredential.ForToken(target.Token), WritesPerMinute = 60_000 };
        (await RestoreAsync(Options(place, "acme/dmca") with { Path = null, Owner = "octocat", Connection = connection })).Single().Outcome.ShouldBe(Outcome.Failed);
        target.World.Repositories.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("git@git.example.com:mirror/{name}.git")]
    [InlineData("file:///tmp/{name}.git")]
    [InlineData("https://user:secret@git.example.com/{name}.git")]
    [InlineData("{name}")]
    public async Task An_address_that_cannot_be_pushed_to_ends_it_at_once(string remote)
    {
        using var directory = new Fixtures.TemporaryDirectory();

        var failure = await Should.ThrowAsync<BackupException>(() => RestoreAsync(new() { From = Engine.Stores.StoreLocation.ForDirectory(directory.Path), Names = ["acme/app"], Remote = remote }));

        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.Advice!.ShouldContain("-Path");
        (failure.Message + failure.Advice).ShouldNotContain("secret");
    }

    [Fact]
    public async Task Two_repositories_never_become_one()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/app");
        await place.AddAsync("acme/web");
        place.Server.World.AddAccount("umbrella", organization: true);
        await place.AddAsync("umbrella/app");
        await place.BackupAsync(place.Options("acme", "umbrella"));
        await using var target = await GitHubServer.StartAsync();
        var there = target.AddRepository("mirror/all");
        var connection = new GitHubConnection { ApiUri = target.ApiUri, Credential = GitHubCredential.ForToken(target.Token) };
        var options = Options(place, "*") with { Path = null, Connection = connection };

        (await Should.ThrowAsync<BackupException>(() => RestoreAsync(options with { Remote = target.Endpoint + "mirror/all.git" }))).Advice!.ShouldContain("{name}");
        (await Should.ThrowAsync<BackupException>(() => RestoreAsync(options with { Remote = target.Endpoint + "mirror/{name}.git" }))).Message.ShouldContain("umbrella/app");
        (await Should.ThrowAsync<BackupException>(() => RestoreAsync(options with { Owner = "octocat" }))).Kind.ShouldBe(FailureKind.InvalidInput);

        target.World.Repositories.ShouldBe([there]);
        (await new SourceRepository(there.Path).GitAsync("for-each-ref")).ShouldBeEmpty();
        (await RestoreAsync(options with { Names = ["acme/app"], Remote = target.Endpoint + "mirror/all.git" })).Single().Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task Of_two_repositories_of_one_name_the_living_one_is_restored_and_the_other_told()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var first = await place.AddAsync("acme/app", "first");
        await place.BackupAsync();
        first.State = RepositoryState.Deleted;
        place.Server.World.Rename(first, "acme/app-deleted");
        var second = await place.AddAsync("acme/app", "second");
        await place.BackupAsync();
        await using var target = await GitHubServer.StartAsync();
        var copy = target.AddRepository("mirror/app");
        var connection = new GitHubConnection { ApiUri = target.ApiUri, Credential = GitHubCredential.ForToken(target.Token) };

        var results = await RestoreAsync(Options(place, "acme/app") with { Path = null, Remote = target.Endpoint + "mirror/{name}.git", Connection = connection });

        results.Select(result => result.Outcome).ShouldBe([Outcome.Skipped, Outcome.Completed], ignoreOrder: true);
        (await new SourceRepository(copy.Path).GitAsync("for-each-ref")).ShouldBe(await new SourceRepository(second.Path).GitAsync("for-each-ref"));
        (await RestoreAsync(Options(place, "acme/app"))).Select(result => result.Target).Distinct(StringComparer.Ordinal).Count().ShouldBe(2);
    }

    [Fact]
    public async Task Files_that_were_edited_since_are_overwritten_only_by_force()
    {
        await using var place = await GitHubPlace.CreateAsync();
        await place.AddAsync("acme/app", "stored");
        await place.BackupAsync();
        var options = Options(place, "acme/app") with { Checkout = true };
        var file = Path.Combine((await RestoreAsync(options)).Single().Target, "file.txt");
        (await RestoreAsync(options)).Single().Outcome.ShouldBe(Outcome.Completed);
        await File.WriteAllTextAsync(file, "edited here");

        var refused = (await RestoreAsync(options)).Single();

        (refused.Outcome, refused.Kind).ShouldBe((Outcome.Failed, FailureKind.AlreadyExists));
        (await File.ReadAllTextAsync(file)).ShouldBe("edited here");
        (await RestoreAsync(options with { Force = true })).Single().Outcome.ShouldBe(Outcome.Completed);
        (await File.ReadAllTextAsync(file)).ShouldBe("stored");
        // What is gone is no work of anybody's.
        File.Delete(file);
        (await RestoreAsync(options)).Single().Outcome.ShouldBe(Outcome.Completed);
        File.Exists(file).ShouldBeTrue();
    }
}
