using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Stores;
using Backup.Engine.Stores.Directories;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Stores;

/// <summary>What is particular to a directory: its layout, crashes, and file systems that refuse.</summary>
public sealed class DirectoryObjectStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Root => _directory.Combine("store");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Opening_looking_and_checking_create_nothing()
    {
        await using var store = await Open();
        (await Fails(FailureKind.NotFound, () => store.CheckAsync(forWriting: false, Token))).Message.ShouldContain(Root);
        (await store.HeadAsync("a", null, Token)).ShouldBeNull();
        (await store.ListAsync("", Token).ToListAsync(Token)).ShouldBeEmpty();
        (await store.PruneVersionsAsync(TimeSpan.Zero, Token)).Versions.ShouldBe(0);
        await foreach (var result in store.DeleteAsync(((string[])["a"]).ToAsyncEnumerable(), Token))
            result.Failure.ShouldBeNull();
        Directory.Exists(Root).ShouldBeFalse();
    }

    [Fact]
    public async Task A_missing_parent_is_refused_with_advice()
    {
        var failure = await Fails(FailureKind.NotFound, () => DirectoryObjectStore.OpenAsync(StoreLocation.ForDirectory(_directory.Combine("mnt", "usb", "store")), null, Token));
        failure.Message.ShouldContain(_directory.Combine("mnt", "usb"));
        failure.Advice.ShouldNotBeNull().ShouldContain("mounted");

        await using var store = await Open();
        Directory.Delete(_directory.Path, recursive: true);
        await Fails(FailureKind.NotFound, () => Write(store, "a", "x"));
        Directory.Exists(_directory.Path).ShouldBeFalse();
    }

    [Fact]
    public async Task A_file_as_the_root_is_refused()
    {
        File.WriteAllText(Root, "file");
        (await Fails(FailureKind.InvalidInput, () => Open())).Message.ShouldContain(Root);
    }

    [Fact]
    public async Task A_store_that_vanishes_is_unavailable_and_not_empty()
    {
        await using var store = await Open();
        await Write(store, "a", "x");
        Directory.Move(Root, Root + ".unmounted");
        Directory.CreateDirectory(Root);
        await Fails(FailureKind.Unavailable, () => Write(store, "b", "x"));
        await Fails(FailureKind.Unavailable, () => store.HeadAsync("a", null, Token));
        await Fails(FailureKind.Unavailable, () => store.ReadAsync("a", null, Token));
        await Fails(FailureKind.Unavailable, async () => await store.ListAsync("", Token).ToListAsync(Token));
        var results = await store.DeleteAsync(((string[])["a"]).ToAsyncEnumerable(), Token).ToListAsync(Token);
        results.Single().Failure.ShouldNotBeNull().Kind.ShouldBe(FailureKind.Unavailable);
        Directory.EnumerateFileSystemEntries(Root).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"format":2,"foldsNames":false}""", FailureKind.InvalidInput)]
    [InlineData("""{"foldsNames":false}""", FailureKind.Corrupt)]
    [InlineData("not json", FailureKind.Corrupt)]
    [InlineData("", FailureKind.Corrupt)]
    public async Task A_description_that_is_newer_or_damaged_is_refused(string json, FailureKind kind)
    {
        Directory.CreateDirectory(Path.Combine(Root, ".store"));
        File.WriteAllText(Path.Combine(Root, ".store", "format.json"), json);
        (await Fails(kind, () => Open())).Advice.ShouldNotBeNull();
    }

    [Fact]
    public async Task Objects_can_be_browsed()
    {
        await using var store = await Open();
        await Write(store, "photos/2026/a b.jpg", "picture");
        await Write(store, "con/x:y?.txt", "hostile");
        File.ReadAllText(Path.Combine(Root, "photos", "2026", "a b.jpg")).ShouldBe("picture");
        File.ReadAllText(Path.Combine(Root, "%63on", "x%3Ay%3F.txt")).ShouldBe("hostile");
        await Write(store, "a", "file");
        await Write(store, "a/b", "below");
        File.ReadAllText(Path.Combine(Root, "a%f")).ShouldBe("file");
        File.ReadAllText(Path.Combine(Root, "a", "b")).ShouldBe("below");
    }

    [Fact]
    public async Task A_folding_store_keeps_its_way_when_it_is_opened_again()
    {
        await using (var store = await Open(new() { FoldsNames = true }))
        {
            await Write(store, "README é", "x");
        }
        await using var again = await Open(new() { FoldsNames = false });
        (await Read(again, "README é")).ShouldBe("x");
        File.Exists(Path.Combine(Root, "%52%45%41%44%4D%45 %C3%A9")).ShouldBeTrue();
        File.ReadAllText(Path.Combine(Root, ".store", "format.json")).ShouldContain("true");
    }

    [Fact]
    public async Task Foreign_files_are_objects_only_where_their_name_is_a_key()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such names.");
        await using var store = await Open();
        await Write(store, "ours", "x");
        File.WriteAllText(Path.Combine(Root, "copied by hand.txt"), "hand");
        File.WriteAllText(Path.Combine(Root, "not:ours"), "x");
        File.WriteAllText(Path.Combine(Root, "50%"), "x");
        File.WriteAllText(Path.Combine(Root, "%6Fther"), "x");
        (await store.ListAsync("", Token).Select(o => o.Key).ToListAsync(Token)).ShouldBe(["copied by hand.txt", "ours"]);
        var head = (await store.HeadAsync("copied by hand.txt", null, Token)).ShouldNotBeNull();
        head.Sha256.ShouldBe(Sha256("hand"));
        await Write(store, "copied by hand.txt", "new");
        (await Read(store, "copied by hand.txt", head.VersionId)).ShouldBe("hand");
    }

    // --- Sidecars -------------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_file_changed_by_hand_is_hashed_anew()
    {
        await using var store = await Open();
        var written = await Write(store, "a", "before");
        File.WriteAllText(Path.Combine(Root, "a"), "after!");
        var head = (await store.HeadAsync("a", null, Token)).ShouldNotBeNull();
        head.Sha256.ShouldBe(Sha256("after!"));
        (head.VersionId == written.VersionId).ShouldBeFalse();
        await using var content = await store.ReadAsync("a", null, Token);
        content.Object.Sha256.ShouldBeNull();
    }

    [Fact]
    public async Task A_file_whose_time_alone_changed_keeps_its_description()
    {
        await using var store = await Open();
        var written = await store.WriteAsync("a", Content("same"), new() { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "v" } }, Token);
        File.SetLastWriteTimeUtc(Path.Combine(Root, "a"), DateTime.UtcNow.AddDays(-3));
        var head = (await store.HeadAsync("a", null, Token)).ShouldNotBeNull();
        head.ShouldSatisfyAllConditions(
            () => head.Sha256.ShouldBe(written.Sha256),
            () => head.VersionId.ShouldBe(written.VersionId),
            () => head.Metadata["k"].ShouldBe("v"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ half")]
    [InlineData(null)]
    public async Task A_damaged_or_missing_sidecar_costs_a_hash_and_nothing_else(string? sidecar)
    {
        await using var store = await Open();
        await Write(store, "a/b", "content");
        var path = Path.Combine(Root, ".store", "meta", "a", "b%m.json");
        if (sidecar is null)
            File.Delete(path);
        else
            File.WriteAllText(path, sidecar);
        (await store.HeadAsync("a/b", null, Token)).ShouldNotBeNull().Sha256.ShouldBe(Sha256("content"));
        await Write(store, "a/b", "next");
        (await store.HeadAsync("a/b", null, Token)).ShouldNotBeNull().Sha256.ShouldBe(Sha256("next"));
    }

    public static TheoryData<string, bool> Crashes()
    {
        var cases = new TheoryData<string, bool>();
        foreach (var step in Enum.GetNames<CommitStep>())
        {
            cases.Add(step, true);
            cases.Add(step, false);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task A_crash_between_any_two_steps_shows_the_old_or_the_new_object_with_its_own_hash(string stopAfter, bool overwrite)
    {
        await using (var store = await Open())
        {
            await store.WriteAsync("a", Content("old content"), new() { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["is"] = "old" } }, Token);
        }
        await using (var crashing = await Open(new() { AfterStep = step => { if (step == Enum.Parse<CommitStep>(stopAfter)) throw new CrashException(); } }))
        {
            try
            {
                // The same length, so that only the time can tell the two apart.
                if (overwrite)
                    await Write(crashing, "a", "new content");
                else
                    await crashing.DeleteAsync(((string[])["a"]).ToAsyncEnumerable(), Token).ToListAsync(Token);
            }
            catch (CrashException)
            {
            }
        }

        await using var after = await Open();
        if (await after.HeadAsync("a", null, Token) is { } head)
        {
            var content = await Read(after, "a");
            content.ShouldBeOneOf("old content", "new content");
            head.Sha256.ShouldBe(Sha256(content));
            if (content == "old content")
                head.Metadata["is"].ShouldBe("old");
            else
                head.Metadata.ShouldBeEmpty();
        }
        else
        {
            overwrite.ShouldBeFalse();
        }

        // Life goes on.
        await Write(after, "a", "later");
        (await Read(after, "a")).ShouldBe("later");
        (await after.HeadAsync("a", null, Token)).ShouldNotBeNull().Sha256.ShouldBe(Sha256("later"));
    }

    // --- Killed runs ----------------------------------------------------------------------------------------------------

    [Fact]
    public async Task Leftovers_of_a_killed_run_go_and_those_of_a_living_one_stay()
    {
        await using var living = await Open();
        await Write(living, "a", "x");
        var temporary = DirectoryLayout.TemporaryRoot(Root);
        var livingFile = Path.Combine(Directory.GetDirectories(temporary).Single(), "99");
        File.WriteAllText(livingFile, "being written");

        var killed = Directory.CreateDirectory(Path.Combine(temporary, "killed")).FullName;
        File.WriteAllText(Path.Combine(killed, DirectoryWorkspace.LockName), "");
        File.WriteAllText(Path.Combine(killed, "1"), "half");
        var starting = Directory.CreateDirectory(Path.Combine(temporary, "starting")).FullName;
        var ancient = Directory.CreateDirectory(Path.Combine(temporary, "ancient")).FullName;
        Directory.SetLastWriteTimeUtc(ancient, DateTime.UtcNow.AddDays(-2));

        await using var next = await Open();
        Directory.Exists(killed).ShouldBeTrue("opening writes nothing");
        await Write(next, "b", "x");
        Directory.Exists(killed).ShouldBeFalse();
        Directory.Exists(ancient).ShouldBeFalse();
        Directory.Exists(starting).ShouldBeTrue();
        File.Exists(livingFile).ShouldBeTrue();
    }

    // --- Versions -------------------------------------------------------------------------------------------------------

    [Fact]
    public async Task Versions_expire_by_the_time_that_they_were_replaced()
    {
        await using var store = await Open();
        var first = await Write(store, "a/b", "1");
        var second = await Write(store, "a/b", "22");
        await Write(store, "a/b", "333");
        var versions = Path.Combine(Root, ".store", "versions", "a", "b%v");
        File.SetLastWriteTimeUtc(Path.Combine(versions, first.VersionId + ".json"), DateTime.UtcNow.AddDays(-200));

        (await store.PruneVersionsAsync(null, Token)).ShouldBe((1, 1));
        (await store.HeadAsync("a/b", first.VersionId, Token)).ShouldBeNull();
        (await Read(store, "a/b", second.VersionId)).ShouldBe("22");

        (await store.PruneVersionsAsync(TimeSpan.Zero, Token)).ShouldBe((1, 2));
        (await Read(store, "a/b")).ShouldBe("333");
        Directory.GetFileSystemEntries(Path.Combine(Root, ".store", "versions")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("../../../a")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("0000000000000000-0000000/")]
    public async Task A_version_id_cannot_lead_out_of_the_store(string versionId)
    {
        await using var store = await Open();
        await Write(store, "a", "x");
        (await store.HeadAsync("a", versionId, Token)).ShouldBeNull();
        await Fails(FailureKind.NotFound, () => store.ReadAsync("a", new() { VersionId = versionId }, Token));
    }

    [Fact]
    public async Task Deleting_leaves_no_empty_directories()
    {
        await using var store = await Open();
        await Write(store, "a/b/c/d", "x");
        await store.DeleteAsync(((string[])["a/b/c/d"]).ToAsyncEnumerable(), Token).ToListAsync(Token);
        Directory.Exists(Path.Combine(Root, "a")).ShouldBeFalse();
        Directory.GetFileSystemEntries(Path.Combine(Root, ".store", "meta")).ShouldBeEmpty();
    }

    // --- File systems that refuse ---------------------------------------------------------------------------------------

    [Fact]
    public async Task A_full_disk_is_no_space_and_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux mounts a small tmpfs.");
        var mount = Directory.CreateDirectory(_directory.Combine("small")).FullName;
        var mounted = await PeerProgram.RunAsync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", mount]);
        Assert.SkipUnless(mounted.ExitCode == 0, $"No tmpfs can be mounted here: {mounted.Error}");
        try
        {
            await using (var store = await DirectoryObjectStore.OpenAsync(StoreLocation.ForDirectory(Path.Combine(mount, "store")), null, Token))
            {
                await Write(store, "small", "fits");
                await Fails(FailureKind.NoSpace, () => store.WriteAsync("large", new OddStream(new byte[5 << 20]), null, Token));
                (await store.ListAsync("", Token).Select(o => o.Key).ToListAsync(Token)).ShouldBe(["small"]);
                await Write(store, "small", "fits again");
                (await Read(store, "small")).ShouldBe("fits again");
            }
        }
        finally
        {
            (await PeerProgram.RunAsync("umount", [mount])).Succeeded();
        }
    }

    [Fact]
    public async Task A_denied_directory_is_named()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix permissions.");
            return;
        }
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "Root is denied nothing.");
        Directory.CreateDirectory(Root, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var store = await Open();
        (await Fails(FailureKind.PermissionDenied, () => Write(store, "a", "x"))).Message.ShouldContain(Root);
    }

    [Fact]
    public async Task A_file_cut_short_under_a_reader_ends_with_an_exception()
    {
        await using var store = await Open();
        await store.WriteAsync("a", new MemoryStream(new byte[100_000]), null, Token);
        await using var content = await store.ReadAsync("a", null, Token);
        await content.Stream.ReadExactlyAsync(new byte[10], Token);
        using (var file = new FileStream(Path.Combine(Root, "a"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
            file.SetLength(500);
        await Fails(FailureKind.Corrupt, () => content.Stream.CopyToAsync(Stream.Null, Token));
    }

    [Fact]
    public async Task What_is_written_to_the_disk_while_more_comes_is_what_was_given()
    {
        // More than two windows, and not a whole number of them.
        var bytes = new byte[(70 << 20) + 12_345];
        new Random(7).NextBytes(bytes);
        await using var store = await Open(new() { FlushToDisk = true });

        var stored = await store.WriteAsync("large.bin", new MemoryStream(bytes), null, Token);

        stored.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        await using var content = await store.ReadAsync("large.bin", null, Token);
        (await SHA256.HashDataAsync(content.Stream, Token)).ShouldBe(SHA256.HashData(bytes));
    }

    private Task<DirectoryObjectStore> Open(DirectoryStoreOptions? options = null) =>
        DirectoryObjectStore.OpenAsync(StoreLocation.ForDirectory(Root), options, Token);

    private static MemoryStream Content(string text) => new(Encoding.UTF8.GetBytes(text));

    private static Task<StoredObject> Write(DirectoryObjectStore store, string key, string text) => store.WriteAsync(key, Content(text), null, Token);

    private static async Task<string> Read(DirectoryObjectStore store, string key, string? versionId = null)
    {
        await using var content = await store.ReadAsync(key, new() { VersionId = versionId }, Token);
        using var reader = new StreamReader(content.Stream);
        return await reader.ReadToEndAsync(Token);
    }

    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static async Task<BackupException> Fails(FailureKind kind, Func<Task> action)
    {
        var failure = await Should.ThrowAsync<BackupException>(action);
        failure.Kind.ShouldBe(kind, failure.Message);
        return failure;
    }

    private sealed class CrashException : Exception;
}
