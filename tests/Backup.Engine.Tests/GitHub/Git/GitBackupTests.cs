using Backup.Engine.GitHub.Git;
using Backup.Engine.Tests.Fixtures;
using static Backup.Engine.Tests.GitHub.Git.GitPlace;

namespace Backup.Engine.Tests.GitHub.Git;

public sealed class GitBackupTests
{
    [Fact]
    public async Task A_first_generation_is_a_bundle_that_git_clones_with_all_refs()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")), ("dir/b.bin", Noise(200_000, 1)));
        await place.Source.CommitAsync("refs/heads/feature/x", ("c.txt", Text("two")));
        await place.Source.GitAsync("tag", "-a", "-m", "first", "v1", "refs/heads/main");
        await place.Source.GitAsync("update-ref", "refs/pull/7/head", "refs/heads/feature/x");
        await place.Source.GitAsync("update-ref", "refs/pull/7/merge", "refs/heads/main");

        var result = await place.RunAsync();

        result.Outcome.ShouldBe(Outcome.Completed);
        (await place.KeysAsync()).ShouldBe(["github/acme/app.1/20261101T000000Z/repository.bundle", "github/acme/app.1/20261101T000000Z/repository.json"], ignoreOrder: true);
        var clone = new SourceRepository(place.Directory.Combine("clone.git"));
        (await PeerProgram.RunAsync("git", ["clone", "-q", "--mirror", await place.DownloadAsync(result.Generation.Bundles[0].Key), clone.Path])).Succeeded();
        var expected = (await place.Source.RefsAsync()).Where(line => !line.EndsWith("refs/pull/7/merge", StringComparison.Ordinal)).ToArray();
        (await clone.RefsAsync()).ShouldBe(expected);
        result.Generation.Refs.ShouldBe(expected);
        (await clone.ReachableAsync()).ShouldBe(await place.Source.ReachableAsync());
        (await clone.GitAsync("fsck", "--full", "--strict")).ShouldBeEmpty();
        (await clone.GitAsync("symbolic-ref", "HEAD")).ShouldBe("refs/heads/main");
        Directory.GetFileSystemEntries(place.Directory.Combine("work")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_new_is_one_request_and_no_process_and_no_write()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await place.RunAsync();
        place.Server.ClearRequests();
        var keys = await place.KeysAsync();

        (await place.RunAsync()).Outcome.ShouldBe(Outcome.Unchanged);

        place.Server.Requests.Count.ShouldBe(1);
        (await place.KeysAsync()).ShouldBe(keys);
        // The state was lost: the store knows.
        place.State = null;
        (await place.RunAsync()).Outcome.ShouldBe(Outcome.Unchanged);
        (await place.KeysAsync()).ShouldBe(keys);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_second_generation_holds_only_what_is_new_and_git_fetches_the_chain(bool mirror)
    {
        await using var place = await CreateAsync();
        place.MirrorPath = mirror ? place.Directory.Combine("mirrors") : null;
        await place.Source.CommitAsync("refs/heads/main", ("big.bin", Noise(500_000, 1)));
        await place.RunAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("two")));
        await place.Source.CommitAsync("refs/heads/other", ("b.txt", Text("three")));

        var second = await place.RunAsync();

        second.Generation.Full.ShouldBeNull();
        second.Generation.Bundles.Count.ShouldBe(2);
        second.Generation.Bundles[1].Size.ShouldBeLessThan(5_000);
        second.Objects.ShouldBe(6);
        second.Generation.Changes.ShouldBe([
            new("refs/heads/main", RefChangeKind.Moved, second.Generation.Changes[0].Old, second.Generation.Changes[0].New),
            new("refs/heads/other", RefChangeKind.Created, null, second.Generation.Changes[1].New)]);

        var clone = new SourceRepository(place.Directory.Combine("clone.git"));
        (await PeerProgram.RunAsync("git", ["clone", "-q", "--mirror", await place.DownloadAsync(second.Generation.Bundles[0].Key), clone.Path])).Succeeded();
        var bundle = await place.DownloadAsync(second.Generation.Bundles[1].Key);
        await clone.GitAsync("bundle", "verify", bundle);
        await clone.GitAsync("fetch", "-q", "--prune", bundle, "+refs/*:refs/*");
        (await clone.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        await clone.GitAsync("fsck", "--full", "--strict");
        if (mirror)
        {
            var copy = new SourceRepository(Directory.GetDirectories(place.MirrorPath!).ShouldHaveSingleItem());
            (await copy.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
            await copy.GitAsync("fsck", "--full", "--strict");
        }
    }

    [Fact]
    public async Task A_force_push_and_a_deleted_branch_are_told_and_the_older_bundle_stays()
    {
        await using var place = await CreateAsync();
        var lost = await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await place.Source.CommitAsync("refs/heads/gone", ("g.txt", Text("gone")));
        var first = await place.RunAsync();
        await place.Source.ReplaceAsync("refs/heads/main", ("a.txt", Text("rewritten")));
        await place.Source.GitAsync("update-ref", "-d", "refs/heads/gone");
        await place.Source.GitAsync("reflog", "expire", "--expire=now", "--all");
        await place.Source.GitAsync("gc", "-q", "--prune=now");

        var second = await place.RunAsync();

        second.Generation.Changes.Select(change => (change.Name, change.Kind)).ShouldBe([("refs/heads/gone", RefChangeKind.Deleted), ("refs/heads/main", RefChangeKind.Forced)]);
        second.Generation.Changes[1].Old.ShouldBe(lost);
        second.Generation.Bundles[0].ShouldBe(first.Generation.Bundles[0]);
    }

    [Fact]
    public async Task Refs_that_move_among_known_objects_need_no_bundle()
    {
        await using var place = await CreateAsync();
        var old = await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("two")));
        await place.RunAsync();
        // The older commit is no ref's: the server sends a pack of nothing.
        await place.Source.GitAsync("update-ref", "refs/heads/main", old);

        var back = await place.RunAsync();
        back.Outcome.ShouldBe(Outcome.Completed);
        back.Generation.Bundles.Count.ShouldBe(1);
        back.Generation.Changes.ShouldHaveSingleItem().Kind.ShouldBe(RefChangeKind.Forced);
        back.Stored.ShouldHaveSingleItem().Key.ShouldEndWith("repository.json");

        // The same commit by another name: not even a request for a pack.
        await place.Source.GitAsync("update-ref", "refs/heads/again", old);
        place.Server.ClearRequests();
        (await place.RunAsync()).Generation.Refs.Count.ShouldBe(2);
        place.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_empty_repository_is_a_generation_without_bundles()
    {
        await using var place = await CreateAsync();
        var empty = await place.RunAsync();
        empty.IsEmpty.ShouldBeTrue();
        empty.Outcome.ShouldBe(Outcome.Completed);
        (await place.RunAsync()).Outcome.ShouldBe(Outcome.Unchanged);

        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        var filled = await place.RunAsync();
        filled.Generation.Full.ShouldNotBeNull();

        // All branches deleted: recorded, and what was there stays.
        await place.Source.GitAsync("update-ref", "-d", "refs/heads/main");
        var emptied = await place.RunAsync();
        emptied.IsEmpty.ShouldBeTrue();
        emptied.Generation.Previous.ShouldBe(filled.State.ManifestKey);
        (await place.KeysAsync()).ShouldContain(key => key == filled.Generation.Bundles[0].Key);
    }

    [Fact]
    public async Task A_chain_that_grows_long_begins_anew()
    {
        await using var place = await CreateAsync();
        for (var i = 0; i < 4; i++)
        {
            await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text($"{i}")));
            var result = await place.RunAsync(options: options => options with { MaxChain = 3 });
            result.Generation.Bundles.Count.ShouldBe(i < 3 ? i + 1 : 1);
            (result.Generation.Full is not null).ShouldBe(i is 0 or 3);
        }
    }

    [Fact]
    public async Task Five_thousand_refs_travel_and_come_back()
    {
        await using var place = await CreateAsync();
        var commit = await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        var refs = Enumerable.Range(0, 5000).Select(i => $"{commit} refs/tags/release-{i}").ToArray();
        await File.WriteAllLinesAsync(Path.Combine(place.Repository.Path, "packed-refs"), refs.Order(StringComparer.Ordinal));
        var result = await place.RunAsync();
        result.Generation.Refs.Count.ShouldBe(5001);
        (await PeerProgram.RunAsync("git", ["bundle", "list-heads", await place.DownloadAsync(result.Generation.Bundles[0].Key)])).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(5002);
    }

    [Fact]
    public async Task A_damaged_chain_in_the_store_makes_the_next_generation_full()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Noise(10_000, 1)));
        var first = await place.RunAsync();
        await foreach (var _ in place.Store.DeleteAsync(new[] { first.Generation.Bundles[0].Key }.ToAsyncEnumerable()))
        {
        }

        await place.Store.ExpireVersionsAsync(TimeSpan.Zero);
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("two")));

        var result = await place.RunAsync();

        result.Generation.Full.ShouldNotBeNull().ShouldStartWith("the chain cannot be read");
        result.Generation.Bundles.ShouldHaveSingleItem();
        (await PeerProgram.RunAsync("git", ["clone", "-q", "--mirror", await place.DownloadAsync(result.Generation.Bundles[0].Key), place.Directory.Combine("clone.git")])).Succeeded();
    }

    [Theory]
    [InlineData("packs")]
    [InlineData("list")]
    [InlineData("all")]
    [InlineData("begun")]
    public async Task A_mirror_that_was_lost_is_made_again_from_the_store(string lost)
    {
        await using var place = await CreateAsync();
        place.MirrorPath = place.Directory.Combine("mirrors");
        await place.Source.CommitAsync("refs/heads/main", ("a.bin", Noise(20_000, 1)));
        await place.RunAsync();
        var mirror = Directory.GetDirectories(place.MirrorPath).ShouldHaveSingleItem();
        if (lost is "packs")
            Array.ForEach(Directory.GetFiles(Path.Combine(mirror, "objects", "pack")), File.Delete);
        else if (lost is "list")
            await File.WriteAllTextAsync(Path.Combine(mirror, "atlassianbackup.json"), "{ not json");
        else
            Directory.Delete(mirror, recursive: true);
        if (lost is "begun")
        {
            // Killed between its first two files.
            Directory.CreateDirectory(mirror);
            await File.WriteAllTextAsync(Path.Combine(mirror, "atlassianbackup.json"), "{}");
        }

        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("two")));
        var result = await place.RunAsync();

        result.Generation.Full.ShouldBeNull();
        var copy = new SourceRepository(mirror);
        (await copy.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        await copy.GitAsync("fsck", "--full", "--strict");
    }

    [Fact]
    public async Task A_mirror_in_use_by_another_run_is_told()
    {
        await using var place = await CreateAsync();
        place.MirrorPath = place.Directory.Combine("mirrors");
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        var git = await GitProgram.FindAsync();
        await using (PackPool.Open(git, Path.Combine(place.MirrorPath, $"{place.Repository.Id}.git"), ObjectFormat.Sha1, isTemporary: false))
            (await Should.ThrowAsync<BackupException>(() => place.RunAsync())).Kind.ShouldBe(FailureKind.Busy);
        (await place.RunAsync()).Outcome.ShouldBe(Outcome.Completed);
    }
}
