using System.Security.Cryptography;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.GitHub.Faults;
using static Backup.Engine.Tests.GitHub.Git.GitPlace;

namespace Backup.Engine.Tests.GitHub.Git;

public sealed class GitRestoreTests
{
    private static GitRestoreOptions Options(GitPlace place) => new() { Folders = [place.Folder], WorkPath = place.Directory.Combine("work"), Stall = TimeSpan.FromSeconds(30) };

    [Fact]
    public async Task Any_generation_comes_back_with_its_refs_and_objects()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")), ("b.bin", Noise(50_000, 1)));
        await place.Source.CommitAsync("refs/heads/gone", ("g.txt", Text("gone")));
        await place.Source.GitAsync("tag", "-a", "-m", "first", "v1", "refs/heads/main");
        var before = (Refs: await place.Source.RefsAsync(), Objects: await place.Source.ReachableAsync());
        await place.RunAsync();
        await place.Source.ReplaceAsync("refs/heads/main", ("a.txt", Text("rewritten")));
        await place.Source.GitAsync("update-ref", "-d", "refs/heads/gone");
        await place.RunAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("more")));
        await place.RunAsync();

        var options = Options(place);
        var newest = new SourceRepository(place.Directory.Combine("newest"));
        var result = await GitRestore.ToFolderAsync(place.Store, newest.Path, options, CancellationToken.None);
        result.Outcome.ShouldBe(Outcome.Completed);
        (await newest.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        (await newest.ReachableAsync()).ShouldBe(await place.Source.ReachableAsync());
        (await newest.GitAsync("fsck", "--full", "--strict", "--no-dangling")).ShouldBeEmpty();

        var first = new SourceRepository(place.Directory.Combine("first"));
        await GitRestore.ToFolderAsync(place.Store, first.Path, options with { At = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero) }, CancellationToken.None);
        (await first.RefsAsync()).ShouldBe(before.Refs);
        (await first.ReachableAsync()).ShouldBe(before.Objects);
        (await first.GitAsync("symbolic-ref", "HEAD")).ShouldBe("refs/heads/main");

        // Again, and to another time: only what is missing is read.
        await GitRestore.ToFolderAsync(place.Store, first.Path, options, CancellationToken.None);
        (await first.RefsAsync()).ShouldBe(await place.Source.RefsAsync());

        (await Should.ThrowAsync<BackupException>(() => GitRestore.ToFolderAsync(place.Store, place.Directory.Combine("none"), options with { At = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero) }, CancellationToken.None))).Kind.ShouldBe(FailureKind.NotFound);
        Directory.Exists(place.Directory.Combine("none")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_renamed_repository_is_one_history_over_two_folders()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        var before = await place.Source.RefsAsync();
        var first = await place.RunAsync();
        place.Folder = "github/acme/other.1";
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("two")));

        var second = await place.RunAsync();

        second.Generation.Bundles.Select(bundle => bundle.Key).ShouldBe(["github/acme/app.1/20261101T000000Z/repository.bundle", "github/acme/other.1/20261102T000000Z/repository.bundle"]);
        var options = Options(place) with { Folders = ["github/acme/other.1", "github/acme/app.1"] };
        var newest = new SourceRepository(place.Directory.Combine("newest"));
        await GitRestore.ToFolderAsync(place.Store, newest.Path, options, CancellationToken.None);
        (await newest.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        var oldest = new SourceRepository(place.Directory.Combine("oldest"));
        await GitRestore.ToFolderAsync(place.Store, oldest.Path, options with { At = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero) }, CancellationToken.None);
        (await oldest.RefsAsync()).ShouldBe(before);
        var exact = new SourceRepository(place.Directory.Combine("exact"));
        await GitRestore.ToFolderAsync(place.Store, exact.Path, Options(place) with { ManifestKey = first.State.ManifestKey }, CancellationToken.None);
        (await exact.RefsAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task What_is_there_is_never_overwritten()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await place.RunAsync();
        Directory.CreateDirectory(place.Directory.Combine("full"));
        await File.WriteAllTextAsync(place.Directory.Combine("full", "mine"), "mine");
        (await Should.ThrowAsync<BackupException>(() => GitRestore.ToFolderAsync(place.Store, place.Directory.Combine("full"), Options(place), CancellationToken.None))).Kind.ShouldBe(FailureKind.AlreadyExists);
        (await Should.ThrowAsync<BackupException>(() => GitRestore.ToFolderAsync(place.Store, place.Directory.Combine("full"), Options(place) with { Checkout = true }, CancellationToken.None))).Kind.ShouldBe(FailureKind.AlreadyExists);
        Directory.GetFileSystemEntries(place.Directory.Combine("full")).Length.ShouldBe(1);

        var target = new SourceRepository(place.Directory.Combine("target"));
        await GitRestore.ToFolderAsync(place.Store, target.Path, Options(place), CancellationToken.None);
        await target.CommitAsync("refs/heads/work", ("w.txt", Text("new")));
        (await Should.ThrowAsync<BackupException>(() => GitRestore.ToFolderAsync(place.Store, target.Path, Options(place), CancellationToken.None))).Kind.ShouldBe(FailureKind.AlreadyExists);
    }

    [Fact]
    public async Task A_working_tree_is_checked_out_with_its_LFS_objects_beside_it()
    {
        await using var place = await CreateAsync();
        var (pointer, oid) = Lfs(place, Noise(30_000, 5));
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")), ("large.bin", pointer));
        (await place.RunAsync()).Problems.ShouldBeEmpty();
        var target = place.Directory.Combine("tree");

        (await GitRestore.ToFolderAsync(place.Store, target, Options(place) with { Checkout = true }, CancellationToken.None)).LfsObjects.ShouldBe(1);

        (await File.ReadAllTextAsync(Path.Combine(target, "a.txt"))).ShouldBe("one");
        (await File.ReadAllBytesAsync(Path.Combine(target, ".git", "lfs", "objects", oid[..2], oid[2..4], oid))).ShouldBe(Noise(30_000, 5));
        (await PeerProgram.RunAsync("git", ["-C", target, "status", "--porcelain"])).Succeeded().ShouldBeEmpty();
        if (PeerProgram.Find("git-lfs") is not null)
        {
            (await PeerProgram.RunAsync("git", ["-C", target, "lfs", "ls-files", "--all", "--long"])).Succeeded().ShouldContain(oid);
            (await PeerProgram.RunAsync("git", ["-C", target, "lfs", "fsck", "--objects"])).Succeeded();
        }
    }

    [Fact]
    public async Task A_fresh_server_gets_the_same_branches_tags_and_LFS_objects()
    {
        await using var place = await CreateAsync();
        var (pointer, oid) = Lfs(place, Noise(30_000, 5));
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")), ("large.bin", pointer));
        await place.Source.CommitAsync("refs/heads/feature/x", ("b.txt", Text("two")));
        await place.Source.GitAsync("tag", "-a", "-m", "first", "v1", "refs/heads/main");
        await place.Source.GitAsync("update-ref", "refs/pull/7/head", "refs/heads/feature/x");
        await place.RunAsync();
        var fresh = place.Server.AddRepository("acme/fresh");
        var remote = new GitRemote(place.Server.CloneUrl(fresh), _ => new(place.Server.Token));

        var result = await GitRestore.ToRemoteAsync(place.Store, place.Http, remote, Options(place), CancellationToken.None);

        result.Problems.ShouldBeEmpty();
        (result.Outcome, result.Refs, result.RefsLeftOut, result.LfsObjects).ShouldBe((Outcome.Completed, 3L, 1L, 1L));
        var target = new SourceRepository(fresh.Path);
        (await target.RefsAsync()).ShouldBe((await place.Source.RefsAsync()).Where(line => !line.Contains("refs/pull/", StringComparison.Ordinal)));
        (await target.ReachableAsync()).ShouldBe(await place.Source.ReachableAsync());
        (await target.GitAsync("fsck", "--full", "--strict")).ShouldBeEmpty();
        fresh.Lfs.Keys.ShouldBe([oid]);

        // Again: nothing to do.
        (await GitRestore.ToRemoteAsync(place.Store, place.Http, remote, Options(place), CancellationToken.None)).Outcome.ShouldBe(Outcome.Unchanged);
        // Pull requests as branches.
        (await GitRestore.ToRemoteAsync(place.Store, place.Http, remote, Options(place) with { PullRequestBranches = true }, CancellationToken.None)).Refs.ShouldBe(1);
        (await target.RefsAsync()).ShouldContain(line => line.EndsWith("refs/heads/restored/pr/7", StringComparison.Ordinal));
        Directory.GetFileSystemEntries(place.Directory.Combine("work")).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_differs_on_the_server_is_refused_and_told_or_overwritten_when_asked()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await place.Source.CommitAsync("refs/heads/other", ("b.txt", Text("two")));
        await place.RunAsync();
        var fresh = place.Server.AddRepository("acme/fresh");
        var target = new SourceRepository(fresh.Path);
        await target.CommitAsync("refs/heads/main", ("z.txt", Text("somebody's work")));
        var remote = new GitRemote(place.Server.CloneUrl(fresh), _ => new(place.Server.Token));

        var refused = await GitRestore.ToRemoteAsync(place.Store, place.Http, remote, Options(place), CancellationToken.None);
        refused.Outcome.ShouldBe(Outcome.Failed);
        refused.Problems.ShouldHaveSingleItem().ShouldSatisfyAllConditions(problem => problem.Item.ShouldBe("refs/heads/main"), problem => problem.Kind.ShouldBe(FailureKind.AlreadyExists));
        refused.Refs.ShouldBe(1);

        (await GitRestore.ToRemoteAsync(place.Store, place.Http, remote, Options(place) with { Force = true }, CancellationToken.None)).Outcome.ShouldBe(Outcome.Completed);
        (await target.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
    }

    [Fact]
    public async Task A_history_larger_than_a_push_may_be_goes_up_in_slices()
    {
        await using var place = await CreateAsync();
        for (var i = 0; i < 6; i++)
            await place.Source.CommitAsync("refs/heads/main", ($"{i}.bin", Noise(300_000, i)));
        await place.Source.CommitAsync("refs/heads/side", ("side.bin", Noise(300_000, 99)));
        await place.RunAsync();
        var fresh = place.Server.AddRepository("acme/fresh");
        var target = new SourceRepository(fresh.Path);
        // GitHub's 2 GB, made small: the server's own git ends what is larger.
        await target.GitAsync("config", "receive.maxInputSize", "800000");
        var remote = new GitRemote(place.Server.CloneUrl(fresh), _ => new(place.Server.Token));

        var whole = await GitRestore.ToRemoteAsync(place.Store, place.Http, remote, Options(place), CancellationToken.None);
        whole.Outcome.ShouldBe(Outcome.Failed);
        whole.Problems.ShouldHaveSingleItem().Item.ShouldBe("refs/heads/main");
        (await target.RefsAsync()).ShouldHaveSingleItem().ShouldEndWith("refs/heads/side");

        var sliced = await GitRestore.ToRemoteAsync(place.Store, place.Http, remote, Options(place) with { MaxPush = 700_000 }, CancellationToken.None);
        sliced.Problems.ShouldBeEmpty();
        (await target.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        await target.GitAsync("fsck", "--full", "--strict");
    }

    [Fact]
    public async Task A_wiki_is_a_history_of_its_own()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        place.Repository.HasWiki = true;
        // GitHub says has_wiki before there is a page.
        (await Should.ThrowAsync<BackupException>(() => RefAdvertisement.ReadAsync(place.Http, place.Remote.Wiki(), CancellationToken.None))).Kind.ShouldBe(FailureKind.NotFound);
        var wiki = new SourceRepository(place.Server.World.AddWiki(place.Repository));
        await wiki.CommitAsync("refs/heads/master", ("Home.md", Text("# Home")));
        await place.RunAsync();
        place.State = null;

        var result = await place.RunAsync(request => request with { Remote = place.Remote.Wiki(), Part = GitPart.Wiki, Previous = null });

        (await place.KeysAsync()).ShouldContain(key => key.EndsWith("/wiki.bundle", StringComparison.Ordinal));
        var target = new SourceRepository(place.Directory.Combine("wiki"));
        await GitRestore.ToFolderAsync(place.Store, target.Path, Options(place) with { Part = GitPart.Wiki }, CancellationToken.None);
        (await target.RefsAsync()).ShouldBe(await wiki.RefsAsync());
        result.Generation.Part.ShouldBe(GitPart.Wiki);
    }

    [Fact]
    public async Task LFS_objects_of_all_history_are_stored_once_and_missing_ones_are_told_until_they_come()
    {
        await using var place = await CreateAsync();
        var (old, oldId) = Lfs(place, Noise(10_000, 1));
        var (lost, lostId) = Lfs(place, Noise(10_000, 2));
        place.Repository.Lfs.TryRemove(lostId, out var bytes);
        await place.Source.CommitAsync("refs/heads/main", ("x.bin", old), ("y.bin", lost));
        await place.Source.CommitAsync("refs/heads/main", ("x.bin", Text("not large any more")));

        var first = await place.RunAsync();
        first.Problems.ShouldHaveSingleItem().ShouldSatisfyAllConditions(problem => problem.Item.ShouldBe("lfs/" + lostId), problem => problem.Kind.ShouldBe(FailureKind.NotFound));
        first.State.LfsMissing.ShouldBe(1);
        (await place.ReadAsync(RepositoryKeys.LfsObject(place.Folder, oldId))).ShouldBe(Noise(10_000, 1));

        // Nothing was pushed, but the object came.
        place.Repository.Lfs[lostId] = bytes!;
        var second = await place.RunAsync();
        second.Problems.ShouldBeEmpty();
        second.State.LfsMissing.ShouldBe(0);
        second.Stored.Count(item => item.Key.Contains("/lfs/", StringComparison.Ordinal)).ShouldBe(1);
        second.Generation.Lfs.ShouldNotBeNull().Objects.ShouldBe(2);

        // A pointer that is known already: nothing is fetched.
        await place.Source.CommitAsync("refs/heads/main", ("z.bin", old));
        place.Server.ClearRequests();
        await place.RunAsync();
        place.Server.Requests.ShouldNotContain(request => request.Path.Contains("lfs", StringComparison.Ordinal));

        // A server that sends something else is found out.
        var (_, wrongId) = Lfs(place, Noise(5_000, 3));
        place.Repository.Lfs[wrongId] = Noise(5_000, 4);
        await place.Source.CommitAsync("refs/heads/main", ("w.bin", Pointer(wrongId, 5_000)));
        (await place.RunAsync()).Problems.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.ChecksumMismatch);
        (await place.KeysAsync()).ShouldNotContain(key => key == RepositoryKeys.LfsObject(place.Folder, wrongId));
    }

    [Fact]
    public async Task Pointers_are_found_among_thousands_of_small_files()
    {
        await using var place = await CreateAsync();
        var (pointer, oid) = Lfs(place, Noise(1_000, 1));
        // More than a pipe or a page holds, of every size around a pointer's, and some that only begin like one.
        var files = Enumerable.Range(0, 6000).Select(i => ($"d{i % 50}/f{i}", i % 7 == 0 ? Text($"version https://git-lfs.github.com/spec/v1\nnot one {i}\n{new string('x', 100)}\n") : Noise(100 + (i % 1100), i)));
        await place.Source.CommitAsync("refs/heads/main", [.. files, ("x.bin", pointer)]);
        var result = await place.RunAsync();
        result.Generation.Lfs.ShouldNotBeNull().Objects.ShouldBe(1);
        (await place.ReadAsync(RepositoryKeys.LfsObject(place.Folder, oid))).ShouldBe(Noise(1_000, 1));
    }

    [Fact]
    public async Task Where_LFS_is_off_the_history_is_kept_and_the_objects_are_told()
    {
        await using var place = await CreateAsync();
        var (pointer, oid) = Lfs(place, Noise(1_000, 1));
        await place.Source.CommitAsync("refs/heads/main", ("x.bin", pointer));
        place.Server.Faults.Add("/info/lfs/objects/batch", new FaultAction(403, """{"message":"Git LFS is disabled for this repository."}"""), int.MaxValue);
        var result = await place.RunAsync();
        result.Outcome.ShouldBe(Outcome.Completed);
        result.Problems.ShouldHaveSingleItem().ShouldSatisfyAllConditions(problem => problem.Kind.ShouldBe(FailureKind.PermissionDenied), problem => problem.Message.ShouldContain("disabled"));
        result.State.LfsMissing.ShouldBe(1);

        place.Server.Faults.Clear();
        place.Server.Faults.Add($"/{oid}", new FaultAction(TruncateAfter: 500));
        (await place.RunAsync()).Problems.ShouldBeEmpty();
        place.State!.IsComplete(lfs: true).ShouldBeTrue();
    }

    [Fact]
    public async Task Names_that_clash_or_look_like_options_come_back_as_they_were()
    {
        await using var place = await CreateAsync();
        var commit = await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        string[] names = ["refs/heads/--upload-pack=x", "refs/heads/-d", "refs/heads/Aux", "refs/heads/aux", "refs/heads/Feature/One", "refs/heads/feature/one", "refs/heads/grüße/\u4e16", "refs/tags/$(touch x)", "refs/tags/CON"];
        await File.WriteAllLinesAsync(Path.Combine(place.Repository.Path, "packed-refs"), names.Where(name => RefName.IsValid(name)).Order(StringComparer.Ordinal).Select(name => $"{commit} {name}"));
        await place.RunAsync();

        var target = new SourceRepository(place.Directory.Combine("target"));
        await GitRestore.ToFolderAsync(place.Store, target.Path, Options(place), CancellationToken.None);
        (await target.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        var fresh = place.Server.AddRepository("acme/fresh");
        var result = await GitRestore.ToRemoteAsync(place.Store, place.Http, new(place.Server.CloneUrl(fresh), _ => new(place.Server.Token)), Options(place), CancellationToken.None);
        result.Problems.ShouldBeEmpty();
        (await new SourceRepository(fresh.Path).RefsAsync()).ShouldBe(await place.Source.RefsAsync());
    }

    [Fact]
    public async Task Thousands_of_refs_are_pushed_a_thousand_at_a_time()
    {
        await using var place = await CreateAsync();
        var commit = await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await File.WriteAllLinesAsync(Path.Combine(place.Repository.Path, "packed-refs"), Enumerable.Range(0, 2500).Select(i => $"{commit} refs/tags/release-{i}").Order(StringComparer.Ordinal));
        await place.RunAsync();
        var fresh = place.Server.AddRepository("acme/fresh");
        // Else each ref waits for the disk, twice.
        await new SourceRepository(fresh.Path).GitAsync("config", "core.fsync", "none");
        place.Server.ClearRequests();
        var result = await GitRestore.ToRemoteAsync(place.Store, place.Http, new(place.Server.CloneUrl(fresh), _ => new(place.Server.Token)), Options(place), CancellationToken.None);
        result.Refs.ShouldBe(2501);
        (await new SourceRepository(fresh.Path).RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        place.Server.Requests.Count(request => request.Path.EndsWith("/git-receive-pack", StringComparison.Ordinal)).ShouldBeInRange(4, 8);
    }

    [Fact]
    public async Task A_repository_of_SHA_256_comes_back_too()
    {
        await using var place = await CreateAsync();
        Directory.Delete(place.Repository.Path, recursive: true);
        (await PeerProgram.RunAsync("git", ["init", "-q", "--bare", "--object-format=sha256", "-b", "main", place.Repository.Path])).Succeeded();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await place.RunAsync();
        await place.Source.CommitAsync("refs/heads/main", ("b.bin", Noise(5_000, 1)));
        var result = await place.RunAsync();
        result.Generation.Bundles.Count.ShouldBe(2);
        var target = new SourceRepository(place.Directory.Combine("target"));
        await GitRestore.ToFolderAsync(place.Store, target.Path, Options(place), CancellationToken.None);
        (await target.RefsAsync()).ShouldBe(await place.Source.RefsAsync());
        (await target.GitAsync("fsck", "--full", "--strict")).ShouldBeEmpty();
        (await PeerProgram.RunAsync("git", ["bundle", "list-heads", await place.DownloadAsync(result.Generation.Bundles[0].Key)])).Succeeded();
    }

    private static (byte[] Pointer, string Oid) Lfs(GitPlace place, byte[] content)
    {
        var oid = Convert.ToHexStringLower(SHA256.HashData(content));
        place.Repository.Lfs[oid] = content;
        return (Pointer(oid, content.Length), oid);
    }

    private static byte[] Pointer(string oid, int size) => Text($"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
}
