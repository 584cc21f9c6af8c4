using System.Runtime.Versioning;
using System.Text;
using Backup.Engine.Files;
using Backup.Engine.Folders;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Files;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Folders;

/// <summary>A folder there and back, whatever the store is.</summary>
[SupportedOSPlatform("linux")]
public abstract class FolderSyncContract : IDisposable
{
    private FolderPlace? _place;

    private protected FolderPlace Place => _place ??= NewPlace();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private static bool IsRoot => Environment.UserName == "root";

    private protected abstract FolderPlace NewPlace();

    /// <summary>What the store was asked since this was last called: names of operations, nothing where requests cannot be seen.</summary>
    protected virtual IReadOnlyList<string> TakeRequests() => [];

    /// <summary>Damages one byte of an object.</summary>
    private protected abstract Task DamageAsync(string path);

    public virtual void Dispose()
    {
        _place?.Dispose();
        GC.SuppressFinalize(this);
    }

    // --- What changed ---------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_first_run_stores_everything_and_the_next_does_nothing_at_all()
    {
        Place.Write("a.txt");
        Place.Write("dir/b.bin", new string('b', 3_000_000));
        Place.Write("dir/deep/empty", "");
        Directory.CreateDirectory(Path.Combine(Place.Source, "nothing/in/here"));
        File.CreateSymbolicLink(Path.Combine(Place.Source, "link"), "dir/b.bin");
        File.CreateSymbolicLink(Path.Combine(Place.Source, "dangling"), "/no/such/thing");
        await FolderPlace.SettleAsync();
        var first = await Place.SyncedAsync();
        (first.New, first.Changed, first.Deleted, first.Bytes, first.TotalFiles).ShouldBe((3, 0, 0, 3_000_007, 3));
        first.RunId.ShouldNotBeNull();

        TakeRequests();
        var before = FolderPlace.Bytes(Place.Cache, Place.Store);
        var second = await Place.SyncAsync();
        second.Outcome.ShouldBe(Outcome.Unchanged);
        (second.RunId, second.Unchanged, second.Bytes).ShouldBe((null, 3, 0));
        TakeRequests().ShouldBeEmpty();
        FolderPlace.Bytes(Place.Cache, Place.Store).ShouldBe(before);
        await Place.ShouldComeBackAsync();
        (await Place.VerifyAsync(deep: true)).Checked.ShouldBe(3);
    }

    [Fact]
    public async Task Only_what_differs_travels()
    {
        for (var i = 0; i < 10; i++)
            Place.Write($"f{i}", $"content {i}");
        await Place.SyncedAsync();
        TakeRequests();

        Place.Write("f0", "edited and longer");
        Place.Write("new");
        File.Delete(Path.Combine(Place.Source, "f1"));
        File.Move(Path.Combine(Place.Source, "f2"), Path.Combine(Place.Source, "renamed"));
        var result = await Place.SyncedAsync();
        (result.New, result.Changed, result.Deleted, result.Unchanged).ShouldBe((2, 1, 2, 7));
        result.Bytes.ShouldBe("edited and longer".Length + "content".Length + "content 2".Length);
        TakeRequests().Count(name => name == "PutObject").ShouldBeOneOf(0, 3);
        (await Place.ObjectsAsync()).ShouldBe(["f0", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "new", "renamed"]);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task An_edit_that_kept_size_and_time_is_noticed()
    {
        var file = Place.Write("a", "one");
        await FolderPlace.SettleAsync();
        await Place.SyncedAsync();
        var time = File.GetLastWriteTimeUtc(file);
        await File.WriteAllTextAsync(file, "two", Token);
        File.SetLastWriteTimeUtc(file, time);
        (await Place.SyncedAsync()).Changed.ShouldBe(1);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_file_that_was_written_again_in_the_tick_it_was_stored_in_is_noticed()
    {
        for (var i = 0; i < 5; i++)
        {
            Place.Write("a", $"{i}", old: false);
            await Place.SyncedAsync();
        }

        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_touch_sends_nothing_and_its_time_comes_back()
    {
        var file = Place.Write("a");
        Place.Write("b");
        await Place.SyncedAsync();
        var time = new DateTime(2022, 2, 3, 4, 5, 6, DateTimeKind.Utc).AddTicks(7654321);
        File.SetLastWriteTimeUtc(file, time);
        var result = await Place.SyncedAsync();
        (result.New, result.Changed, result.Touched, result.Bytes).ShouldBe((0, 0, 1, 0));
        (await Place.InventoryAsync()).Single(entry => entry.Path == "a").Mtime.ShouldBe(time);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_mode_travels_without_content()
    {
        var file = Place.Write("a");
        Directory.CreateDirectory(Path.Combine(Place.Source, "d"));
        await Place.SyncedAsync();
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupExecute);
        File.SetUnixFileMode(Path.Combine(Place.Source, "d"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var result = await Place.SyncedAsync();
        (result.Touched, result.Bytes).ShouldBe((1, 0));
        (await Place.InventoryAsync()).Select(entry => entry.Mode).ShouldBe(["0410", "0500"]);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task What_a_name_stands_for_may_change_and_change_back()
    {
        var path = Path.Combine(Place.Source, "x");
        Place.Write("other");
        for (var round = 0; round < 2; round++)
        {
            await File.WriteAllTextAsync(path, "a file", Token);
            await Place.SyncedAsync();
            await Place.ShouldComeBackAsync();

            File.Delete(path);
            Place.Write("x/inside");
            await Place.SyncedAsync();
            (await Place.ObjectsAsync()).ShouldBe(["other", "x/inside"]);
            await Place.ShouldComeBackAsync();

            Directory.Delete(path, recursive: true);
            File.CreateSymbolicLink(path, $"target {round}");
            await Place.SyncedAsync();
            (await Place.ObjectsAsync()).ShouldBe(["other"]);
            await Place.ShouldComeBackAsync();
            File.Delete(path);
        }

        await Place.SyncedAsync();
        (await Place.InventoryAsync()).ShouldHaveSingleItem().Path.ShouldBe("other");
    }

    [Fact]
    public async Task Hostile_names_go_there_and_back_as_files_and_as_directories()
    {
        foreach (var directory in new[] { "files", "directories" })
            Directory.CreateDirectory(Path.Combine(Place.Source, directory));
        var names = HostileNames.All.Where(name => !name.Contains((byte)'/')).DistinctBy(Convert.ToHexString, StringComparer.Ordinal).ToList();
        foreach (var name in names)
        {
            NativeCalls.CreateFile(Path.Combine(Place.Source, "files"), name);
            NativeCalls.CreateDirectory(Path.Combine(Place.Source, "directories"), name);
        }

        // A file in each directory, so that it is part of a key.
        FolderPlace.Run("find", Path.Combine(Place.Source, "directories"), "-mindepth", "1", "-type", "d", "-exec", "sh", "-c", "for d; do echo \"$d\" > \"$d/f\"; done", "sh", "{}", "+").Exit.ShouldBe(0);
        var result = await Place.SyncedAsync();
        result.New.ShouldBe(2 * names.Count);
        await Place.ShouldComeBackAsync();
        Place.LoseCache();
        var again = await Place.SyncedAsync();
        (again.New, again.Changed, again.Deleted, again.Adopted).ShouldBe((0, 0, 0, 2 * names.Count));
        (await Place.VerifyAsync(deep: false)).Passed.ShouldBeTrue();

        FolderPlace.Run("find", Place.Source, "-mindepth", "1", "-delete").Exit.ShouldBe(0);
        (await Place.SyncedAsync(o => o with { Force = true })).Deleted.ShouldBe(2 * names.Count);
        (await Place.ObjectsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Paths_that_are_longer_than_a_key_keep_their_name_in_the_store()
    {
        var names = string.Join('/', Enumerable.Range(0, 6).Select(i => new string((char)('a' + i), 200)));
        FolderPlace.Run("mkdir", "-p", Path.Combine(Place.Source, names)).Exit.ShouldBe(0);
        FolderPlace.Run("sh", "-c", $"cd '{Place.Source}/{names}' && echo one > one && echo two > 'Zwei–zwei'").Exit.ShouldBe(0);
        Place.Write("short");
        await Place.SyncedAsync();
        var keys = (await Place.ObjectsAsync()).Where(ObjectKeys.IsShortened).ToList();
        keys.Count.ShouldBe(2);
        await using (var store = await Place.OpenStoreAsync())
        {
            var records = await store.ListAsync("_catalog/names/", Token).ToListAsync(Token);
            records.Count.ShouldBe(2);
        }

        await Place.ShouldComeBackAsync();
        Place.LoseCache();
        TakeRequests();
        (await Place.SyncedAsync()).Adopted.ShouldBe(3);
        TakeRequests().Contains("HeadObject", StringComparer.Ordinal).ShouldBeFalse("The inventory knows all of them.");
        await ForgetCatalogAsync(names: false);
        Place.LoseCache();
        (await Place.SyncedAsync()).Adopted.ShouldBe(3);
        await Place.ShouldComeBackAsync();
        FolderPlace.Run("rm", "-rf", Path.Combine(Place.Source, new string('a', 200))).Exit.ShouldBe(0);
        (await Place.SyncedAsync()).Deleted.ShouldBe(2);
        (await Place.ObjectsAsync()).ShouldBe(["short"]);
    }

    [Fact]
    public async Task Patterns_choose_and_what_they_leave_out_later_stays_stored()
    {
        Place.Write("a.txt");
        Place.Write("a.tmp");
        Place.Write("logs/b.txt");
        Place.Write("src/c.cs");
        (await Place.SyncedAsync(o => o with { Include = ["**/*.txt", "src/"], Exclude = ["logs/"] })).New.ShouldBe(2);
        (await Place.ObjectsAsync()).ShouldBe(["a.txt", "src/c.cs"]);

        var narrowed = await Place.SyncAsync(o => o with { Include = ["**/*.txt"], Exclude = ["logs/"] });
        (narrowed.Deleted, narrowed.Failed).ShouldBe((0, 0));
        (await Place.ObjectsAsync()).ShouldBe(["a.txt", "src/c.cs"]);
        (await Place.InventoryAsync()).ShouldContain(entry => entry.Path == "src/c.cs");

        File.Delete(Path.Combine(Place.Source, "a.txt"));
        (await Place.SyncedAsync(o => o with { Include = ["**/*.txt"] })).Deleted.ShouldBe(1);
        (await Place.ObjectsAsync()).ShouldBe(["logs/b.txt", "src/c.cs"]);
    }

    [Fact]
    public async Task Links_can_be_followed()
    {
        var outside = Directory.CreateDirectory(Place["outside"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(outside, "far"), "far away", Token);
        Place.Write("near");
        File.CreateSymbolicLink(Path.Combine(Place.Source, "dir"), outside);
        File.CreateSymbolicLink(Path.Combine(Place.Source, "file"), Path.Combine(outside, "far"));
        File.CreateSymbolicLink(Path.Combine(Place.Source, "loop"), ".");
        File.CreateSymbolicLink(Path.Combine(Place.Source, "gone"), "nowhere");
        await Place.SyncedAsync();
        (await Place.ObjectsAsync()).ShouldBe(["near"]);
        (await Place.SyncedAsync(o => o with { FollowSymlink = true })).New.ShouldBe(1);
        (await Place.ObjectsAsync()).ShouldBe(["dir/far", "file", "near"]);
        var (summary, _) = await Place.RestoreAsync(Place["copy"]);
        summary.Restored.ShouldBe(3);
        (await File.ReadAllTextAsync(Path.Combine(Place["copy"], "dir", "far"), Token)).ShouldBe("far away");
        new FileInfo(Path.Combine(Place["copy"], "loop")).LinkTarget.ShouldBe(".");
    }

    // --- A source that moves --------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_file_that_vanishes_during_the_run_is_no_failure_and_is_gone_at_the_next()
    {
        Place.Write("stays");
        var file = Place.Write("goes");
        var first = await Place.SyncedAsync(o => o with { Logger = new Listener(message => Once(message, () => File.Delete(file))) });
        first.Failed.ShouldBe(0);
        (await Place.ObjectsAsync()).ShouldBe(["stays"]);
        await Place.ShouldComeBackAsync();

        static void Once(string message, Action action)
        {
            if (message.Contains("to be hashed", StringComparison.Ordinal))
                action();
        }
    }

    [Fact]
    public async Task A_file_that_never_rests_is_reported_and_never_stored_torn()
    {
        Place.Write("quiet");
        var file = Place.Write("restless", new string('0', 12_000_000));
        using var stop = new CancellationTokenSource();
        using var began = new ManualResetEventSlim();
        var writer = Task.Run(() =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                stream.Seek(i % 12_000_000, SeekOrigin.Begin);
                stream.WriteByte((byte)('1' + (i % 9)));
                stream.Flush();
                began.Set();
            }
        }, Token);
        began.Wait(Token);
        // A block that is done is the moment to write where the store tells of blocks; where it does not, the other thread is fast enough.
        var result = await FolderPlace.RunAsync(Place.Options, progress: new Moment(() =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            stream.WriteByte((byte)'!');
            stream.Flush();
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow);
        }));
        await stop.CancelAsync();
        await writer;
        result.Outcome.ShouldBe(Outcome.Failed);
        var failure = result.Failures.ShouldHaveSingleItem();
        (failure.Item, failure.Kind).ShouldBe(("restless", FailureKind.ChangedWhileRead));
        (await Place.ObjectsAsync()).ShouldBe(["quiet"]);
        (await Place.SyncedAsync()).New.ShouldBe(1);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_reported_and_the_rest_goes_on()
    {
        Assert.SkipUnless(IsRoot, "Only root mounts.");
        Place.Write("good");
        var bad = Place.Write("bad");
        // The memory of a process that has ended: it can be described and not be read.
        FolderPlace.Run("mount", "--bind", "/proc/self/mem", bad).Exit.ShouldBe(0);
        try
        {
            var result = await Place.SyncAsync();
            result.Outcome.ShouldBe(Outcome.Failed);
            result.Failures.ShouldHaveSingleItem().Item.ShouldBe("bad");
            result.New.ShouldBe(1);
            var manifest = await Place.ManifestAsync();
            manifest.Outcome.ShouldBe(Outcome.Failed);
            manifest.Failures.ShouldHaveSingleItem().Item.ShouldBe("bad");
            (await Place.ObjectsAsync()).ShouldBe(["good"]);
        }
        finally
        {
            FolderPlace.Run("umount", "-l", bad).Exit.ShouldBe(0);
        }

        (await Place.SyncedAsync()).New.ShouldBe(1);
        await Place.ShouldComeBackAsync();
    }

    // --- A source that is not there -------------------------------------------------------------------------------------

    [Fact]
    public async Task Too_many_deletions_are_refused_until_they_are_meant()
    {
        for (var i = 0; i < 20; i++)
            Place.Write($"f{i}");
        await Place.SyncedAsync();
        for (var i = 0; i < 3; i++)
            File.Delete(Path.Combine(Place.Source, $"f{i}"));
        Place.Write("new");
        var refused = await Place.SyncAsync(o => o with { MaxDeletePercent = 10 });
        refused.Outcome.ShouldBe(Outcome.Failed);
        (refused.New, refused.Deleted).ShouldBe((1, 0));
        refused.Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.DeletionRefused);
        refused.Reason.ShouldNotBeNull().ShouldContain("15 %");
        (await Place.ObjectsAsync()).Count.ShouldBe(21);
        (await Place.ManifestAsync()).Reason.ShouldBe(refused.Reason);
        (await Place.SyncedAsync(o => o with { MaxDeletePercent = 15 })).Deleted.ShouldBe(3);
        File.Delete(Path.Combine(Place.Source, "f10"));
        File.Delete(Path.Combine(Place.Source, "f11"));
        (await Place.SyncedAsync(o => o with { MaxDeletePercent = 0, Force = true })).Deleted.ShouldBe(2);
        await Place.ShouldComeBackAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_emptied_and_a_missing_source_delete_nothing(bool cacheLost)
    {
        Place.Write("a");
        Place.Write("d/b");
        await Place.SyncedAsync();
        Directory.Move(Place.Source, Place["elsewhere"]);
        if (cacheLost)
            Place.LoseCache();

        var missing = await FolderPlace.RunAsync(Place.Options with { Paths = [Place["source"]] });
        Directory.Exists(Place["source"]).ShouldBeTrue("Options make it");
        Directory.Delete(Place["source"]);
        var options = Place.Options;
        Directory.Delete(Place["source"]);
        missing = await FolderPlace.RunAsync(options);
        missing.Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.NotFound);

        var emptied = await Place.SyncAsync();
        emptied.Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.DeletionRefused);
        emptied.Reason.ShouldNotBeNull().ShouldContain("Is the disk mounted?");
        (await Place.ObjectsAsync()).ShouldBe(["a", "d/b"]);
        await Place.ShouldComeBackAsync(Place["elsewhere"]);

        var meant = await Place.SyncAsync(o => o with { Force = true });
        (meant.Outcome, meant.Deleted).ShouldBe((Outcome.Completed, 2));
        (await Place.ObjectsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_to_do_is_not_said_of_a_directory_that_is_gone()
    {
        Place.Write("a");
        await Place.SyncedAsync();
        if (Place.Location.IsS3)
            return;
        Directory.Move(Place.Store, Place["moved"]);
        var gone = await Place.SyncAsync();
        (gone.Outcome, gone.Kind).ShouldBe((Outcome.Failed, FailureKind.NotFound));
        Directory.Exists(Place.Store).ShouldBeFalse();
        Directory.Move(Place["moved"], Place.Store);
        (await Place.SyncAsync()).Outcome.ShouldBe(Outcome.Unchanged);
    }

    [Fact]
    public async Task That_nothing_changed_is_told_to_the_store_once_an_hour()
    {
        var clock = new FakeTime();
        FolderSyncOptions Clocked(FolderSyncOptions o) => o with { Store = o.Store with { Time = clock } };
        Place.Write("a");
        await FolderPlace.SettleAsync();
        await Place.SyncedAsync(Clocked);
        clock.Advance(UnchangedMarks.Interval - TimeSpan.FromSeconds(1));
        TakeRequests();
        (await Place.SyncAsync(Clocked)).Outcome.ShouldBe(Outcome.Unchanged);
        TakeRequests().ShouldBeEmpty();
        (await Place.MarkedAsync()).ShouldBeNull();

        clock.Advance(TimeSpan.FromSeconds(1));
        var marked = clock.GetUtcNow();
        (await Place.SyncAsync(o => Clocked(o) with { WhatIf = true })).Outcome.ShouldBe(Outcome.Skipped);
        (await Place.MarkedAsync()).ShouldBeNull();
        (await Place.SyncAsync(Clocked)).Outcome.ShouldBe(Outcome.Unchanged);
        (await Place.MarkedAsync()).ShouldBe(marked);

        TakeRequests();
        clock.Advance(TimeSpan.FromMinutes(1));
        (await Place.SyncAsync(Clocked)).Outcome.ShouldBe(Outcome.Unchanged);
        TakeRequests().ShouldBeEmpty();
        (await Place.MarkedAsync()).ShouldBe(marked);
    }

    [Fact]
    public async Task Nothing_to_do_is_not_said_for_long_of_a_store_that_was_emptied()
    {
        var clock = new FakeTime();
        FolderSyncOptions Clocked(FolderSyncOptions o) => o with { Store = o.Store with { Time = clock } };
        Place.Write("a");
        await FolderPlace.SettleAsync();
        await Place.SyncedAsync(Clocked);
        await Place.EmptyStoreAsync();
        clock.Advance(UnchangedMarks.Interval);
        var lost = await Place.SyncAsync(Clocked);
        (lost.Outcome, lost.Kind).ShouldBe((Outcome.Failed, FailureKind.NotFound));
        (await Place.ObjectsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_empty_folder_has_a_run_of_its_own()
    {
        Directory.CreateDirectory(Place.Source);
        var heard = new List<string>();
        (await Place.SyncedAsync(o => o with { Logger = new Listener(heard.Add) })).RunId.ShouldNotBeNull();
        heard.ShouldContain(line => line.Contains("has no files", StringComparison.Ordinal));
        (await Place.RunsAsync()).ShouldHaveSingleItem().TotalObjects.ShouldBe(0);
        (await Place.SyncAsync()).Outcome.ShouldBe(Outcome.Unchanged);
        (await Place.VerifyAsync(deep: true)).Passed.ShouldBeTrue();
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_lost_cache_still_tells_another_volume()
    {
        Assert.SkipUnless(IsRoot, "Only root mounts.");
        for (var i = 0; i < 30; i++)
            Place.Write($"f{i}");
        await Place.SyncedAsync();
        Directory.Delete(Place.Cache, recursive: true);
        FolderPlace.Run("mount", "-t", "tmpfs", "-o", "size=1m", "none", Place.Source).Exit.ShouldBe(0);
        try
        {
            for (var i = 1; i < 30; i++)
                Place.Write($"f{i}");
            var result = await Place.SyncAsync();
            (result.Outcome, result.Deleted).ShouldBe((Outcome.Failed, 0));
            result.Reason.ShouldNotBeNull().ShouldContain("another volume");
        }
        finally
        {
            FolderPlace.Run("umount", Place.Source).Exit.ShouldBe(0);
        }
    }

    [Fact]
    public async Task A_disk_that_is_full_where_the_cache_is_ends_the_run_and_loses_nothing()
    {
        Assert.SkipUnless(IsRoot, "Only root mounts.");
        await Place.SyncedAsync();
        Directory.CreateDirectory(Place["small"]);
        FolderPlace.Run("mount", "-t", "tmpfs", "-o", "size=256k", "none", Place["small"]).Exit.ShouldBe(0);
        try
        {
            for (var i = 0; i < 3000; i++)
                Place.Write($"a name that takes some room in the cache and in its index {i}");
            var full = await Place.SyncAsync(o => o with { CachePath = Place["small"] });
            full.Outcome.ShouldBe(Outcome.Failed);
            full.Failures.ShouldContain(failure => failure.Kind == FailureKind.NoSpace);
            full.Reason!.ShouldContain("small");
        }
        finally
        {
            FolderPlace.Run("umount", Place["small"]).Exit.ShouldBe(0);
        }

        (await Place.SyncedAsync()).Failed.ShouldBe(0);
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task Another_volume_in_the_folders_place_deletes_nothing()
    {
        Assert.SkipUnless(IsRoot, "Only root mounts.");
        for (var i = 0; i < 30; i++)
            Place.Write($"f{i}");
        await Place.SyncedAsync();
        FolderPlace.Run("mount", "-t", "tmpfs", "-o", "size=1m", "none", Place.Source).Exit.ShouldBe(0);
        try
        {
            for (var i = 1; i < 30; i++)
                Place.Write($"f{i}");
            for (var round = 0; round < 2; round++)
            {
                var result = await Place.SyncAsync();
                result.Outcome.ShouldBe(Outcome.Failed);
                result.Reason.ShouldNotBeNull().ShouldContain("another volume");
                result.Deleted.ShouldBe(0);
            }
        }
        finally
        {
            FolderPlace.Run("umount", "-l", Place.Source).Exit.ShouldBe(0);
        }

        (await Place.ObjectsAsync()).Count.ShouldBe(30);
        File.Delete(Path.Combine(Place.Source, "f1"));
        (await Place.SyncedAsync()).Deleted.ShouldBe(1);
        await Place.ShouldComeBackAsync();
    }

    // --- Plans, caches, catalogs ----------------------------------------------------------------------------------------

    [Fact]
    public async Task WhatIf_writes_nothing_anywhere_and_says_what_a_run_would_do()
    {
        Place.Write("a");
        Place.Write("b");
        var first = await Place.SyncAsync(o => o with { WhatIf = true });
        (first.Outcome, first.WhatIf, first.New, first.Bytes, first.RunId).ShouldBe((Outcome.Skipped, true, 2, 14, null));
        FolderPlace.Bytes(Place.Cache, Place.Store).ShouldBeEmpty();
        Directory.Exists(Place.Cache).ShouldBeFalse();

        await FolderPlace.SettleAsync();
        await Place.SyncedAsync();
        Place.Write("a", "edited");
        Place.Write("new");
        File.Delete(Path.Combine(Place.Source, "b"));
        await FolderPlace.SettleAsync();
        var before = FolderPlace.Bytes(Place.Cache, Place.Store);
        TakeRequests();
        foreach (var change in new Func<FolderSyncOptions, FolderSyncOptions>[] { o => o, o => o with { Reset = true }, o => o with { CachePath = Place["lost"] } })
        {
            var plan = await Place.SyncAsync(o => change(o) with { WhatIf = true });
            (plan.New, plan.Changed, plan.Deleted, plan.Bytes).ShouldBe((1, 1, 1, 13));
        }

        var refused = await Place.SyncAsync(o => o with { WhatIf = true, MaxDeletePercent = 10 });
        refused.Reason.ShouldNotBeNull().ShouldContain("MaxDeletePercent");
        TakeRequests().ShouldAllBe(name => name.StartsWith("List") || name.StartsWith("Head") || name.StartsWith("Get"));
        FolderPlace.Bytes(Place.Cache, Place.Store).ShouldBe(before);
        Directory.Exists(Place["lost"]).ShouldBeFalse();
        (await Place.SyncedAsync()).New.ShouldBe(1);

        var (restore, _) = await Place.RestoreAsync(Place["copy"], o => o with { WhatIf = true });
        (restore.Restored, restore.WhatIf, restore.Outcome).ShouldBe((2, true, Outcome.Skipped));
        Directory.Exists(Place["copy"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_lost_cache_costs_a_listing_and_no_upload()
    {
        for (var i = 0; i < 20; i++)
            Place.Write($"d{i % 3}/f{i}", $"content {i}");
        await Place.SyncedAsync();
        Place.LoseCache();
        TakeRequests();
        var result = await Place.SyncedAsync();
        (result.New, result.Changed, result.Deleted, result.Adopted, result.Bytes).ShouldBe((0, 0, 0, 20, 0));
        TakeRequests().Where(name => !name.EndsWith("catalog", StringComparison.Ordinal)).ShouldAllBe(name => name == "ListObjectsV2");
        await Place.ShouldComeBackAsync();
        await FolderPlace.SettleAsync();
        (await Place.SyncAsync()).Outcome.ShouldBe(Outcome.Unchanged);
    }

    [Fact]
    public async Task Objects_that_no_manifest_names_are_adopted_and_a_file_that_differs_is_sent()
    {
        for (var i = 0; i < 5; i++)
            Place.Write($"f{i}", $"content {i}");
        await Place.SyncedAsync();
        await ForgetCatalogAsync();
        Place.LoseCache();
        Place.Write("f4", "CONTENT 4");
        var result = await Place.SyncedAsync();
        (result.New, result.Changed, result.Adopted, result.Bytes).ShouldBe((0, 1, 4, 9));
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task Reset_looks_at_the_store_and_sends_only_what_is_not_there()
    {
        for (var i = 0; i < 5; i++)
            Place.Write($"f{i}");
        await Place.SyncedAsync();
        await using (var store = await Place.OpenStoreAsync())
            await store.DeleteAsync(new[] { Place.Source[1..] + "/f2" }.ToAsyncEnumerable(), Token).ToListAsync(Token);
        (await Place.VerifyAsync(deep: false)).Passed.ShouldBe((await Place.ManifestAsync()).Inventory.Count > 0);
        var result = await Place.SyncedAsync(o => o with { Reset = true });
        (result.New, result.Adopted).ShouldBe((1, 4));
        await Place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_damaged_cache_is_one_error_and_Reset_mends_it()
    {
        Place.Write("a");
        await Place.SyncedAsync();
        await File.WriteAllTextAsync(Place.CacheFile, new string('x', 9000), Token);
        var result = await Place.SyncAsync();
        result.Outcome.ShouldBe(Outcome.Failed);
        var failure = result.Failures.ShouldHaveSingleItem();
        failure.Kind.ShouldBe(FailureKind.Corrupt);
        failure.Advice.ShouldNotBeNull().ShouldContain("-Reset");
        (await Place.SyncedAsync(o => o with { Reset = true })).Adopted.ShouldBe(1);
    }

    [Fact]
    public async Task A_second_run_on_the_same_cache_is_busy()
    {
        Place.Write("a");
        await Place.SyncedAsync();
        using (FolderCache.Open(Place.CacheFile, Place.Location.ToString(), Place.Source))
        {
            foreach (var change in new Func<FolderSyncOptions, FolderSyncOptions>[] { o => o, o => o with { WhatIf = true }, o => o with { Reset = true } })
                (await Place.SyncAsync(change)).Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.Busy);
        }

        (await Place.SyncAsync()).Failed.ShouldBe(0);
    }

    [Fact]
    public async Task Folders_must_not_overlap_and_one_that_is_missing_does_not_stop_the_others()
    {
        Place.Write("a/x");
        (await Should.ThrowAsync<BackupException>(() => Place.SyncAsync(o => o with { Paths = [Place.Source, Path.Combine(Place.Source, "a")] }))).Kind.ShouldBe(FailureKind.InvalidInput);
        var outputs = await FolderSync.RunAsync(Place.Options with { Paths = [Place["not there"], Place.Source] }, cancellationToken: Token).ToListAsync(Token);
        outputs.OfType<FolderSyncResult>().Select(result => result.Outcome).ShouldBe([Outcome.Failed, Outcome.Completed]);
        var file = await FolderPlace.RunAsync(Place.Options with { Paths = [Path.Combine(Place.Source, "a", "x")] });
        file.Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.InvalidInput);
        (await Should.ThrowAsync<BackupException>(() => Place.SyncAsync(o => o with { StorageClass = "FROZEN" }))).Message.ShouldContain("FROZEN");
    }

    [Fact]
    public async Task A_cache_inside_the_folder_is_not_backed_up()
    {
        Place.Write("a");
        var cache = Path.Combine(Place.Source, ".100%25 cache");
        await Place.SyncedAsync(o => o with { CachePath = cache });
        (await Place.ObjectsAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Manifests_and_inventories_tell_the_whole_story()
    {
        for (var i = 0; i < 40; i++)
            Place.Write($"f{i:00}", $"content {i}");
        Directory.CreateDirectory(Path.Combine(Place.Source, "d"));
        var first = await Place.SyncedAsync();
        var manifest = await Place.ManifestAsync();
        (manifest.RunId, manifest.System, manifest.SourceName, manifest.Host).ShouldBe((first.RunId!, "folders", Place.Source, Environment.MachineName));
        (manifest.Counts.Stored, manifest.TotalObjects, manifest.TotalBytes, manifest.BytesStored).ShouldBe((40, 40, first.TotalBytes, first.Bytes));
        manifest.Proofs.ShouldBe(["crc64nvme"]);
        manifest.Inventory.ShouldHaveSingleItem().Entries.ShouldBe(41);

        File.Delete(Path.Combine(Place.Source, "f00"));
        Place.Write("f01", "edited");
        await Place.SyncedAsync();
        manifest = await Place.ManifestAsync();
        manifest.Inventory.Select(segment => segment.Entries).ShouldBe([41, 2]);
        var entries = await Place.InventoryAsync();
        entries.Select(entry => entry.Path).ShouldBe(["d/", .. Enumerable.Range(1, 39).Select(i => $"f{i:00}")]);
        var edited = entries.Single(entry => entry.Path == "f01");
        edited.Sha256.ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("edited"u8)));
        (edited.Size, edited.Mode, edited.Key).ShouldBe((6, "0644", Place.Source[1..] + "/f01"));
        edited.Version.ShouldNotBeNull();

        for (var i = 0; i < 14; i++)
        {
            Place.Write("f02", $"round {i}");
            await Place.SyncedAsync();
            (await Place.ManifestAsync()).Inventory.Count.ShouldBeInRange(1, 12);
        }

        (await Place.RunsAsync()).Count.ShouldBe(16);
        await Place.ShouldComeBackAsync();
    }

    // --- Back again -----------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_restore_leaves_alone_what_is_identical_or_newer_and_goes_on_where_it_ended()
    {
        Place.Write("a", "stored a");
        Place.Write("b", "stored b");
        Place.Write("d/c", "stored c");
        await Place.SyncedAsync();
        var copy = await Place.ShouldComeBackAsync();
        (await Place.RestoreAsync(copy)).Summary.ShouldSatisfyAllConditions(s => s.Restored.ShouldBe(0), s => s.Unchanged.ShouldBe(3), s => s.Outcome.ShouldBe(Outcome.Completed));

        File.Delete(Path.Combine(copy, "b"));
        await File.WriteAllTextAsync(Path.Combine(copy, "a"), "my newer work", Token);
        await File.WriteAllTextAsync(Path.Combine(copy, "d", "c"), "older junk", Token);
        File.SetLastWriteTimeUtc(Path.Combine(copy, "d", "c"), new DateTime(2010, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var (summary, items) = await Place.RestoreAsync(copy);
        (summary.Restored, summary.Skipped, summary.Outcome).ShouldBe((2, 1, Outcome.Completed));
        items.ShouldHaveSingleItem().Path.ShouldBe(Path.Combine(copy, "a"));
        (await File.ReadAllTextAsync(Path.Combine(copy, "a"), Token)).ShouldBe("my newer work");
        (await Place.RestoreAsync(copy, o => o with { Force = true })).Summary.Restored.ShouldBe(1);
        FolderPlace.ShouldBeSame(Place.Source, copy);
    }

    [Fact]
    public async Task The_original_place_a_choice_of_files_and_unknown_names()
    {
        Place.Write("a.txt");
        Place.Write("b.bin");
        await Place.SyncedAsync();
        File.Delete(Path.Combine(Place.Source, "a.txt"));
        File.Delete(Path.Combine(Place.Source, "b.bin"));
        var (summary, _) = await Place.RestoreAsync("unused", o => o with { Destination = null, Include = ["**/*.txt"] });
        (summary.Destination, summary.Restored).ShouldBe((Place.Source, 1));
        Directory.GetFiles(Place.Source).ShouldBe([Path.Combine(Place.Source, "a.txt")]);
        foreach (var wrong in new Func<FolderRestoreOptions, FolderRestoreOptions>[]
        {
            o => o with { Paths = ["/no/such/folder"] }, o => o with { RunId = "000000000000" }, o => o with { At = new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero) },
        })
            (await Should.ThrowAsync<BackupException>(() => Place.RestoreAsync(Place["copy"], wrong))).Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public async Task Every_run_can_be_had_again_by_its_id_and_by_its_time()
    {
        var runs = new List<(string Id, DateTimeOffset At, string Kept)>();
        for (var i = 0; i < 3; i++)
        {
            Place.Write("a", $"generation {i}");
            Place.Write($"only-{i}", "x");
            if (i > 0)
                File.Delete(Path.Combine(Place.Source, $"only-{i - 1}"));
            var id = (await Place.SyncedAsync()).RunId!;
            var kept = Place[$"kept-{i}"];
            FolderPlace.Run("cp", "-a", Place.Source, kept).Exit.ShouldBe(0);
            runs.Add((id, (await Place.ManifestAsync()).Finished, kept));
        }

        foreach (var (id, at, kept) in runs)
        {
            var byId = Place[$"id-{id}"];
            (await Place.RestoreAsync(byId, o => o with { RunId = id })).Summary.RunId.ShouldBe(id);
            FolderPlace.ShouldBeSame(kept, byId);
            var byTime = Place[$"at-{id}"];
            (await Place.RestoreAsync(byTime, o => o with { At = at })).Summary.RunId.ShouldBe(id);
            FolderPlace.ShouldBeSame(kept, byTime);
            (await Place.VerifyAsync(deep: true, id)).Passed.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Wrong_bytes_in_the_store_are_never_given_back()
    {
        Place.Write("good");
        Place.Write("bad", "precious");
        await Place.SyncedAsync();
        await DamageAsync("bad");
        var (summary, items) = await Place.RestoreAsync(Place["copy"]);
        (summary.Outcome, summary.Restored, summary.Failed).ShouldBe((Outcome.Failed, 1, 1));
        items.ShouldHaveSingleItem().Path.ShouldEndWith("/bad");
        Directory.GetFileSystemEntries(Place["copy"]).ShouldBe([Path.Combine(Place["copy"], "good")]);

        var deep = await Place.VerifyAsync(deep: true);
        (deep.Passed, deep.Checked, deep.Problems).ShouldBe((false, 2, 1));
        deep.Details.ShouldHaveSingleItem().Path.ShouldBe("bad");
    }

    [Fact]
    public async Task A_hostile_inventory_cannot_write_outside_its_target()
    {
        Place.Write("payload", "evil");
        await Place.SyncedAsync();
        var payload = (await Place.InventoryAsync()).Single();
        var manifest = await Place.ManifestAsync();
        var outside = Directory.CreateDirectory(Place["outside"]).FullName;
        await using (var store = await Place.OpenStoreAsync())
        {
            InventoryEntry[] entries =
            [
                payload with { Path = "../escaped" }, payload with { Path = "..%2Fescaped" }, payload with { Path = "/etc/escaped" }, payload with { Path = "a/../../escaped" }, payload with { Path = "" },
                payload with { Path = "file/" }, payload with { Path = "dot/." }, payload with { Path = "nul%00" },
                new() { Path = "link", Type = InventoryEntryType.Symlink, Target = outside }, payload with { Path = "link/escaped" },
                new() { Path = "link2/", Type = InventoryEntryType.Directory, Mode = "0777" }, new() { Path = "../up/", Type = InventoryEntryType.Directory },
                payload with { Path = "nokey", Key = null }, payload with { Path = "set", Mode = "06777" },
            ];
            await using var writer = InventoryWriter.Start(store, "_catalog/inventories/folders/x/evil.jsonl.gz", Token);
            foreach (var entry in entries.OrderBy(entry => entry.Path, Utf8Order.Instance))
                await writer.AddAsync(entry, Token);
            var segment = await writer.CompleteAsync(Token);
            await new RunCatalog(store).CommitAsync(manifest with { RunId = "ffffffffffff", Inventory = [segment] }, Token);
        }

        var before = FolderPlace.Run("find", Place[""], "-not", "-path", "*/copy*").Output;
        var (summary, _) = await Place.RestoreAsync(Place["copy"], o => o with { RunId = "ffffffffffff" });
        summary.Outcome.ShouldBe(Outcome.Failed);
        FolderPlace.Run("find", Place[""], "-not", "-path", "*/copy*").Output.ShouldBe(before);
        Directory.GetFileSystemEntries(Place["copy"]).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(["link", "link2", "set"]);
        File.GetUnixFileMode(Path.Combine(Place["copy"], "set")).HasFlag(UnixFileMode.SetUser).ShouldBeFalse();
        File.Exists("/etc/escaped").ShouldBeFalse();
    }

    [Theory]
    [InlineData("ro", FailureKind.PermissionDenied)]
    [InlineData("size=1m", FailureKind.NoSpace)]
    public async Task A_target_that_takes_nothing_is_one_clear_error(string option, FailureKind kind)
    {
        Assert.SkipUnless(IsRoot, "Only root mounts.");
        for (var i = 0; i < 6; i++)
            Place.Write($"f{i}", new string((char)('a' + i), 400_000));
        await Place.SyncedAsync();
        var target = Directory.CreateDirectory(Place["target"]).FullName;
        FolderPlace.Run("mount", "-t", "tmpfs", "-o", option, "none", target).Exit.ShouldBe(0);
        try
        {
            (await Should.ThrowAsync<BackupException>(() => Place.RestoreAsync(target))).Kind.ShouldBe(kind);
            Directory.GetFiles(target, ".~*").ShouldBeEmpty();
        }
        finally
        {
            FolderPlace.Run("umount", "-l", target).Exit.ShouldBe(0);
        }
    }

    // --- Verification ---------------------------------------------------------------------------------------------------

    [Fact]
    public async Task Objects_that_are_missing_and_inventories_that_are_damaged_are_found()
    {
        Place.Write("a");
        Place.Write("b");
        await Place.SyncedAsync();
        var manifest = await Place.ManifestAsync();
        await using var store = await Place.OpenStoreAsync();
        var key = manifest.Inventory.Single().Key;
        await using (var content = await store.ReadAsync(key, null, Token))
        {
            using var bytes = new MemoryStream();
            await content.Stream.CopyToAsync(bytes, Token);
            await store.WriteAsync(key, new MemoryStream(bytes.ToArray()[..^9]), null, Token);
        }

        var verified = await Place.VerifyAsync(deep: false);
        verified.Passed.ShouldBeFalse();
        verified.Details.ShouldContain(problem => problem.Kind == FailureKind.Corrupt);
        await store.DeleteAsync(new[] { key }.ToAsyncEnumerable(), Token).ToListAsync(Token);
        (await Place.VerifyAsync(deep: true)).Details.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.NotFound);
        (await Should.ThrowAsync<BackupException>(() => Place.VerifyAsync(deep: false, "000000000000"))).Kind.ShouldBe(FailureKind.NotFound);
    }

    private sealed class Moment(Action act) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value)
        {
            if (value.Activity.StartsWith("Backing up", StringComparison.Ordinal))
                act();
        }
    }

    /// <summary>Removes runs and inventories, and what keeps long names where that is asked for.</summary>
    private async Task ForgetCatalogAsync(bool names = true)
    {
        await using var store = await Place.OpenStoreAsync();
        var keys = await store.ListAsync("_catalog/", Token).Select(o => o.Key).Where(key => names || !key.StartsWith("_catalog/names/", StringComparison.Ordinal)).ToListAsync(Token);
        (await store.DeleteAsync(keys.ToAsyncEnumerable(), Token).ToListAsync(Token)).ShouldAllBe(result => result.Failure == null);
    }
}

/// <summary>A folder in a directory store.</summary>
[SupportedOSPlatform("linux")]
public sealed class DirectoryFolderSyncTests : FolderSyncContract
{
    private protected override FolderPlace NewPlace() => new();

    private protected override async Task DamageAsync(string path)
    {
        var file = Place.Store + Place.Source + "/" + path;
        var bytes = await File.ReadAllBytesAsync(file, Token);
        bytes[0] ^= 1;
        // Rot does not set times.
        var time = File.GetLastWriteTimeUtc(file);
        await File.WriteAllBytesAsync(file, bytes, Token);
        File.SetLastWriteTimeUtc(file, time);
    }

    [Fact]
    public async Task A_half_readable_source_deletes_nothing()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can become somebody else.");
        Place.Write("open");
        Place.Write("secret/a");
        Place.Write("secret/b");
        foreach (var directory in new[] { Place[""], Place.Source, Place["store"], Place["cache"] })
            Directory.CreateDirectory(directory);
        FolderPlace.Run("chown", "-R", "65534", Place[""]).Exit.ShouldBe(0);
        (await ChildAsync()).ShouldBe(0);
        (await Place.ObjectsAsync()).Count.ShouldBe(3);

        File.SetUnixFileMode(Path.Combine(Place.Source, "secret"), UnixFileMode.None);
        File.Delete(Path.Combine(Place.Source, "open"));
        (await ChildAsync()).ShouldBe(1);
        (await Place.ObjectsAsync()).Count.ShouldBe(3);
        var manifest = await Place.ManifestAsync();
        manifest.Failures.Select(failure => failure.Kind).ShouldBe([FailureKind.PermissionDenied, FailureKind.DeletionRefused]);

        async Task<int> ChildAsync()
        {
            using var child = ChildProcess.StartSync(Place.Source, Place.Store, Place.Cache, user: 65534);
            await child.StandardOutput.ReadToEndAsync(Token);
            await child.WaitForExitAsync(Token);
            return child.ExitCode;
        }
    }

    [Fact]
    public async Task The_destination_must_not_be_inside_the_folder()
    {
        Place.Write("a");
        var inside = StoreLocation.ForDirectory(Path.Combine(Place.Source, "store"));
        (await Should.ThrowAsync<BackupException>(() => Place.SyncAsync(o => o with { Destination = inside }))).Kind.ShouldBe(FailureKind.InvalidInput);
        Directory.CreateSymbolicLink(Place["link"], Place.Source);
        var linked = StoreLocation.ForDirectory(Path.Combine(Place["link"], "store"));
        (await Should.ThrowAsync<BackupException>(() => Place.SyncAsync(o => o with { Destination = linked }))).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    [Fact]
    public async Task A_full_store_ends_the_run_with_one_error_and_the_next_goes_on()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root mounts.");
        var small = Directory.CreateDirectory(Place["small"]).FullName;
        FolderPlace.Run("mount", "-t", "tmpfs", "-o", "size=2m", "none", small).Exit.ShouldBe(0);
        try
        {
            for (var i = 0; i < 20; i++)
                Place.Write($"f{i}", new string('x', 300_000 + i));
            var options = Place.Options with { Destination = StoreLocation.ForDirectory(Path.Combine(small, "store")) };
            (await Should.ThrowAsync<BackupException>(() => FolderPlace.RunAsync(options))).Kind.ShouldBe(FailureKind.NoSpace);
            FolderPlace.Run("mount", "-o", "remount,size=20m", small).Exit.ShouldBe(0);
            var result = await FolderPlace.RunAsync(options);
            result.Outcome.ShouldBe(Outcome.Completed);
            result.New.ShouldBeInRange(1, 19);
            (await RunVerifier.RunAsync(options.Destination, new(), deep: true, cancellationToken: Token).SingleAsync(Token)).Checked.ShouldBe(20);
        }
        finally
        {
            FolderPlace.Run("umount", "-l", small).Exit.ShouldBe(0);
        }
    }
}
