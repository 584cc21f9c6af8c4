using System.Diagnostics;
using System.Runtime.Versioning;
using Backup.Engine.PrePost;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.PrePost;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.PrePost;

/// <summary>
/// Kill -9 at every step. What a run does to the world is a line of effects: entries of its journal and changing calls. The process is killed before the first,
/// before the second and so on; "after the n-th" is the same world as "before the next". Then the run is resumed.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class PrePostCrashTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>
{

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The third has scripts for failures and for the end, and is started when the recovery point exists: every kind of step.
    // Of one instance with both scripts and a stop: 14 entries, 5 calls, the store's own check, report, inventory and manifest. The test finds out whether that is still so.
    [Theory]
    [InlineData(true, false, 23)]
    [InlineData(false, false, 23)]
    [InlineData(false, true, 32)]
    public async Task Killed_before_every_effect_a_run_is_resumed_and_everything_happens_once(bool jobSucceeds, bool withEverything, int effects)
    {
        (await RunAsync(jobSucceeds, withEverything, int.MaxValue)).ShouldBe(effects, "A run has more or fewer effects than this test knows.");
        await Parallel.ForAsync(1, effects + 1, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Token }, async (kill, _) => (await RunAsync(jobSucceeds, withEverything, kill)).ShouldBe(kill));
    }

    /// <summary>Runs until the given effect, kills, resumes, and looks at what came of it; gives the number of effects until the kill.</summary>
    private async Task<int> RunAsync(bool jobSucceeds, bool withEverything, int killBefore)
    {
        await using var fleet = await Fleet.StartAsync();
        var instance = fleet.Add();
        var stopped = fleet.Add();
        stopped.State = "stopped";
        stopped.Tags["backup-job"] = "not this run";
        if (!jobSucceeds)
            fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromMilliseconds(withEverything ? 1500 : 50), HasRecoveryPoint: withEverything), new("FAILED", Message: "No.")];
        var (outcome, end) = jobSucceeds ? (Outcome.Completed, PrePostRunState.Completed) : (Outcome.Failed, PrePostRunState.Failed);
        var location = StoreLocation.ForBucket(StrictS3Fixture.Bucket, $"kill-{Guid.NewGuid():n}");
        var order = new PrePostChild.Order(fleet.Endpoint, s3.Server.Endpoint, location.ToString(), "true", WithEverything: withEverything);
        Process? child = null;
        var effects = 0;
        var isDead = false;
        bool Effect()
        {
            if (isDead)
                return true;
            if (Interlocked.Increment(ref effects) < killBefore)
                return false;
            // Nothing of this effect happens: the process is gone before the request is looked at.
            isDead = true;
            child!.Kill();
            child.WaitForExit();
            return true;
        }

        fleet.Cut = _ => Effect();
        var fault = new Fault { Match = request => request.Method == "PUT" && request.Path.Contains(location.Prefix + "_catalog/", StringComparison.Ordinal) && Effect(), Action = FaultAction.ResetBeforeBody, Times = int.MaxValue };
        s3.Server.Faults.Add(fault);
        using (child = PrePostChild.Start(order))
        {
            var output = child.StandardOutput.ReadToEndAsync(Token);
            await child.WaitForExitAsync(Token);
            if (!isDead)
                child.ExitCode.ShouldBe(jobSucceeds ? 0 : 1, await output);
            await output;
        }

        (fleet.Cut, isDead) = (null, false);
        killBefore = int.MaxValue;
        var seen = effects;
        var options = PrePostChild.Options(order);
        var runs = await PrePostBackup.ListAsync(location, options.Store, null, false, Token).ToListAsync(Token);
        if (runs.Count == 0)
        {
            // Killed before its first entry: nothing was touched.
            fleet.Changes.ShouldBeEmpty($"kill {seen}");
            return seen;
        }

        var run = runs.ShouldHaveSingleItem();
        var isOver = run.State == end;
        if (!isOver)
            run.State.ShouldBe(PrePostRunState.Interrupted, $"kill {seen}");
        var results = await PrePostBackup.ResumeAsync(
            new()
            {
                RunId = run.RunId,
                Destination = location,
                Store = options.Store,
                Aws = options.Aws,
                AwsEndpoint = fleet.Endpoint,
                Deadlines = new() { Lookup = TimeSpan.FromSeconds(1.5), Settling = TimeSpan.FromMilliseconds(10) },
            },
            null,
            Token).ToListAsync(Token);
        if (!isOver)
            results.ShouldHaveSingleItem().Outcome.ShouldBe(outcome, $"kill {seen}: {results[0].Reason}");

        instance.State.ShouldBe("running", $"kill {seen}");
        instance.Changes.ShouldBe(["stop", "start"], $"kill {seen}");
        fleet.Read(instance, "log").ShouldBe(withEverything ? "pre\npost\nfailed\nlast\n" : "pre\npost\n", $"kill {seen}");
        fleet.Jobs.ShouldHaveSingleItem($"kill {seen}").InstanceState.ShouldBe("stopped", $"kill {seen}");
        fleet.Violations.ShouldBeEmpty($"kill {seen}");
        stopped.State.ShouldBe("stopped");
        var ended = await PrePostBackup.ListAsync(location, options.Store, null, false, Token).ToListAsync(Token);
        ended.ShouldHaveSingleItem().State.ShouldBe(end, $"kill {seen}");
        var committed = await RunQueries.RunAsync(location, new(), options.Store, Token).ToListAsync(Token);
        committed.ShouldHaveSingleItem($"kill {seen}").ShouldSatisfyAllConditions(c => c.RunId.ShouldBe(run.RunId), c => c.Outcome.ShouldBe(outcome));
        return seen;
    }
}
