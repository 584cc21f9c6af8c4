using System.Runtime.Versioning;
using System.Text;
using Backup.Engine.Files;
using Backup.Engine.Folders;

namespace Backup.Engine.Tests.Files;

[SupportedOSPlatform("linux")]
public class LinuxFileTreeTests : FileTreeContract
{
    public LinuxFileTreeTests() => Assert.SkipUnless(LinuxFileTree.IsSupported, "Only on Linux.");

    private protected override FileTree Open(string root, bool followSymlinks = false) => new LinuxFileTree(root, followSymlinks);

    [Fact]
    public void Hostile_names_are_found_and_read_as_files_and_directories()
    {
        Directory.CreateDirectory(Folder["files"]);
        Directory.CreateDirectory(Folder["directories"]);
        var names = HostileNames.All.DistinctBy(Convert.ToHexString, StringComparer.Ordinal).Where(name => name.Length <= 255 && !name.Contains((byte)'/')).ToList();
        foreach (var name in names)
        {
            NativeCalls.CreateFile(Folder["files"], name);
            NativeCalls.CreateDirectory(Folder["directories"], name);
        }

        var (entries, problems) = Scan();

        problems.ShouldBeEmpty();
        entries.Select(entry => entry.Path).ShouldBe(entries.Select(entry => entry.Path).Order(Utf8Order.Instance));
        var expected = names.SelectMany(name => new[] { "files/" + PathEncoding.Encode(name), "directories/" + PathEncoding.Encode(name) + "/" });
        entries.Select(entry => entry.Path).Order(StringComparer.Ordinal).ShouldBe(expected.Append("files/").Append("directories/").Order(StringComparer.Ordinal));

        using var tree = Open(Folder.Root);
        using var copy = new TempFolder();
        using var target = Open(copy.Root);
        foreach (var entry in entries)
        {
            if (entry.Kind == FileEntryKind.Directory)
            {
                target.CreateDirectory(entry.Path);
                Put(target, entry.Path + "inside", entry.Path);
            }
            else
            {
                using var source = tree.OpenRead(entry.Path);
                source.CopyTo(Stream.Null);
                Put(target, entry.Path, entry.Path);
            }
        }

        var copied = target.Scan(null, Fail).Where(entry => !entry.Path.EndsWith("inside", StringComparison.Ordinal)).Select(entry => entry.Path);
        copied.ShouldBe(entries.Select(entry => entry.Path));
    }

    [Fact]
    public void Path_longer_than_the_system_takes_at_once_is_written_and_found()
    {
        var path = string.Join('/', Enumerable.Repeat(new string('d', 255), 20)) + "/file";
        using var tree = Open(Folder.Root);
        Put(tree, path, "content");
        tree.Scan(null, Fail).Last().Path.ShouldBe(path);
        using var reader = new StreamReader(tree.OpenRead(path));
        reader.ReadToEnd().ShouldBe("content");
        tree.SetTimes(path, DateTime.UnixEpoch.Ticks);
        tree.TryStat(path)!.ModifiedTicks.ShouldBe(DateTime.UnixEpoch.Ticks);
    }

    [Fact]
    public void Deep_tree_is_walked()
    {
        var path = string.Concat(Enumerable.Repeat("d/", 500));
        using var tree = Open(Folder.Root);
        tree.CreateDirectory(path);
        tree.Scan(null, Fail).Count().ShouldBe(500);
    }

    [Fact]
    public void Pipe_is_told_and_never_waited_for()
    {
        NativeCalls.CreatePipe(Folder["pipe"]);
        Scan().Entries.ShouldHaveSingleItem().Kind.ShouldBe(FileEntryKind.Other);
        using var tree = Open(Folder.Root);
        Should.Throw<BackupException>(() => tree.OpenRead("pipe")).Kind.ShouldBe(FailureKind.ChangedWhileRead);
    }

    [Fact]
    public void Change_time_and_id_tell_a_replaced_file_of_the_same_size_and_time()
    {
        var file = Folder.Write("file", "old");
        var before = Scan().Entries[0];
        File.WriteAllText(Folder["other"], "new");
        File.SetLastWriteTimeUtc(Folder["other"], new DateTime(before.ModifiedTicks, DateTimeKind.Utc));
        File.Move(Folder["other"], file, overwrite: true);
        var after = Scan().Entries[0];
        after.ModifiedTicks.ShouldBe(before.ModifiedTicks);
        after.FileId.ShouldNotBe(before.FileId);
        FolderChanges.Of(after, before).ShouldBe(Change.Touched);
    }

    [Fact]
    public void File_that_could_change_again_in_the_same_tick_is_hashed_next_time()
    {
        Folder.Write("file");
        using var tree = Open(Folder.Root);
        using (var fresh = tree.OpenRead("file"))
            FolderChanges.Of(tree.TryStat("file")!, fresh.CacheEntry).ShouldBe(Change.Touched);
        Thread.Sleep(50);
        using var settled = tree.OpenRead("file");
        FolderChanges.Of(tree.TryStat("file")!, settled.CacheEntry).ShouldBe(Change.Unchanged);
    }

    [Fact]
    public void Chmod_while_reading_is_a_change()
    {
        var file = Folder.Write("file");
        using var tree = Open(Folder.Root);
        using var source = tree.OpenRead("file");
        Thread.Sleep(20);
        File.SetUnixFileMode(file, UnixFileMode.UserRead);
        Should.Throw<BackupException>(() => source.CopyTo(Stream.Null)).Kind.ShouldBe(FailureKind.ChangedWhileRead);
    }

    [Fact]
    public void Link_target_of_any_bytes_comes_back()
    {
        using var tree = Open(Folder.Root);
        var target = PathEncoding.Encode([(byte)'/', 0xFF, (byte)'%', (byte)'4', (byte)'1', (byte)'\n']);
        tree.CreateSymlink("link", target);
        tree.TryStat("link")!.LinkTarget.ShouldBe(target);
    }

    [Fact]
    public void Mount_is_found_by_number_and_unescaped()
    {
        string[] lines = ["21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw", "36 21 0:45 / /mnt/my\\040nas rw master:1 propagate_from:2 - nfs4 nas:/my\\040share rw"];
        RootIdentity.FindMount(lines, new Libc.FileStatus { Mask = Libc.FileStatus.WithMount, Mount = 36 }).ShouldBe(("nfs4", "nas:/my share"));
        RootIdentity.FindMount(lines, new Libc.FileStatus { DeviceMajor = 8, DeviceMinor = 1 }).ShouldBe(("ext4", "/dev/sda1"));
    }

    [Fact]
    public void Recreated_root_has_another_identity()
    {
        Directory.CreateDirectory(Folder["a"]);
        Directory.CreateDirectory(Folder["b"]);
        using var a = Open(Folder["a"]);
        using var b = Open(Folder["b"]);
        a.Identity.Volume.ShouldBe(b.Identity.Volume);
        a.Identity.ShouldNotBe(b.Identity);
    }
}
