using System.Runtime.Versioning;
using Backup.Engine.Folders;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.S3;
using FsCheck;
using FsCheck.Fluent;

namespace Backup.Engine.Tests.Folders;

/// <summary>
/// Random edits of a random tree, lost caches and runs that are given up at any moment, in any order. The model is the source itself:
/// after every run that completed, what comes back is the same in names, bytes, times and modes, by find and diff.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class FolderSyncModelTests(StrictS3Fixture fixture) : IClassFixture<StrictS3Fixture>
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(15);
    private static readonly string[] Names = ["a", "b.txt", "c%41", "ü", "_catalog", "d d", "e\n", "%~", "f."];

    [Fact]
    public void Whatever_happens_to_a_tree_the_store_gives_back_what_was_there()
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var stories = 0;
        var config = Config.QuickThrowOnFailure.WithMaxTest(40).WithQuietOnSuccess(true);
        // A step is a number: its digits choose what happens to what.
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ListOf(24).ToArbitrary(), steps =>
        {
            if (clock.Elapsed > Budget)
                return;
            stories++;
            PlayAsync(steps).GetAwaiter().GetResult();
        }).Check(config);
        TestContext.Current.SendDiagnosticMessage($"{stories} stories in {clock.Elapsed.TotalSeconds:0.0} s.");
        stories.ShouldBeGreaterThan(3);
    }

    private async Task PlayAsync(IEnumerable<int> steps)
    {
        using var place = new FolderPlace(StoreLocation.ForBucket(StrictS3Fixture.Bucket, $"model-{Guid.NewGuid():n}"), fixture.Options);
        var root = place.Source;
        foreach (var step in steps)
            await PlayAsync(place, root, step);
        await SyncAndCompareAsync(place);
    }

    private async Task PlayAsync(FolderPlace place, string root, int step)
    {
        var random = new Random(step);
        var path = Path.Combine(root, Pick(random, Names), Pick(random, Names));
        var top = Path.GetDirectoryName(path)!;
        var target = random.Next(3) == 0 ? top : path;
        switch (random.Next(13))
        {
            case 0 or 1 or 2:
                Clear(target);
                if (Make(Path.GetDirectoryName(target)!))
                    await File.WriteAllTextAsync(target, new string((char)('a' + random.Next(26)), random.Next(0, 4) * 100));
                break;
            case 3 when File.Exists(target) && new FileInfo(target).LinkTarget is null:
                // Another content of the same size, with the time that it had.
                var time = File.GetLastWriteTimeUtc(target);
                await File.WriteAllTextAsync(target, new string((char)('A' + random.Next(26)), (int)new FileInfo(target).Length));
                File.SetLastWriteTimeUtc(target, time);
                break;
            case 4 when File.Exists(target) && new FileInfo(target).LinkTarget is null:
                File.SetLastWriteTimeUtc(target, new DateTime(2015, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddTicks(random.NextInt64(TimeSpan.TicksPerDay * 3000)));
                break;
            case 5 when File.Exists(target) && new FileInfo(target).LinkTarget is null:
                File.SetUnixFileMode(target, (UnixFileMode)random.Next(0x200));
                break;
            case 6:
                Clear(target);
                break;
            case 7:
                var to = Path.Combine(root, Pick(random, Names));
                if (Path.Exists(target) && to != target && !target.StartsWith(to + "/", StringComparison.Ordinal) && !to.StartsWith(target + "/", StringComparison.Ordinal))
                {
                    Clear(to);
                    FolderPlace.Run("mv", "-T", "--", target, to).Exit.ShouldBe(0);
                }

                break;
            case 8:
                Clear(target);
                if (Make(Path.GetDirectoryName(target)!))
                    File.CreateSymbolicLink(target, Pick(random, Names));
                break;
            case 9:
                Clear(target);
                if (Make(Path.GetDirectoryName(target)!))
                    Make(target);
                break;
            case 10 when Directory.Exists(place.Cache):
                place.LoseCache();
                break;
            case 11:
                await AbortAsync(place, random.Next(1, 12));
                break;
            case 12:
                await SyncAndCompareAsync(place);
                break;
            default:
                break;
        }
    }

    private static async Task SyncAndCompareAsync(FolderPlace place)
    {
        var result = await place.SyncAsync(o => o with { Force = true });
        result.Outcome.ShouldBeOneOf(Outcome.Completed, Outcome.Unchanged);
        if (result.RunId is not null || (await place.RunsAsync()).Count > 0)
        {
            await place.ShouldComeBackAsync();
            (await place.VerifyAsync(deep: true)).Passed.ShouldBeTrue();
        }
    }

    /// <summary>Gives a run up at its n-th request.</summary>
    private async Task AbortAsync(FolderPlace place, int requests)
    {
        using var stop = new CancellationTokenSource();
        var seen = 0;
        var prefix = place.Location.Prefix;
        fixture.Server.Faults.Add(new Fault
        {
            Match = request =>
            {
                if (request.Key?.StartsWith(prefix, StringComparison.Ordinal) == true && Interlocked.Increment(ref seen) == requests)
                    stop.Cancel();
                return false;
            },
            Action = FaultAction.Hang,
        });
        try
        {
            await place.SyncAsync(o => o with { Force = true }, stop.Token);
        }
        catch (OperationCanceledException)
        {
            // That was the point.
        }
        finally
        {
            fixture.Server.Faults.Clear();
        }
    }

    private static string Pick(Random random, string[] names) => names[random.Next(names.Length)];

    private static bool Make(string directory)
    {
        if (File.Exists(directory) || new FileInfo(directory).LinkTarget is not null)
            return false;
        Directory.CreateDirectory(directory);
        return true;
    }

    private static void Clear(string path)
    {
        if (new FileInfo(path).LinkTarget is not null || File.Exists(path))
            File.Delete(path);
        else if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
