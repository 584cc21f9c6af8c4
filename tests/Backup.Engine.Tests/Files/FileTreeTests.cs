using System.Text;
using Backup.Engine.Files;

namespace Backup.Engine.Tests.Files;

/// <summary>What every tree does. The portable one is tested on Linux, too, where it has to do the same.</summary>
public abstract class FileTreeContract : IDisposable
{
    private readonly TempFolder _folder = new();

    private protected TempFolder Folder => _folder;

    private protected abstract FileTree Open(string root, bool followSymlinks = false);

    [Fact]
    public void Scan_goes_in_byte_order_and_tells_what_is_there()
    {
        foreach (var name in new[] { "a.txt", "a/b", "a/c/d", "a0", "é", "\ue000", "\U00010000", "B" })
            Folder.Write(name, name);
        Directory.CreateDirectory(Folder["empty"]);
        File.CreateSymbolicLink(Folder["link"], "../outside");
        var time = new DateTime(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc).AddTicks(1_234_567);
        File.SetLastWriteTimeUtc(Folder["a.txt"], time);

        var (entries, problems) = Scan();

        problems.ShouldBeEmpty();
        entries.Select(entry => entry.Path).ShouldBe(["B", "a.txt", "a/", "a/b", "a/c/", "a/c/d", "a0", "empty/", "link", "é", "\ue000", "\U00010000"]);
        var file = entries.Single(entry => entry.Path is "a.txt");
        file.Kind.ShouldBe(FileEntryKind.File);
        file.Size.ShouldBe(5);
        file.ModifiedTicks.ShouldBe(time.Ticks);
        var link = entries.Single(entry => entry.Path is "link");
        link.Kind.ShouldBe(FileEntryKind.Symlink);
        link.LinkTarget.ShouldBe("../outside");
        entries.Single(entry => entry.Path is "empty/").Kind.ShouldBe(FileEntryKind.Directory);
    }

    [Fact]
    public void Scan_and_stat_and_open_file_agree()
    {
        Folder.Write("a/b");
        using var tree = Open(Folder.Root);
        var scanned = tree.Scan(null, Fail).Last();
        tree.TryStat("a/b").ShouldBe(scanned);
        using var source = tree.OpenRead("a/b");
        source.Entry.ShouldBe(scanned);
        tree.TryStat("a/")!.Kind.ShouldBe(FileEntryKind.Directory);
        tree.TryStat("a/c").ShouldBeNull();
        tree.TryStat("a/b/c").ShouldBeNull();
    }

    [Fact]
    public void Excluded_directories_are_left_out()
    {
        Folder.Write("bin/x");
        Folder.Write("src/x.tmp");
        Folder.Write("src/y");
        using var tree = Open(Folder.Root);
        tree.Scan(PathFilter.Create(null, ["bin/", "**/*.tmp"]), Fail).Select(entry => entry.Path).ShouldBe(["src/", "src/y"]);
    }

    [Fact]
    public void Links_are_followed_where_wanted_and_loops_are_cut()
    {
        using var outside = new TempFolder();
        outside.Write("sub/file", "12345");
        Folder.Write("a/x");
        Directory.CreateSymbolicLink(Folder["a/loop"], Folder.Root);
        Directory.CreateSymbolicLink(Folder["a/self"], Folder["a"]);
        Directory.CreateSymbolicLink(Folder["dir"], outside["sub"]);
        File.CreateSymbolicLink(Folder["file"], outside["sub/file"]);
        File.CreateSymbolicLink(Folder["gone"], "nowhere");
        File.CreateSymbolicLink(Folder["round"], "round");

        var (entries, problems) = Scan(followSymlinks: true);

        entries.Select(entry => entry.Path).ShouldBe(["a/", "a/loop", "a/self", "a/x", "dir/", "dir/file", "file", "gone", "round"]);
        entries.Where(entry => entry.Kind == FileEntryKind.Symlink).Select(entry => entry.Path).ShouldBe(["a/loop", "a/self", "gone", "round"]);
        entries.Single(entry => entry.Path is "file").Size.ShouldBe(5);
        problems.Select(problem => (problem.Path, problem.Failure.Kind)).Order().ShouldBe([("a/loop", FailureKind.NotSupported), ("a/self", FailureKind.NotSupported)]);
        using var tree = Open(Folder.Root, followSymlinks: true);
        using var source = new StreamReader(tree.OpenRead("dir/file"));
        source.ReadToEnd().ShouldBe("12345");
    }

    [Fact]
    public void Two_links_to_one_place_are_no_loop()
    {
        using var outside = new TempFolder();
        outside.Write("file");
        Directory.CreateSymbolicLink(Folder["one"], outside.Root);
        Directory.CreateSymbolicLink(Folder["two"], outside.Root);
        var (entries, problems) = Scan(followSymlinks: true);
        entries.Select(entry => entry.Path).ShouldBe(["one/", "one/file", "two/", "two/file"]);
        problems.ShouldBeEmpty();
    }

    [Fact]
    public void Unreadable_directory_is_reported_and_the_walk_goes_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The mode is Unix's, the change of user Linux's.");
        Folder.Write("a/x");
        Folder.Write("locked/x");
        Folder.Write("z");
        NativeCalls.SetMode(Folder["locked"], 0);
        NativeCalls.SetMode(Folder.Root, 0x1ED);

        var (entries, problems) = NativeCalls.AsNobody(() => Scan());

        entries.Select(entry => entry.Path).ShouldBe(["a/", "a/x", "locked/", "z"]);
        var problem = problems.ShouldHaveSingleItem();
        problem.Path.ShouldBe("locked/");
        problem.Failure.Kind.ShouldBe(FailureKind.PermissionDenied);
    }

    [Fact]
    public void Unreadable_root_is_an_error()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The mode is Unix's, the change of user Linux's.");
        NativeCalls.SetMode(Folder.Root, 0);
        NativeCalls.AsNobody(() => Should.Throw<BackupException>(() => Scan())).Kind.ShouldBe(FailureKind.PermissionDenied);
    }

    [Fact]
    public void Scan_can_be_enumerated_again_and_side_by_side()
    {
        Folder.Write("a/x");
        Folder.Write("b");
        using var tree = Open(Folder.Root);
        var scan = tree.Scan(null, Fail);
        scan.Count().ShouldBe(3);
        scan.Zip(scan).ShouldAllBe(pair => pair.First == pair.Second);
        scan.First().Path.ShouldBe("a/");
    }

    [Fact]
    public void Scan_can_be_cancelled()
    {
        Folder.Write("a");
        using var tree = Open(Folder.Root);
        Should.Throw<OperationCanceledException>(() => tree.Scan(null, Fail, new CancellationToken(canceled: true)).ToList());
    }

    [Fact]
    public void Missing_folder_and_file_for_a_folder_are_refused()
    {
        Should.Throw<BackupException>(() => Open(Folder["none"])).Kind.ShouldBe(FailureKind.NotFound);
        Should.Throw<BackupException>(() => FileTree.Open(Folder.Write("file"))).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    [Fact]
    public void Restored_file_has_content_time_and_mode()
    {
        var time = new DateTime(1969, 7, 20, 20, 17, 40, DateTimeKind.Utc).AddTicks(7);
        using var tree = Open(Folder.Root);
        Put(tree, "new/deep/file", "content", time.Ticks, 0x9A4);
        File.ReadAllText(Folder["new/deep/file"]).ShouldBe("content");
        var entry = tree.TryStat("new/deep/file")!;
        entry.ModifiedTicks.ShouldBe(time.Ticks);
        if (!OperatingSystem.IsWindows())
            entry.Mode.ShouldBe(0x1A4, "set-user-id is not given to whoever restores");
        Directory.GetFileSystemEntries(Folder["new/deep"]).Length.ShouldBe(1);

        Put(tree, "new/deep/file", "again");
        File.ReadAllText(Folder["new/deep/file"]).ShouldBe("again");
    }

    [Fact]
    public void File_that_is_not_committed_leaves_nothing()
    {
        Folder.Write("file", "old");
        using var tree = Open(Folder.Root);
        using (var file = tree.CreateFile("file"))
        {
            file.Stream.Write("half"u8);
            File.ReadAllText(Folder["file"]).ShouldBe("old");
        }

        File.ReadAllText(Folder["file"]).ShouldBe("old");
        Directory.GetFileSystemEntries(Folder.Root).Length.ShouldBe(1);
    }

    [Fact]
    public void Directories_and_links_are_restored()
    {
        using var tree = Open(Folder.Root);
        tree.CreateDirectory("a/b/");
        tree.CreateDirectory("a/b/");
        tree.CreateSymlink("a/link", "../../etc/passwd", new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks);
        tree.CreateSymlink("a/link", "b", new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks);
        tree.SetMode("a/b/", 0x5C0);
        tree.SetTimes("a/b/", new DateTime(2002, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks);
        tree.Sync();

        tree.TryStat("a/link")!.LinkTarget.ShouldBe("b");
        tree.TryStat("a/link")!.ModifiedTicks.ShouldBe(new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks);
        tree.TryStat("a/b/")!.ModifiedTicks.ShouldBe(new DateTime(2002, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks);
        if (!OperatingSystem.IsWindows())
            tree.TryStat("a/b/")!.Mode.ShouldBe(0x5C0);
    }

    [Fact]
    public void What_a_killed_restore_left_is_known_and_removed()
    {
        using var tree = Open(Folder.Root);
        var file = tree.CreateFile("a/file");
        var left = tree.Scan(null, Fail).Last().Path;
        FileTree.IsTemporary(left).ShouldBeTrue();
        FileTree.IsTemporary("a/.~backup-plan").ShouldBeFalse();
        file.Dispose();
        Folder.Write(left);
        tree.DeleteFile(left);
        tree.DeleteFile(left);
        tree.Scan(null, Fail).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("/tmp/evil")]
    [InlineData("a/../../evil")]
    [InlineData("")]
    [InlineData("a//b")]
    [InlineData("a%00b")]
    public void Path_out_of_the_tree_is_refused(string path)
    {
        using var tree = Open(Folder.Root);
        Should.Throw<BackupException>(() => tree.CreateFile(path)).Kind.ShouldBe(FailureKind.InvalidInput);
        Should.Throw<BackupException>(() => tree.CreateDirectory(path)).Kind.ShouldBe(FailureKind.InvalidInput);
        Should.Throw<BackupException>(() => tree.CreateSymlink(path, "x")).Kind.ShouldBe(FailureKind.InvalidInput);
        Should.Throw<BackupException>(() => tree.OpenRead(path)).Kind.ShouldBe(FailureKind.InvalidInput);
        Should.Throw<BackupException>(() => tree.SetTimes(path, 0)).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    [Fact]
    public void Nothing_is_written_or_read_through_a_link()
    {
        using var outside = new TempFolder();
        outside.Write("file", "secret");
        using var tree = Open(Folder.Root);
        tree.CreateSymlink("way", PathEncoding.Encode(outside.Root));
        tree.CreateSymlink("file", PathEncoding.Encode(outside["file"]));

        Should.Throw<BackupException>(() => tree.CreateFile("way/evil"));
        Should.Throw<BackupException>(() => tree.CreateFile("way/deep/evil"));
        Should.Throw<BackupException>(() => tree.CreateDirectory("way/evil/"));
        Should.Throw<BackupException>(() => tree.CreateDirectory("way/"));
        Should.Throw<BackupException>(() => tree.CreateSymlink("way/evil", "x"));
        Should.Throw<BackupException>(() => tree.SetMode("file", 0x1FF));
        Should.Throw<BackupException>(() => tree.OpenRead("way/file"));
        Should.Throw<BackupException>(() => tree.OpenRead("file"));
        Put(tree, "file", "replaced");

        Directory.GetFileSystemEntries(outside.Root).Length.ShouldBe(1);
        File.ReadAllText(outside["file"]).ShouldBe("secret");
        File.ReadAllText(Folder["file"]).ShouldBe("replaced");
    }

    [Fact]
    public void File_that_changes_while_it_is_read_does_not_end()
    {
        foreach (var change in new Action<string>[]
        {
            file => File.AppendAllText(file, "x"),
            file => File.WriteAllText(file, ""),
            file => File.SetLastWriteTimeUtc(file, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc)),
        })
        {
            var file = Folder.Write("file", new string('a', 100_000));
            using var tree = Open(Folder.Root);
            using var source = tree.OpenRead("file");
            source.ReadExactly(new byte[50_000]);
            change(file);
            Should.Throw<BackupException>(() => source.CopyTo(Stream.Null)).Kind.ShouldBe(FailureKind.ChangedWhileRead);
        }
    }

    [Fact]
    public async Task Stable_file_is_read_to_its_end()
    {
        Folder.Write("file", "content");
        Folder.Write("empty", "");
        using var tree = Open(Folder.Root);
        await using var source = tree.OpenRead("file");
        using var reader = new StreamReader(source);
        (await reader.ReadToEndAsync()).ShouldBe("content");
        await using var empty = tree.OpenRead("empty");
        (await empty.ReadAsync(new byte[10])).ShouldBe(0);
        Should.Throw<BackupException>(() => tree.OpenRead("none")).Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public void Root_has_one_identity_and_another_root_has_another()
    {
        using var tree = Open(Folder.Root);
        tree.Identity.ShouldBe(tree.Identity);
        RootIdentity.Parse(tree.Identity.ToString()).ShouldBe(tree.Identity);
        using var proc = Open("/proc");
        proc.Identity.ShouldNotBe(tree.Identity);
    }

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static void Fail(string path, BackupException failure) => Assert.Fail($"{path}: {failure}");

    private protected static void Put(FileTree tree, string path, string content, long? ticks = null, int? mode = null)
    {
        using var file = tree.CreateFile(path);
        file.Stream.Write(Encoding.UTF8.GetBytes(content));
        file.Commit(ticks, mode);
    }

    private protected (List<FileEntry> Entries, List<(string Path, BackupException Failure)> Problems) Scan(bool followSymlinks = false)
    {
        var problems = new List<(string, BackupException)>();
        using var tree = Open(Folder.Root, followSymlinks);
        return (tree.Scan(null, (path, failure) => problems.Add((path, failure))).ToList(), problems);
    }
}

public class PortableFileTreeTests : FileTreeContract
{
    private protected override FileTree Open(string root, bool followSymlinks = false) => new PortableFileTree(root, followSymlinks);
}
