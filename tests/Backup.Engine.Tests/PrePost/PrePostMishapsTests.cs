using System.Globalization;
using Backup.Engine.PrePost;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.Aws;
using Backup.TestServers.PrePost;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.PrePost;

/// <summary>What happens to runs in real accounts: instances that are terminated or started by others, keys that expire, agents that are late, locked vaults, old journals.</summary>
public sealed class PrePostMishapsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_instance_that_is_terminated_meanwhile_closes_the_run()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var (gone, other) = (place.Fleet.Add(), place.Fleet.Add());
        On(place, "StartBackupJob", gone, () => gone.State = "terminated");
        var results = await place.RunAsync(place.Options(gone, other));
        results.Single(r => r.InstanceId == gone.Id).ShouldSatisfyAllConditions(
            r => (r.Outcome, r.Kind, r.GivenBack).ShouldBe((Outcome.Failed, FailureKind.NotFound, false)),
            r => r.Reason!.ShouldContain("terminated"),
            r => r.Advice!.ShouldContain("recovery point"),
            r => r.BackupState.ShouldBe("COMPLETED", "Its last backup is not thrown away."));
        results.Single(r => r.InstanceId == other.Id).Outcome.ShouldBe(Outcome.Completed);
        (await place.ListAsync()).ShouldHaveSingleItem().State.ShouldBe(PrePostRunState.Failed, "Nothing is left that could be resumed.");
    }

    [Fact]
    public async Task The_backup_of_an_instance_that_is_gone_is_seen_through()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var gone = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromSeconds(2), HasRecoveryPoint: true), new("COMPLETED", HasRecoveryPoint: true)];
        On(place, "StartInstances", gone, () => gone.State = "terminated");
        var result = await place.RunOneAsync(place.Options(gone) with { ResumeWhen = ResumePoint.RecoveryPointCreated });
        (result.Outcome, result.GivenBack, result.BackupState).ShouldBe((Outcome.Failed, false, "COMPLETED"), result.Reason);
        place.Fleet.Calls.ShouldNotContain(c => c.Operation == "StopBackupJob");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_instance_that_is_no_longer_listed_is_gone_where_the_account_is_certain(bool isOwnAccount)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var gone = place.Fleet.Add();
        On(place, "StartBackupJob", gone, () =>
        {
            place.Fleet.Instances.TryRemove(gone.Id, out _);
            if (!isOwnAccount)
                place.Fleet.Roles.Clear();
        });
        var result = await place.RunOneAsync(place.Options(gone));
        (result.Outcome, result.GivenBack).ShouldBe((Outcome.Failed, false));
        (await place.ListAsync()).ShouldHaveSingleItem().State.ShouldBe(isOwnAccount ? PrePostRunState.Failed : PrePostRunState.Interrupted, "Keys of another account must not end a run.");
    }

    [Fact]
    public async Task An_instance_that_somebody_else_started_during_the_backup_is_told_of()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromSeconds(1)), new("COMPLETED", HasRecoveryPoint: true)];
        On(place, "StartBackupJob", instance, instance.Start);
        var result = await place.RunOneAsync(place.Options(instance));
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        result.Warnings.ShouldHaveSingleItem().ShouldContain("somebody else started it");
        place.Log(instance).ShouldBe("pre post");
    }

    [Fact]
    public async Task A_script_that_is_tried_again_is_sent_at_once()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Deadlines = place.Deadlines with { Lookup = TimeSpan.FromSeconds(30) };
        var result = await place.RunOneAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre", "exit 1"), Retry = 2, StopInstance = false, Deadlines = place.Deadlines });
        result.PreScript!.CommandIds.Count.ShouldBe(3);
        result.Duration.ShouldBeLessThan(TimeSpan.FromSeconds(25), "What this runner knows that it did not send is not looked for.");
    }

    [Fact]
    public async Task A_thaw_waits_for_an_agent_that_is_not_registered_yet()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.Faults.Add(new() { Operation = "SendCommand", Skip = 1, Times = 6, Answer = AwsAnswer.Error(400, "InvalidInstanceId", "not in a valid state") });
        var result = await place.RunOneAsync(place.Options(instance));
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        place.Log(instance).ShouldBe("pre post");
    }

    [Theory]
    [InlineData("DescribeBackupJob")]
    [InlineData("StartInstances")]
    [InlineData("SendCommand")]
    public async Task Keys_that_expire_on_the_way_are_waited_for(string operation)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.Faults.Add(new() { Operation = operation, Skip = operation is "SendCommand" ? 1 : 0, Times = 4, Answer = AwsAnswer.Error(400, "ExpiredTokenException", "The security token included in the request is expired") });
        var told = new List<string>();
        var logger = new CallbackLogger(0, (_, line) =>
        {
            lock (told)
                told.Add(line);
        });
        var result = await place.RunOneAsync(logger.With(place.Options(instance)));
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        told.Count(line => line.Contains("New ones are waited for", StringComparison.Ordinal)).ShouldBe(1);
        place.Log(instance).ShouldBe("pre post");
    }

    [Theory]
    [InlineData("StopBackupJob", "DescribeBackupJob")]
    [InlineData("CancelCommand", "ListCommandInvocations")]
    public async Task What_is_stopped_on_request_is_insisted_on(string operation, string after)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromMinutes(10))];
        place.Fleet.Faults.Add(new() { Operation = operation, Times = 2, Answer = AwsAnswer.Error(400, "ExpiredTokenException", "expired") });
        using var stop = new CancellationTokenSource();
        var run = place.RunAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre", operation is "CancelCommand" ? "sleep 60" : "true") }, stop.Token);
        while (!place.Fleet.Calls.Any(c => c.Operation == after) || place.Log(instance).Length == 0)
            await Task.Delay(20, Token);
        await stop.CancelAsync();
        (await run).ShouldHaveSingleItem().GivenBack.ShouldBeTrue();
        place.Fleet.Jobs.ShouldAllBe(j => j.State.State == "ABORTED");
        place.Fleet.Invocations.ShouldAllBe(i => i.Ended != null);
        place.Fleet.Invocations.First().Status.ShouldBe(operation is "CancelCommand" ? "Cancelled" : "Success");
    }

    [Fact]
    public async Task Keys_that_stay_expired_leave_the_run_to_be_resumed()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Deadlines = place.Deadlines with { Renewal = TimeSpan.FromSeconds(1) };
        foreach (var operation in new[] { "DescribeBackupJob", "StopBackupJob", "DescribeInstances", "StartInstances" })
            place.Fleet.Faults.Add(new() { Operation = operation, Skip = operation is "DescribeInstances" ? 2 : 0, Times = int.MaxValue, Answer = AwsAnswer.Error(400, "ExpiredTokenException", "expired") });
        var result = await place.RunOneAsync(place.Options(instance) with { Deadlines = place.Deadlines });
        (result.Outcome, result.GivenBack).ShouldBe((Outcome.Failed, false));
        place.Fleet.Faults.Clear();
        (await place.ResumeAsync(result.RunId)).ShouldHaveSingleItem().GivenBack.ShouldBeTrue();
        instance.State.ShouldBe("running");
        place.Log(instance).ShouldBe("pre post");
    }

    [Theory]
    [InlineData(7, 30, null, "7 to 30 days")]
    [InlineData(null, 30, null, "for ever")]
    [InlineData(7, 30, 31, "DeleteAfterDays is 31")]
    [InlineData(7, null, 6, "7 days or more")]
    [InlineData(7, null, null, null)]
    [InlineData(7, 30, 30, null)]
    public async Task A_locked_vault_is_asked_what_it_takes(int? min, int? max, int? days, string? says)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.VaultLock = (min, max);
        var options = place.Options(instance) with { Lifecycle = days is null ? null : new() { DeleteAfterDays = days }, WhatIf = true };
        if (says is null)
            (await place.RunOneAsync(options)).Plan.ShouldNotBeEmpty();
        else
            (await Should.ThrowAsync<BackupException>(() => place.RunAsync(options))).ShouldSatisfyAllConditions(e => e.Kind.ShouldBe(FailureKind.Refused), e => e.Message.ShouldContain(says));
    }

    [Fact]
    public async Task A_document_that_is_missing_is_found_out_about_before_anything_is_touched()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var options = place.Options(instance) with { PostScript = new() { Document = "Acme-Thaw" } };
        var failure = await Should.ThrowAsync<BackupException>(() => place.RunAsync(options));
        (failure.Kind, place.Fleet.Changes.Count()).ShouldBe((FailureKind.NotFound, 0));
        failure.Message.ShouldContain("Acme-Thaw");
        place.Fleet.Documents["Acme-Thaw"] = "echo thawed";
        (await place.RunOneAsync(options)).PostScript!.Output.ShouldBe("thawed");

        // Who may run documents need not be allowed to describe them.
        place.Fleet.Faults.Add(new() { Operation = "DescribeDocument", Answer = AwsAnswer.Error(400, "AccessDeniedException", "no") });
        (await place.RunOneAsync(options)).Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_role_is_the_one_with_its_path()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.Roles.Clear();
        place.Fleet.Roles.Add("service-role/backup");
        var failure = await Should.ThrowAsync<BackupException>(() => place.RunAsync(place.Options(instance)));
        failure.Message.ShouldContain("role/service-role/backup");
        place.Fleet.Changes.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_an_interrupted_run_has_stopped_is_not_taken_for_stopped_all_along()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Deadlines = place.Deadlines with { Start = TimeSpan.FromMilliseconds(300) };
        place.Fleet.Faults.Add(new() { Operation = "StartInstances", Answer = AwsAnswer.Xml("<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code></Error></Errors></Response>", 500), Times = int.MaxValue });
        var first = await place.RunOneAsync(place.Options(instance));
        instance.State.ShouldBe("stopped");
        place.Fleet.Faults.Clear();

        var second = await place.RunOneAsync(place.Options(instance));
        second.ShouldSatisfyAllConditions(
            r => (r.Outcome, r.Kind).ShouldBe((Outcome.Failed, FailureKind.Busy)),
            r => r.Reason!.ShouldContain(first.RunId),
            r => r.Advice!.ShouldContain("Resume-PrePostBackup"));
        place.Fleet.Jobs.Count.ShouldBe(1);
        (await place.ResumeAsync(first.RunId)).ShouldHaveSingleItem().GivenBack.ShouldBeTrue();
        (await place.RunOneAsync(place.Options(instance))).Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_run_at_work_says_at_which_step_and_keeps_its_instances_for_itself()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromSeconds(2)), new("COMPLETED", HasRecoveryPoint: true)];
        var first = place.RunAsync(place.Options(instance));
        while (!place.Fleet.Calls.Any(c => c.Operation == "DescribeBackupJob"))
            await Task.Delay(20, Token);
        var at = (await place.ListAsync()).ShouldHaveSingleItem().Results.ShouldHaveSingleItem();
        (at.Outcome, at.Step).ShouldBe((null, "Backup"), "It has not failed.");
        at.ToString().ShouldBe($"{instance.Id} Backup");
        (await place.RunOneAsync(place.Options(instance))).Kind.ShouldBe(FailureKind.Busy);
        (await first).ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Completed);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(4, false)]
    public void A_runner_of_the_same_name_in_another_container_is_known_by_its_silence(int minutes, bool isAtWork)
    {
        var state = new JournalState
        {
            RunId = "0123456789ab",
            Plan = new() { Started = DateTimeOffset.UtcNow, SourceName = "x", BackupVaultName = "vault", IamRoleArn = PrePostPlace.Role },
            Instances = [],
            // No process here has this id, and in its own container it is alive.
            Runner = Runner.Current() with { ProcessId = int.MaxValue, Place = "another boot pid:[1]" },
            LastActivity = DateTimeOffset.UtcNow.AddMinutes(-minutes),
        };
        Journal.IsAtWork(state, new(), TimeProvider.System).ShouldBe(isAtWork);
        Journal.IsAtWork(state with { Runner = Runner.Current() with { ProcessId = int.MaxValue } }, new(), TimeProvider.System).ShouldBeFalse("In this one it is gone.");
    }

    [Fact]
    public async Task One_damaged_journal_does_not_hide_the_other_runs()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Deadlines = place.Deadlines with { Start = TimeSpan.FromMilliseconds(300) };
        place.Fleet.Faults.Add(new() { Operation = "StartInstances", Answer = AwsAnswer.Xml("<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code></Error></Errors></Response>", 500), Times = int.MaxValue });
        var run = await place.RunOneAsync(place.Options(instance));
        place.Fleet.Faults.Clear();
        var other = await place.RunOneAsync(place.Options(place.Fleet.Add()));
        File.Delete(place.Files().Single(f => f.EndsWith($"{run.RunId}{Path.DirectorySeparatorChar}000003.json", StringComparison.Ordinal)));
        (await place.ListAsync()).ShouldHaveSingleItem().RunId.ShouldBe(other.RunId);
        (await Should.ThrowAsync<BackupException>(() => place.ResumeAsync(run.RunId))).Kind.ShouldBe(FailureKind.Corrupt);
    }

    [Fact]
    public async Task What_was_to_be_sent_longer_ago_than_the_services_history_is_not_sent_again()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        await using var store = await ObjectStores.OpenAsync(place.Location, PrePostPlace.StoreOptions, Token);
        var past = new PastTime(TimeSpan.FromDays(31));
        var plan = new PrePostPlan { Started = past.GetUtcNow(), SourceName = instance.Id, Region = Fleet.Region, BackupVaultName = "vault", IamRoleArn = PrePostPlace.Role, PreScript = PrePostPlace.Say("pre"), PostScript = PrePostPlace.Say("post"), ExecutionSeconds = 60, DeliverySeconds = 60, BackupSeconds = 60, Throttle = 1 };
        var record = new InstanceRecord { InstanceId = instance.Id, PriorState = "running", PlatformType = "Linux", ResourceArn = $"arn:aws:ec2:{Fleet.Region}:{Fleet.Account}:instance/{instance.Id}", Started = past.GetUtcNow(), Step = PrePostStep.PreScript, Pre = new() { Attempt = 1, Intended = past.GetUtcNow() } };
        await (await Journal.CreateAsync(store, "0123456789ab", plan, [record], new(), past, null)).DisposeAsync();

        var result = (await place.ResumeAsync("0123456789ab")).ShouldHaveSingleItem();
        (result.Outcome, result.BackupJobId).ShouldBe((Outcome.Failed, null));
        result.Reason!.ShouldContain("30 days");
        place.Log(instance).ShouldBe("post", "The thaw runs all the same.");
    }

    [Fact]
    public async Task Output_that_the_service_cuts_off_says_so()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var result = await place.RunOneAsync(place.Options(instance) with { StopInstance = false, PreScript = new() { Commands = "for i in $(seq 6000); do echo line $i; echo error $i >&2; done" }, PostScript = new() { Commands = "seq 1000" } });
        result.PreScript!.Output!.ShouldEndWith("give OutputS3BucketName for the whole)");
        result.PreScript.Error!.ShouldEndWith("give OutputS3BucketName for the whole)");
        result.PreScript.Output.ShouldNotContain("--output truncated--");
        result.PostScript!.Output!.ShouldEndWith("\n999\n1000");
    }

    [Fact]
    public async Task Shadow_copies_are_for_windows_that_runs()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var windows = place.Fleet.Add(new FleetInstance { Id = Fleet.NewId(), PlatformType = "Windows" });
        var options = place.Options(windows) with { PreScript = null, PostScript = null, WindowsVss = true };
        var stopped = await place.RunOneAsync(options);
        stopped.Warnings.ShouldHaveSingleItem().ShouldContain("Shadow copies");
        place.Fleet.Jobs.Single().Request.ShouldNotContain("WindowsVSS");
        (await place.RunOneAsync(options with { StopInstance = false })).Warnings.ShouldBeEmpty();
        place.Fleet.Jobs.Last().Request.ShouldContain("WindowsVSS");
    }

    [Fact]
    public async Task A_job_that_completed_in_spite_of_its_being_stopped_is_told_of()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromSeconds(1)), new("COMPLETED", HasRecoveryPoint: true)];
        place.Fleet.Faults.Add(new() { Operation = "DescribeBackupJob", Answer = AwsAnswer.Error(400, "AccessDeniedException", "no") });
        place.Fleet.Faults.Add(new() { Operation = "StopBackupJob", Answer = AwsAnswer.Error(400, "InvalidRequestException", "The job is over.") });
        var result = await place.RunOneAsync(place.Options(instance));
        (result.Outcome, result.BackupState).ShouldBe((Outcome.Failed, "COMPLETED"), result.Reason);
        result.Warnings.ShouldHaveSingleItem().ShouldContain(result.RecoveryPointArn!);
    }

    [Fact]
    public async Task In_a_store_that_heeds_no_conditions_one_of_two_goes_on_all_the_same()
    {
        await using var place = await PrePostPlace.CreateAsync();
        // As slow as a far one, so that all have looked before the first has written.
        await using var s3 = await StrictS3Server.StartAsync(new() { Buckets = ["lesser"], IgnoreConditions = true, Delay = TimeSpan.FromMilliseconds(100) });
        var instance = place.Fleet.Add();
        place.Deadlines = place.Deadlines with { Start = TimeSpan.FromMilliseconds(300) };
        place.Fleet.Faults.Add(new() { Operation = "StartInstances", Answer = AwsAnswer.Xml("<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code></Error></Errors></Response>", 500), Times = int.MaxValue });
        var (location, store) = (StoreLocation.ForBucket("lesser", "ec2"), StrictS3Fixture.OptionsFor(s3));
        var run = (await place.RunOneAsync(place.Options(instance) with { Destination = location, Store = store })).RunId;
        place.Fleet.Faults.Clear();
        place.Deadlines = place.Deadlines with { Start = TimeSpan.FromMinutes(1) };
        var runners = Enumerable.Range(0, 3).Select(_ => PrePostBackup.ResumeAsync(place.ResumeOptions(run) with { Destination = location, Store = store }, null, Token).ToListAsync(Token).AsTask()).ToList();
        foreach (var runner in runners)
            await runner.ContinueWith(static _ => { }, TaskScheduler.Default);
        runners.Count(r => r.IsCompletedSuccessfully && r.Result.Count == 1).ShouldBe(1);
        runners.Where(r => r.IsFaulted).ShouldAllBe(r => ((BackupException)r.Exception!.InnerException!).Kind == FailureKind.Busy);
        place.Log(instance).ShouldBe("pre post");
        instance.Changes.ShouldBe(["stop", "start"]);
    }

    [Theory]
    [InlineData("s3://", false)]
    [InlineData("s3://bucket", false)]
    [InlineData("s3://bucket/", false)]
    [InlineData("https://example.com/x.sh", false)]
    [InlineData("https://bucket.s3.amazonaws.com/", false)]
    [InlineData("s3://bucket/x.sh", true)]
    [InlineData("https://bucket.s3.amazonaws.com/x.sh", true)]
    [InlineData("https://bucket.s3.eu-central-1.amazonaws.com/x.sh", true)]
    [InlineData("https://s3.cn-north-1.amazonaws.com.cn/bucket/x.sh", true)]
    [InlineData("https://s3-eu-west-1.amazonaws.com/bucket/x.sh", true)]
    public void An_address_of_a_script_is_one_of_S3(string source, bool isOne)
    {
        var options = new PrePostOptions { InstanceIds = ["i-0123456789abcdef0"], BackupVaultName = "vault", IamRoleArn = PrePostPlace.Role, PostScript = new() { SourceS3Path = source }, Destination = StoreLocation.ForDirectory("/"), Store = PrePostPlace.StoreOptions };
        if (isOne)
            PrePostLimits.Check(options);
        else
            Should.Throw<BackupException>(() => PrePostLimits.Check(options)).Message.ShouldContain("PostScript.SourceS3Path");
    }

    [Theory]
    [InlineData("aws:x", "1", 1, "aws:")]
    [InlineData("", "1", 1, "empty")]
    [InlineData("k", "257", 1, "257 characters")]
    [InlineData("k", "1", 51, "51 tags")]
    [InlineData("k", "256", 50, null)]
    public void Tags_are_those_that_AWS_takes(string key, string length, int count, string? says)
    {
        var tags = Enumerable.Range(0, count).ToDictionary(n => n == 0 ? key : key + n, _ => new string('v', int.Parse(length, CultureInfo.InvariantCulture)), StringComparer.Ordinal);
        var options = new PrePostOptions { InstanceIds = ["i-0123456789abcdef0"], BackupVaultName = "vault", IamRoleArn = PrePostPlace.Role, RecoveryPointTags = tags, Destination = StoreLocation.ForDirectory("/"), Store = PrePostPlace.StoreOptions };
        if (says is null)
            PrePostLimits.Check(options);
        else
            Should.Throw<BackupException>(() => PrePostLimits.Check(options)).Message.ShouldContain(says);
    }

    // Something happens just before a changing call for an instance is answered.
    private static void On(PrePostPlace place, string operation, FleetInstance instance, Action act)
    {
        var isDone = 0;
        place.Fleet.Cut = call =>
        {
            if (call.Operation == operation && call.InstanceId == instance.Id && Interlocked.Exchange(ref isDone, 1) == 0)
                act();
            return false;
        };
    }

    private sealed class PastTime(TimeSpan ago) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - ago;
    }
}
