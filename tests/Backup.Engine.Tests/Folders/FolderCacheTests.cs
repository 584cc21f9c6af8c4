using System.Diagnostics;
using System.Globalization;
using Backup.Engine.Files;
using Backup.Engine.Folders;
using Backup.Engine.Tests.Files;
using FsCheck;
using FsCheck.Fluent;
using SQLitePCL;

namespace Backup.Engine.Tests.Folders;

public sealed class FolderCacheTests : IDisposable
{
    private const string Destination = "s3://bucket/prefix";
    private readonly TempFolder _folder = new();

    private string CacheFile => _folder["caches/folder ?#%é.db"];

    [Fact]
    public void Row_comes_back_whole()
    {
        var full = ChildProcess.Row(1) with { Sha256 = [.. Enumerable.Range(0, 32).Select(i => (byte)i)] };
        full = full with { Entry = full.Entry with { ChangedTicks = 5, FileId = -1, Mode = 0xFFF, Size = long.MaxValue } };
        var bare = new CacheRow(new FileEntry { Path = "link", Kind = FileEntryKind.Symlink, LinkTarget = "x" });
        using (var cache = Open())
        {
            cache.IsNew.ShouldBeTrue();
            cache.Put(full);
            cache.Put(bare);
        }

        using (var cache = Open())
        {
            cache.IsNew.ShouldBeFalse();
            cache.ReadAll().Select(row => row with { Sha256 = null }).ShouldBe([full with { Sha256 = null }, bare]);
            cache.Find(full.Path)!.Sha256.ShouldBe(full.Sha256);
            cache.Find("none").ShouldBeNull();
            cache.Files.ShouldBe(new PlanTotal(1, long.MaxValue));
        }
    }

    [Fact]
    public void Journal_holds_what_a_manifest_owes()
    {
        using (var cache = Open())
        {
            for (var i = 0; i < 2_500; i++)
                cache.Put(ChildProcess.Row(i));
            cache.CommitRun([new("last_run", "1")]);
            cache.JournalCount.ShouldBe(0);
            cache.Put(ChildProcess.Row(7, size: 20));
            cache.Put(ChildProcess.Row(7, size: 30));
            cache.Remove(ChildProcess.Row(8).Path);
            cache.JournalCount.ShouldBe(2);
        }

        using (var cache = Open())
        {
            cache.JournalCount.ShouldBe(2);
            cache.Files.ShouldBe(new PlanTotal(2_499, (2_499 * 10) + 20));
            cache.ReadJournal().Select(one => (one.Path, one.Row?.Entry.Size)).ShouldBe([("file-0000007", 30L), ("file-0000008", null)]);
            cache.Meta("last_run").ShouldBe("1");
            cache.CommitRun([new("last_run", "2"), new("segments", null)]);
            cache.JournalCount.ShouldBe(0);
            cache.ReadJournal().ShouldBeEmpty();
        }
    }

    [Fact]
    public void Reading_goes_on_while_rows_are_written()
    {
        using var cache = Open();
        for (var i = 0; i < 5_000; i++)
            cache.Put(ChildProcess.Row(i));
        var seen = 0;
        foreach (var row in cache.ReadAll())
        {
            cache.Put(row with { Version = "v2" });
            cache.Remove($"gone-{seen++}");
        }

        seen.ShouldBe(5_000);
        cache.ReadAll().All(row => row.Version is "v2").ShouldBeTrue();
    }

    [Fact]
    public void Many_threads_may_write()
    {
        using var cache = Open();
        Parallel.For(0, 20_000, i => cache.Put(ChildProcess.Row(i % 10_000)));
        cache.Files.ShouldBe(new PlanTotal(10_000, 100_000));
        cache.ReadAll().Count().ShouldBe(10_000);
    }

    [Fact]
    public void Cache_is_a_dictionary_in_byte_order() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(50),
        Prop.ForAll(
            Gen.ListOf(from path in Gen.Elements("a", "a.txt", "a/", "a/b", "a0", "é", "\ue000", "\U00010000", "%0A") from size in Gen.Choose(-1, 3) select (path, size)).ToArbitrary(),
            steps =>
            {
                using var folder = new TempFolder();
                using var cache = FolderCache.Open(folder["cache"], Destination, "/data");
                var model = new SortedDictionary<string, long>(Utf8Order.Instance);
                foreach (var (path, size) in steps)
                {
                    if (size < 0)
                    {
                        cache.Remove(path);
                        model.Remove(path);
                    }
                    else
                    {
                        cache.Put(new CacheRow(new FileEntry { Path = path, Kind = FileEntryKind.File, Size = size }));
                        model[path] = size;
                    }
                }

                return cache.ReadAll().Select(row => (row.Path, row.Entry.Size)).SequenceEqual(model.Select(pair => (pair.Key, pair.Value)))
                    && cache.Files == new PlanTotal(model.Count, model.Values.Sum())
                    && cache.ReadJournal().Select(one => one.Path).SequenceEqual(steps.Select(step => step.path).Distinct(StringComparer.Ordinal).Order(Utf8Order.Instance), StringComparer.Ordinal);
            }));

    [Fact]
    public void Plan_is_read_by_action_and_path()
    {
        using var cache = Open();
        for (var i = 0; i < 3_000; i++)
            cache.AddPlan(new(i % 2 == 0 ? PlanAction.UploadNew : PlanAction.Delete, ChildProcess.Row(2_999 - i).Entry));
        cache.Plan(PlanAction.UploadNew).ShouldBe(new PlanTotal(1_500, 15_000));
        cache.Plan(PlanAction.Rehash).ShouldBe(new PlanTotal(0, 0));
        cache.ReadPlan(PlanAction.UploadNew).Count().ShouldBe(1_500);
        var items = cache.ReadPlan(PlanAction.Delete, PlanAction.Rehash, PlanAction.UploadNew).ToList();
        items.Count.ShouldBe(3_000);
        items[0].ShouldBe(new PlanItem(PlanAction.Delete, ChildProcess.Row(0).Entry));
        items[1_500].ShouldBe(new PlanItem(PlanAction.UploadNew, ChildProcess.Row(1).Entry));
        foreach (var item in cache.ReadPlan(PlanAction.UploadNew))
            cache.Put(new CacheRow(item.Entry));
        cache.Files.Count.ShouldBe(1_500);
    }

    [Fact]
    public void Rows_are_committed_on_their_own_soon()
    {
        using var cache = Open();
        cache.Put(ChildProcess.Row(1));
        var log = new FileInfo(CacheFile + "-wal");
        var before = log.Length;
        var watch = Stopwatch.StartNew();
        while (log.Length == before && watch.Elapsed < TimeSpan.FromSeconds(10))
        {
            Thread.Sleep(20);
            log.Refresh();
        }

        log.Length.ShouldBeGreaterThan(before);
        File.Exists(CacheFile + "-shm").ShouldBeFalse();
    }

    [Fact]
    public void Second_use_in_this_process_is_refused()
    {
        using var cache = Open();
        Should.Throw<BackupException>(() => Open()).Kind.ShouldBe(FailureKind.Busy);
        Should.Throw<BackupException>(() => Open(readOnly: true)).Kind.ShouldBe(FailureKind.Busy);
        Should.Throw<BackupException>(() => FolderCache.Delete(CacheFile)).Kind.ShouldBe(FailureKind.Busy);
        cache.Put(ChildProcess.Row(1));
        cache.Flush();
    }

    [Fact]
    public void Second_process_is_refused_until_the_first_ends()
    {
        using var child = ChildProcess.Start("hold", CacheFile);
        child.StandardOutput.ReadLine().ShouldBe("held");
        var failure = Should.Throw<BackupException>(() => Open());
        failure.Kind.ShouldBe(FailureKind.Busy);
        failure.Message.ShouldContain(CacheFile);
        Should.Throw<BackupException>(() => Open(readOnly: true)).Kind.ShouldBe(FailureKind.Busy);
        Should.Throw<BackupException>(() => FolderCache.Delete(CacheFile)).Kind.ShouldBe(FailureKind.Busy);
        child.StandardInput.WriteLine();
        child.WaitForExit(10_000).ShouldBeTrue();
        using var cache = Open();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(49)]
    [InlineData(120)]
    public void Flushed_rows_survive_a_kill(int groups)
    {
        using var child = ChildProcess.Start("write", CacheFile);
        var last = -1;
        for (var i = 0; i < groups; i++)
            last = int.Parse(child.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        child.Kill();
        child.WaitForExit();

        // A look at what a killed run left sees all of it and touches none of it.
        var before = Listing();
        using (var look = Open(readOnly: true))
            Check(look);
        Listing().ShouldBe(before);

        using (var cache = Open())
            Check(cache);

        void Check(FolderCache cache)
        {
            var rows = cache.ReadAll().ToList();
            rows.Count.ShouldBeGreaterThanOrEqualTo(last + 1);
            rows.Select(row => row.Path).ShouldBe(Enumerable.Range(0, rows.Count).Select(i => ChildProcess.Row(i).Path));
            cache.JournalCount.ShouldBe(rows.Count);
            cache.Files.ShouldBe(new PlanTotal(rows.Count, rows.Count * 10));
        }
    }

    [Fact]
    public void Look_leaves_no_trace()
    {
        using (var cache = Open())
            cache.Put(ChildProcess.Row(1));
        var before = Listing();
        using (var look = Open(readOnly: true))
        {
            look.ReadAll().Count().ShouldBe(1);
            look.AddPlan(new(PlanAction.Delete, ChildProcess.Row(1).Entry));
            look.ReadPlan(PlanAction.Delete).Count().ShouldBe(1);
            Should.Throw<InvalidOperationException>(() => look.Put(ChildProcess.Row(2)));
            Should.Throw<InvalidOperationException>(() => look.CommitRun([]));
            Listing().ShouldBe(before);
        }

        Listing().ShouldBe(before);
    }

    [Fact]
    public void Look_at_nothing_creates_nothing()
    {
        using (var look = Open(readOnly: true))
        {
            look.IsNew.ShouldBeTrue();
            look.ReadAll().ShouldBeEmpty();
            for (var i = 0; i < 2_000; i++)
                look.AddPlan(new(PlanAction.UploadNew, ChildProcess.Row(i).Entry));
            look.ReadPlan(PlanAction.UploadNew).Count().ShouldBe(2_000);
        }

        Directory.GetFileSystemEntries(_folder.Root).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("garbage", false)]
    [InlineData("truncated", false)]
    [InlineData("overwritten", false)]
    [InlineData("garbage", true)]
    [InlineData("truncated", true)]
    [InlineData("overwritten", true)]
    public void Damage_is_told_and_what_to_do(string damage, bool readOnly)
    {
        using (var cache = Open())
        {
            for (var i = 0; i < 3_000; i++)
                cache.Put(ChildProcess.Row(i));
        }

        using (var file = new FileStream(CacheFile, FileMode.Open))
        {
            if (damage is "truncated")
            {
                file.SetLength(file.Length / 2);
            }
            else
            {
                file.Position = damage is "garbage" ? 0 : file.Length / 3;
                file.Write(Enumerable.Repeat((byte)0xAB, 20_000).ToArray());
            }
        }

        var failure = Should.Throw<BackupException>(() =>
        {
            using var cache = Open(readOnly);
            _ = cache.ReadAll().Count();
        });
        failure.Kind.ShouldBe(FailureKind.Corrupt);
        failure.Message.ShouldContain(CacheFile);
        failure.Advice!.ShouldContain("-Reset");

        FolderCache.Delete(CacheFile);
        using var again = Open();
        again.IsNew.ShouldBeTrue();
    }

    [Fact]
    public void Cache_of_another_folder_or_destination_is_refused()
    {
        using (Open())
        {
            // Only its birth counts.
        }

        var folder = Should.Throw<BackupException>(() => FolderCache.Open(CacheFile, Destination, "/other"));
        folder.Kind.ShouldBe(FailureKind.InvalidInput);
        folder.Message.ShouldContain("/other");
        Should.Throw<BackupException>(() => FolderCache.Open(CacheFile, "s3://other", "/data")).Kind.ShouldBe(FailureKind.InvalidInput);
        using var cache = Open();
        cache.SetMeta("format", "2");
        cache.Dispose();
        Should.Throw<BackupException>(() => Open()).Message.ShouldContain("format 2");
    }

    [Fact]
    public void Another_programs_database_is_refused()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(CacheFile)!);
        using (var other = new Sqlite(CacheFile, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE, CacheFile))
            other.Execute("CREATE TABLE precious(x)");
        Should.Throw<BackupException>(() => Open()).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    [Fact]
    public void Place_that_cannot_be_written_is_told()
    {
        var file = _folder.Write("file");
        Should.Throw<BackupException>(() => FolderCache.Open(Path.Combine(file, "cache"), Destination, "/data")).Message.ShouldContain(file);
        Should.Throw<BackupException>(() => FolderCache.Open(_folder.Root, Destination, "/data")).Message.ShouldContain(_folder.Root);
    }

    [Fact]
    public void Full_disk_is_told()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName is "root", "Only root can mount a small volume.");
        Directory.CreateDirectory(_folder["small"]);
        using var mount = Process.Start("mount", ["-t", "tmpfs", "-o", "size=1m", "none", _folder["small"]]);
        mount.WaitForExit();
        Assert.SkipUnless(mount.ExitCode == 0, "No volume can be mounted here.");
        try
        {
            using var cache = FolderCache.Open(Path.Combine(_folder["small"], "cache"), Destination, "/data");
            var failure = Should.Throw<BackupException>(() =>
            {
                for (var i = 0; i < 50_000; i++)
                    cache.Put(ChildProcess.Row(i));
                cache.Flush();
            });
            failure.Kind.ShouldBe(FailureKind.NoSpace);
            Should.Throw<BackupException>(() => cache.Flush()).Kind.ShouldBe(FailureKind.NoSpace);
        }
        finally
        {
            Process.Start("umount", [_folder["small"]]).WaitForExit();
        }
    }

    public void Dispose() => _folder.Dispose();

    private FolderCache Open(bool readOnly = false) => FolderCache.Open(CacheFile, Destination, "/data", readOnly);

    private List<string> Listing() =>
    [
        .. new DirectoryInfo(_folder.Root).EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(file => $"{file.FullName} {file.LastWriteTimeUtc:O} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName)))}")
            .Order(StringComparer.Ordinal),
    ];
}
