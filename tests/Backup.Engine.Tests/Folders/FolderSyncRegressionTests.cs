using System.Runtime.Versioning;
using Backup.Engine.Folders;
using Backup.Engine.Runs;

namespace Backup.Engine.Tests.Folders;

/// <summary>What a hard look found, each as the smallest story that showed it.</summary>
[SupportedOSPlatform("linux")]
public sealed class FolderSyncRegressionTests : IDisposable
{
    private readonly FolderPlace _place = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_store_that_is_not_mounted_is_never_begun_anew_beside_a_cache_that_knows_it()
    {
        _place.Write("a");
        _place.Write("b");
        await _place.SyncedAsync();
        Directory.Move(_place.Store, _place["unplugged"]);
        _place.Write("a", "edited");

        var result = await _place.SyncAsync();
        result.Outcome.ShouldBe(Outcome.Failed);
        result.Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.NotFound);
        result.Reason.ShouldNotBeNull().ShouldContain(_place.Store);
        Directory.Exists(_place.Store).ShouldBeFalse();

        Directory.Move(_place["unplugged"], _place.Store);
        (await _place.SyncedAsync()).Changed.ShouldBe(1);
        (await _place.VerifyAsync(deep: true)).Passed.ShouldBeTrue();
        await _place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task Reset_mends_what_rotted_in_a_directory_without_a_trace()
    {
        _place.Write("a", "sound");
        await _place.SyncedAsync();
        var stored = Path.Combine(_place.Store, _place.Source[1..], "a");
        var time = File.GetLastWriteTimeUtc(stored);
        await File.WriteAllTextAsync(stored, "rotten"[..5]);
        File.SetLastWriteTimeUtc(stored, time);
        (await _place.VerifyAsync(deep: true)).Passed.ShouldBeFalse();

        (await _place.SyncedAsync(o => o with { Reset = true })).Changed.ShouldBe(1);
        (await _place.VerifyAsync(deep: true)).Passed.ShouldBeTrue();
        await _place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_directory_that_is_asked_to_lock_or_encrypt_refuses()
    {
        _place.Write("a");
        var failure = await Should.ThrowAsync<BackupException>(() => _place.SyncAsync(o => o with { Store = o.Store with { ObjectLockMode = "COMPLIANCE", ObjectLockDays = 3 } }));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
    }

    [Fact]
    public async Task A_store_that_was_emptied_is_told_and_Reset_fills_it_again()
    {
        _place.Write("a");
        await _place.SyncedAsync();
        Directory.Delete(_place.Store, recursive: true);
        _place.Write("b");
        (await _place.SyncAsync()).Failures.ShouldHaveSingleItem().Advice.ShouldNotBeNull().ShouldContain("-Reset");
        (await _place.SyncedAsync(o => o with { Reset = true })).New.ShouldBe(2);
        await _place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task A_lost_cache_and_a_lost_source_together_keep_the_times_of_what_is_stored()
    {
        _place.Write("a");
        _place.Write("d/b");
        await _place.SyncedAsync();
        var kept = _place["kept"];
        Directory.Move(_place.Source, kept);
        _place.LoseCache();

        var result = await _place.SyncAsync(o => o with { MaxDeletePercent = 10 });
        result.Failures.ShouldHaveSingleItem().Kind.ShouldBe(FailureKind.DeletionRefused);
        await _place.ShouldComeBackAsync(kept);
    }

    [Fact]
    public async Task A_damaged_inventory_does_not_stand_in_the_way_of_Reset()
    {
        _place.Write("a");
        _place.Write("b");
        await _place.SyncedAsync();
        var segment = Directory.GetFiles(Path.Combine(_place.Store, "_catalog", "inventories"), "*.jsonl.gz", SearchOption.AllDirectories).ShouldHaveSingleItem();
        await File.WriteAllBytesAsync(segment, [1, 2, 3], Token);

        var result = await _place.SyncedAsync(o => o with { Reset = true });
        (result.New, result.Changed, result.Adopted).ShouldBe((0, 0, 2));
        await _place.ShouldComeBackAsync();
    }

    [Fact]
    public async Task What_a_killed_restore_left_is_not_backed_up()
    {
        _place.Write("a");
        _place.Write(".~backup-0123456789abcdef0123456789abcdef", "half");
        (await _place.SyncedAsync()).New.ShouldBe(1);
        (await _place.ObjectsAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_volume_that_was_replaced_without_a_file_missing_is_the_folder_from_then_on()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root mounts.");
        for (var i = 0; i < 20; i++)
            _place.Write($"f{i}");
        await _place.SyncedAsync();
        var old = _place["old"];
        Directory.Move(_place.Source, old);
        FolderPlace.Run("cp", "-a", old, _place["source"]).Exit.ShouldBe(0);
        (await _place.SyncAsync()).Outcome.ShouldBe(Outcome.Unchanged);
        File.Delete(Path.Combine(_place.Source, "f0"));
        (await _place.SyncedAsync(o => o with { MaxDeletePercent = 10 })).Deleted.ShouldBe(1);
    }

    [Fact]
    public async Task A_restore_target_that_is_a_file_is_one_clear_error()
    {
        _place.Write("a");
        await _place.SyncedAsync();
        await File.WriteAllTextAsync(_place["taken"], "x", Token);
        var failure = await Should.ThrowAsync<BackupException>(() => _place.RestoreAsync(_place["taken"]));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.Message.ShouldContain("taken");
    }

    [Fact]
    public async Task A_link_is_never_restored_over_a_newer_file_and_that_is_told()
    {
        File.CreateSymbolicLink(Path.Combine(_place.Source, "link"), "nowhere");
        File.CreateSymbolicLink(Path.Combine(_place.Source, "other"), "elsewhere");
        await _place.SyncedAsync();
        var copy = Directory.CreateDirectory(_place["copy"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(copy, "link"), "mine", Token);
        File.CreateSymbolicLink(Path.Combine(copy, "other"), "mine too");

        var (summary, items) = await _place.RestoreAsync(copy);
        summary.Skipped.ShouldBe(2);
        items.Select(item => item.Outcome).ShouldBe([Outcome.Skipped, Outcome.Skipped]);
        (await File.ReadAllTextAsync(Path.Combine(copy, "link"), Token)).ShouldBe("mine");

        (await _place.RestoreAsync(copy, o => o with { Force = true })).Summary.Outcome.ShouldBe(Outcome.Completed);
        FolderPlace.ShouldBeSame(_place.Source, copy);
    }

    [Fact]
    public async Task A_file_where_a_directory_was_keeps_its_own_mode_and_time()
    {
        Directory.CreateDirectory(Path.Combine(_place.Source, "x"), (UnixFileMode)0x1FF);
        await _place.SyncedAsync();
        var file = Path.Combine(Directory.CreateDirectory(_place["copy"]).FullName, "x");
        await File.WriteAllTextAsync(file, "mine", Token);
        File.SetUnixFileMode(file, UnixFileMode.UserRead);
        var (summary, items) = await _place.RestoreAsync(_place["copy"]);
        summary.Failed.ShouldBe(1);
        items.ShouldHaveSingleItem();
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1.0)]
    [InlineData(101.0)]
    public async Task A_percentage_that_is_none_is_refused(double percent)
    {
        _place.Write("a");
        (await Should.ThrowAsync<BackupException>(() => _place.SyncAsync(o => o with { MaxDeletePercent = percent }))).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    [Fact]
    public void The_catalog_is_no_file_of_a_folder_at_the_root()
    {
        var keys = new ObjectKeys("/");
        keys.TryGetPath("_catalog/runs/folders/x/y.json", out _).ShouldBeFalse();
        keys.TryGetPath("%5Fcatalog/x", out var path).ShouldBeTrue();
        path.ShouldBe("_catalog/x");
    }

    [Fact]
    public async Task A_folder_is_found_with_a_slash_behind_its_name()
    {
        _place.Write("a");
        await _place.SyncedAsync();
        (await _place.RestoreAsync(_place["copy"], o => o with { Paths = [_place.Source + "/"] })).Summary.Restored.ShouldBe(1);
    }
}
