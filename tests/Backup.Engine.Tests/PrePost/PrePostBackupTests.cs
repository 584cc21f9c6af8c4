using Backup.Engine.PrePost;
using Backup.TestServers.PrePost;

namespace Backup.Engine.Tests.PrePost;

/// <summary>One instance from its pre-script to its report.</summary>
public sealed class PrePostBackupTests
{
    [Fact]
    public async Task Quiesced_stopped_backed_up_started_and_thawed()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        (instance.StopTime, instance.StartTime, instance.AgentTime) = (TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300));

        var result = await place.RunOneAsync(place.Options(instance));

        (result.Outcome, result.Reason).ShouldBe((Outcome.Completed, null));
        place.Log(instance).ShouldBe("pre post");
        instance.Changes.ShouldBe(["stop", "start"]);
        instance.State.ShouldBe("running");
        place.Fleet.Violations.ShouldBeEmpty();
        var job = place.Fleet.Jobs.ShouldHaveSingleItem();
        job.InstanceState.ShouldBe("stopped");
        job.Token.ShouldBe($"{result.RunId}:{instance.Id}");
        result.ShouldSatisfyAllConditions(
            r => r.BackupJobId.ShouldBe(job.Id),
            r => r.RecoveryPointArn.ShouldNotBeNull().ShouldStartWith("arn:aws:ec2:eu-central-1::image/ami-"),
            r => r.Bytes.ShouldBe(8L << 30),
            r => r.Downtime.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.FromMilliseconds(500)),
            r => r.GivenBack.ShouldBeTrue(),
            r => r.PreScript!.ExitCode.ShouldBe(0),
            r => r.PreScript!.Output.ShouldBe($"pre on {instance.Id}"),
            r => r.Phases.Select(p => p.Phase).ShouldBe(["PreScript", "Stop", "Backup", "Start", "WaitForAgent", "PostScript"]));

        var run = (await place.ListAsync()).ShouldHaveSingleItem();
        (run.State, run.Done, run.RunId).ShouldBe((PrePostRunState.Completed, 1, result.RunId));
        var committed = (await place.CatalogAsync()).ShouldHaveSingleItem();
        (committed.System, committed.RunId, committed.Outcome, committed.BytesStored).ShouldBe(("ec2", result.RunId, Outcome.Completed, 8L << 30));
    }
}
