using Backup.Engine.PrePost;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.Aws;
using Backup.TestServers.PrePost;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.PrePost;

/// <summary>The machine is given back: after a cancellation, without a store, against a second runner, and when EC2 has no capacity.</summary>
public sealed class PrePostGivingBackTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("SendCommand", "the pre-script runs", "pre post", 0)]
    [InlineData("StopInstances", "the instance stops", "pre post", 0)]
    [InlineData("DescribeBackupJob", "the job runs", "pre post", 1)]
    public async Task Cancelled_while(string operation, string when, string log, int jobs)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        instance.StopTime = TimeSpan.FromMilliseconds(500);
        place.Fleet.JobStates = _ => [new("CREATED"), new("RUNNING", TimeSpan.FromMinutes(10))];
        using var stop = new CancellationTokenSource();
        var run = place.RunAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre", operation is "SendCommand" ? "sleep 60" : "true") }, stop.Token);
        await UntilAsync(() => place.Fleet.Calls.Any(c => c.Operation == operation));
        // The script has said its word, so that its being stopped is seen.
        await UntilAsync(() => place.Log(instance).StartsWith("pre", StringComparison.Ordinal));
        await stop.CancelAsync();
        var result = (await run).ShouldHaveSingleItem();

        (result.Outcome, result.Kind, result.GivenBack).ShouldBe((Outcome.Failed, FailureKind.Cancelled, true), when);
        instance.State.ShouldBe("running");
        place.Log(instance).ShouldBe(log);
        place.Fleet.Invocations.ShouldAllBe(i => i.Ended != null);
        place.Fleet.Jobs.Count.ShouldBe(jobs);
        place.Fleet.Jobs.ShouldAllBe(j => j.State.State == "ABORTED");
        place.Fleet.Violations.ShouldBeEmpty();
        var listed = (await place.ListAsync()).ShouldHaveSingleItem();
        listed.State.ShouldBe(PrePostRunState.Failed);
        (await place.CatalogAsync()).ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Failed);
    }

    [Fact]
    public async Task A_listener_that_has_left_keeps_no_machine_from_coming_back()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromMinutes(10))];
        using var stop = new CancellationTokenSource();
        // As a cmdlet that was stopped: what it is told goes nowhere.
        var logger = new CallbackLogger(0, (_, _) => stop.Token.ThrowIfCancellationRequested());
        var run = place.RunAsync(logger.With(place.Options(instance) with { Store = logger.With(PrePostPlace.StoreOptions) }), stop.Token);
        await UntilAsync(() => place.Fleet.Calls.Any(c => c.Operation == "DescribeBackupJob"));
        await stop.CancelAsync();
        (await run).ShouldHaveSingleItem().GivenBack.ShouldBeTrue();
        instance.Changes.ShouldBe(["stop", "start"]);
        place.Log(instance).ShouldBe("pre post");
    }

    [Fact]
    public async Task Without_the_store_the_machine_is_given_back_and_nothing_goes_forward()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var location = StoreLocation.ForBucket(StrictS3Fixture.Bucket, $"gone-{Guid.NewGuid():n}");
        var isGone = false;
        s3.Server.Faults.Add(new Fault { Match = r => isGone && r.Path.Contains(location.Prefix, StringComparison.Ordinal), Action = FaultAction.Status(403, "AccessDenied"), Times = int.MaxValue });
        place.Fleet.Cut = call =>
        {
            isGone |= call.Operation == "StopInstances";
            return false;
        };
        var results = new List<PrePostBackupResult>();
        var failure = await Should.ThrowAsync<BackupException>(async () =>
        {
            await foreach (var result in PrePostBackup.RunAsync(place.Options(instance) with { Destination = location, Store = s3.Options }, null, Token))
                results.Add(result);
        });
        failure.Kind.ShouldBe(FailureKind.PermissionDenied);
        results.ShouldHaveSingleItem().ShouldSatisfyAllConditions(r => (r.Outcome, r.Kind, r.GivenBack).ShouldBe((Outcome.Failed, FailureKind.PermissionDenied, true)));
        instance.Changes.ShouldBe(["stop", "start"]);
        place.Log(instance).ShouldBe("pre post");
        place.Fleet.Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_second_runner_is_refused_and_a_forced_one_fences_the_first()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromSeconds(3)), new("COMPLETED", HasRecoveryPoint: true)];
        place.Deadlines = place.Deadlines with { Heartbeat = TimeSpan.FromMilliseconds(300) };
        var first = place.RunAsync(place.Options(instance));
        await UntilAsync(() => place.Fleet.Calls.Any(c => c.Operation == "DescribeBackupJob"));
        var run = (await place.ListAsync()).ShouldHaveSingleItem();
        run.State.ShouldBe(PrePostRunState.Running);
        run.Results.Single().Phases[^1].Phase.ShouldBe("Backup");
        (await Should.ThrowAsync<BackupException>(() => place.ResumeAsync(run.RunId))).Kind.ShouldBe(FailureKind.Busy);

        var second = place.ResumeAsync(run.RunId, force: true);
        (await Should.ThrowAsync<BackupException>(() => first)).Kind.ShouldBe(FailureKind.Busy);
        (await second).ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Completed);
        place.Log(instance).ShouldBe("pre post");
        place.Fleet.Jobs.Count.ShouldBe(1);
        instance.Changes.ShouldBe(["stop", "start"]);
        (await place.ListAsync()).ShouldHaveSingleItem().State.ShouldBe(PrePostRunState.Completed);
    }

    [Fact]
    public async Task Without_capacity_the_run_stays_open_and_is_resumed()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Deadlines = place.Deadlines with { Start = TimeSpan.FromSeconds(1) };
        var fault = new FleetFault
        {
            Operation = "StartInstances",
            Answer = AwsAnswer.Xml("<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code><Message>There is no capacity.</Message></Error></Errors></Response>", 500),
            Times = int.MaxValue,
        };
        place.Fleet.Faults.Add(fault);
        var result = await place.RunOneAsync(place.Options(instance));
        result.ShouldSatisfyAllConditions(
            r => (r.Outcome, r.GivenBack).ShouldBe((Outcome.Failed, false)),
            r => r.Reason!.ShouldContain("was not given back"),
            r => r.Advice!.ShouldContain("Resume-PrePostBackup"));
        (await place.ListAsync()).ShouldHaveSingleItem().State.ShouldBe(PrePostRunState.Interrupted);
        (await place.CatalogAsync()).ShouldBeEmpty("A run that is not over has not happened.");

        place.Fleet.Faults.Clear();
        var resumed = (await place.ResumeAsync(result.RunId)).ShouldHaveSingleItem();
        resumed.GivenBack.ShouldBeTrue();
        place.Log(instance).ShouldBe("pre post");
        instance.State.ShouldBe("running");
        (await place.ListAsync()).ShouldHaveSingleItem().State.ShouldBe(PrePostRunState.Failed);
    }

    [Fact]
    public async Task Of_two_that_resume_at_once_one_goes_on()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Deadlines = place.Deadlines with { Start = TimeSpan.FromMilliseconds(300) };
        place.Fleet.Faults.Add(new() { Operation = "StartInstances", Answer = AwsAnswer.Xml("<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code></Error></Errors></Response>", 500), Times = int.MaxValue });
        var run = (await place.RunOneAsync(place.Options(instance))).RunId;
        place.Fleet.Faults.Clear();
        place.Deadlines = place.Deadlines with { Start = TimeSpan.FromMinutes(1) };
        var runners = Enumerable.Range(0, 4).Select(_ => place.ResumeAsync(run)).ToList();
        foreach (var runner in runners)
            await runner.ContinueWith(static _ => { }, TaskScheduler.Default);
        runners.Count(r => r.IsCompletedSuccessfully && r.Result.Count == 1).ShouldBe(1);
        runners.Where(r => r.IsFaulted).Select(r => r.Exception!.InnerException!).ShouldAllBe(e => e is BackupException && ((BackupException)e).Kind == FailureKind.Busy, string.Join(' ', runners.Select(r => r.Exception)));
        place.Log(instance).ShouldBe("pre post");
        instance.Changes.ShouldBe(["stop", "start"]);
    }

    [Fact]
    public async Task WhatIf_needs_no_directory_and_makes_none()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var missing = Path.Combine(place.Location.Directory!, "not-yet");
        (await place.RunOneAsync(place.Options(instance) with { WhatIf = true, Destination = StoreLocation.ForDirectory(missing) })).Plan.ShouldNotBeEmpty();
        Directory.Exists(missing).ShouldBeFalse();
    }

    [Fact]
    public async Task A_command_whose_answer_was_lost_is_found_and_not_sent_again()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.Faults.Add(new() { Operation = "SendCommand", IsDone = true, Answer = new() { Reset = true } });
        place.Fleet.Faults.Add(new() { Operation = "StartBackupJob", IsDone = true, Answer = new() { Reset = true } });
        var result = await place.RunOneAsync(place.Options(instance));
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        place.Log(instance).ShouldBe("pre post");
        place.Fleet.Invocations.Count.ShouldBe(2);
        place.Fleet.Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_backup_that_takes_too_long_is_stopped_and_the_machine_comes_back()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("PENDING", TimeSpan.FromHours(1))];
        place.Deadlines = place.Deadlines with { Cancel = TimeSpan.FromSeconds(1) };
        var result = await place.RunOneAsync(place.Options(instance) with { BackupTimeout = TimeSpan.FromSeconds(2) });
        (result.Outcome, result.Kind, result.BackupState, result.GivenBack).ShouldBe((Outcome.Failed, FailureKind.TimedOut, "ABORTED", true), result.Reason);
        place.Log(instance).ShouldBe("pre post");
    }

    [Theory]
    [InlineData(ScriptErrorAction.Continue, Outcome.Completed, 1, true)]
    [InlineData(ScriptErrorAction.SkipInstance, Outcome.Skipped, 0, false)]
    [InlineData(ScriptErrorAction.Fail, Outcome.Failed, 0, false)]
    public async Task What_a_failed_pre_script_means(ScriptErrorAction action, Outcome outcome, int jobs, bool isStopped)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var result = await place.RunOneAsync(place.Options(instance) with
        {
            PreScript = PrePostPlace.Say("pre", "exit 1"),
            OnFailureScript = PrePostPlace.Say("failed"),
            FinallyScript = PrePostPlace.Say("last"),
            OnScriptError = action,
        });
        result.Outcome.ShouldBe(outcome, result.Reason);
        result.Warnings.Count.ShouldBe(action == ScriptErrorAction.Continue ? 1 : 0);
        place.Log(instance).ShouldBe(action == ScriptErrorAction.Fail ? "pre post failed last" : "pre post last");
        place.Fleet.Jobs.Count.ShouldBe(jobs);
        instance.Changes.Any().ShouldBe(isStopped);
    }

    [Fact]
    public async Task A_script_is_tried_again_as_often_as_asked()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var result = await place.RunOneAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre", "[ $(grep -c pre \"$FLEET_FOLDER/log\") -eq 3 ]"), Retry = 2 });
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        result.PreScript!.CommandIds.Count.ShouldBe(3);
        place.Log(instance).ShouldBe("pre pre pre post");
    }

    [Fact]
    public async Task WhatIf_makes_no_changing_call_and_writes_nothing()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var (instance, member) = (place.Fleet.Add(), place.Fleet.Add());
        member.Tags["aws:autoscaling:groupName"] = "web";
        var results = await place.RunAsync(place.Options(instance, member) with { WhatIf = true });
        place.Fleet.Changes.Count().ShouldBe(0);
        place.Files().ShouldBeEmpty();
        var plan = results.Single(r => r.InstanceId == instance.Id);
        plan.WhatIf.ShouldBeTrue();
        plan.Plan.ShouldBe(["run the pre-script", "stop", "back up to vault", "start when the backup has completed", "run the post-script"]);
        results.Single(r => r.InstanceId == member.Id).Reason!.ShouldContain("Auto Scaling");
    }

    [Fact]
    public async Task An_entry_whose_answer_was_lost_is_not_taken_for_another_runners()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var location = StoreLocation.ForBucket(StrictS3Fixture.Bucket, $"lost-{Guid.NewGuid():n}");
        var fault = new Fault { Match = r => r.Method == "PUT" && r.Path.Contains(location.Prefix + "_catalog/journals", StringComparison.Ordinal), Action = FaultAction.ApplyThenReset, Skip = 1, Times = 4 };
        s3.Server.Faults.Add(fault);
        var result = await place.RunOneAsync(place.Options(instance) with { Destination = location, Store = s3.Options });
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        fault.Hits.ShouldBe(4);
        place.Log(instance).ShouldBe("pre post");
        instance.Changes.ShouldBe(["stop", "start"]);
    }

    [Fact]
    public async Task No_more_instances_than_the_throttle_are_worked_on_side_by_side()
    {
        await using var place = await PrePostPlace.CreateAsync();
        FleetInstance[] instances = [place.Fleet.Add(), place.Fleet.Add(), place.Fleet.Add()];
        var results = await place.RunAsync(place.Options(instances) with { Throttle = 1, PostScript = null });
        results.ShouldAllBe(r => r.Outcome == Outcome.Completed);
        var changes = place.Fleet.Changes.Select(c => c.InstanceId!).ToList();
        changes.Zip(changes.Skip(1)).Count(pair => pair.First != pair.Second).ShouldBe(2, "Each instance is through before the next begins.");
    }

    [Fact]
    public async Task The_team_is_told_once_of_what_failed_and_of_nothing_else()
    {
        await using var place = await PrePostPlace.CreateAsync();
        await using var teams = await AwsServer.StartAsync(_ => AwsAnswer.Json("{}"), isUnsigned: _ => true);
        var (good, bad) = (place.Fleet.Add(), place.Fleet.Add());
        place.Fleet.JobStates = instance => instance == bad ? [new("FAILED", Message: "No space in the vault.")] : [new("COMPLETED")];
        var options = place.Options(good) with { Webhook = new(teams.Endpoint), StopInstance = false };
        await place.RunAsync(options);
        await place.RunAsync(options with { InstanceIds = [bad.Id], WhatIf = true });
        teams.Requests.ShouldBeEmpty();
        await place.RunAsync(options with { InstanceIds = [good.Id, bad.Id] });
        var notice = teams.Requests.ShouldHaveSingleItem().Text;
        notice.ShouldContain(bad.Id);
        notice.ShouldContain("No space in the vault");
        notice.ShouldNotContain(good.Id);
    }

    [Fact]
    public async Task A_run_that_is_over_is_left_as_it_is()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var result = await place.RunOneAsync(place.Options(instance));
        var changes = place.Fleet.Changes.Count();
        (await place.ResumeAsync(result.RunId)).ShouldBeEmpty();
        place.Fleet.Changes.Count().ShouldBe(changes);
        (await Should.ThrowAsync<BackupException>(() => place.ResumeAsync("0123456789ab"))).Kind.ShouldBe(FailureKind.NotFound);
        (await Should.ThrowAsync<BackupException>(() => place.ResumeAsync("../x"))).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!isSo())
            await Task.Delay(10, patience.Token);
    }
}
