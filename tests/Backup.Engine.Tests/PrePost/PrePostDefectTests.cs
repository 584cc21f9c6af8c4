using System.Text.Json;
using Backup.Engine.PrePost;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.Aws;
using Backup.TestServers.PrePost;

namespace Backup.Engine.Tests.PrePost;

/// <summary>The thirteen defects of AWS's sample (reference/prepost-backup.md, 2.2): each test fails on what the sample does.</summary>
public sealed class PrePostDefectTests
{
    public static TheoryData<string, string> BadEnds => new()
    {
        { "Failed", "Failed" }, { "TimedOut", "ExecutionTimedOut" }, { "TimedOut", "DeliveryTimedOut" }, { "Cancelled", "Cancelled" }, { "Failed", "Undeliverable" },
        { "Failed", "Terminated" }, { "Failed", "InvalidPlatform" }, { "Failed", "AccessDenied" }, { "Success", "NoInstancesInTag" },
    };

    private static bool IsPre(string comment) => comment.Contains(":Pre:", StringComparison.Ordinal);

    // 1. A script's failure is a success.
    [Fact]
    public async Task D01_A_script_that_fails_leads_to_no_stop_and_no_backup_and_the_thaw_runs()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var result = await place.RunOneAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre", "echo cannot freeze >&2; exit 7") });
        result.ShouldSatisfyAllConditions(
            r => (r.Outcome, r.Kind, r.GivenBack).ShouldBe((Outcome.Failed, FailureKind.ScriptFailed, true)),
            r => (r.PreScript!.ExitCode, r.PreScript.Error, r.PreScript.Status).ShouldBe((7, "cannot freeze", "Failed")),
            r => r.Reason!.ShouldContain("exit code 7: cannot freeze"),
            r => r.PostScript!.Succeeded.ShouldBeTrue(),
            r => r.BackupJobId.ShouldBeNull());
        place.Log(instance).ShouldBe("pre post");
        instance.Changes.ShouldBeEmpty();
        place.Fleet.Jobs.ShouldBeEmpty();
        (await place.CatalogAsync()).ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Failed);
    }

    [Theory]
    [MemberData(nameof(BadEnds))]
    public async Task D01_Only_success_is_success(string status, string details)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.CommandScript = (_, comment) => IsPre(comment) ? new() { EndsAs = (status, details) } : new();
        var result = await place.RunOneAsync(place.Options(instance));
        (result.Outcome, result.Kind, result.PreScript!.Status).ShouldBe((Outcome.Failed, FailureKind.ScriptFailed, details));
        place.Fleet.Jobs.ShouldBeEmpty();
        instance.Changes.ShouldBeEmpty();
        place.Log(instance).ShouldBe("post");
    }

    [Fact]
    public async Task D01_An_exit_code_other_than_0_is_no_success_whatever_the_status_says()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.CommandScript = (_, comment) => new() { SucceedsWithAnyExitCode = IsPre(comment) };
        var result = await place.RunOneAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre", "exit 3") });
        (result.Outcome, result.PreScript!.ExitCode, result.PreScript.Succeeded).ShouldBe((Outcome.Failed, 3, false));
        place.Fleet.Jobs.ShouldBeEmpty();
    }

    // 2. An invocation that does not exist yet is a success, and the machine is stopped while its script runs.
    [Fact]
    public async Task D02_An_invocation_that_does_not_exist_yet_is_waited_for()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.CommandScript = (_, _) => new() { HiddenFor = TimeSpan.FromMilliseconds(700), PendingFor = TimeSpan.FromMilliseconds(300) };
        var result = await place.RunOneAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre", "sleep 1.5; echo frozen >> \"$FLEET_FOLDER/log\"") });
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        place.Log(instance).ShouldBe("pre frozen post");
        place.Fleet.Violations.ShouldBeEmpty();
    }

    // 3. A backup's failure is a success, or is polled for ever.
    [Theory]
    [InlineData("FAILED")]
    [InlineData("ABORTED")]
    [InlineData("EXPIRED")]
    [InlineData("PARTIAL")]
    public async Task D03_A_backup_that_does_not_complete_is_a_failure_and_the_machine_comes_back(string state)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("CREATED"), new("PENDING"), new("RUNNING", TimeSpan.FromMilliseconds(100)), new(state, Message: "The snapshot went wrong.")];
        var result = await place.RunOneAsync(place.Options(instance));
        (result.Outcome, result.Kind, result.BackupState, result.GivenBack).ShouldBe((Outcome.Failed, FailureKind.BackupFailed, state, true));
        result.Reason!.ShouldContain("The snapshot went wrong");
        instance.Changes.ShouldBe(["stop", "start"]);
        place.Log(instance).ShouldBe("pre post");
        place.Fleet.Changes.ShouldNotContain(c => c.Operation == "StopBackupJob");
    }

    [Fact]
    public async Task D03_Completed_with_issues_is_a_warning()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("COMPLETED", HasRecoveryPoint: true, Message: "Windows VSS backup failed", Category: "VSS_ERROR")];
        var result = await place.RunOneAsync(place.Options(instance));
        result.Outcome.ShouldBe(Outcome.Completed);
        result.Warnings.ShouldHaveSingleItem().ShouldContain("VSS_ERROR");
    }

    // 4. Any exception or throttle ends the run with instances stopped.
    [Theory]
    [InlineData("SendCommand")]
    [InlineData("ListCommandInvocations")]
    [InlineData("GetCommandInvocation")]
    [InlineData("StopInstances")]
    [InlineData("DescribeInstances")]
    [InlineData("StartBackupJob")]
    [InlineData("DescribeBackupJob")]
    [InlineData("StartInstances")]
    [InlineData("DescribeInstanceInformation")]
    public async Task D04_Throttles_and_outages_are_waited_out(string operation)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        // More than the SDK's own attempts bear, but for the calls before the run, which are asked once.
        var skip = operation is "DescribeInstances" or "DescribeInstanceInformation" ? 1 : 0;
        var throttled = operation is "StopInstances" or "StartInstances" or "DescribeInstances"
            ? AwsAnswer.Xml("<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors></Response>", 503)
            : AwsAnswer.Error(operation is "SendCommand" ? 500 : 400, operation is "SendCommand" ? "InternalServerError" : "ThrottlingException", "Rate exceeded");
        place.Fleet.Faults.Add(new() { Operation = operation, Answer = throttled, Skip = skip, Times = operation is "SendCommand" ? 1 : 3 });
        var result = await place.RunOneAsync(place.Options(instance));
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        place.Log(instance).ShouldBe("pre post");
        instance.Changes.ShouldBe(["stop", "start"]);
        place.Fleet.Jobs.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("StopInstances")]
    [InlineData("StartBackupJob")]
    [InlineData("DescribeBackupJob")]
    public async Task D04_What_is_refused_for_good_gives_the_machine_back_and_is_recorded(string operation)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var denied = operation is "StopInstances"
            ? AwsAnswer.Xml("<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized.</Message></Error></Errors></Response>", 403)
            : AwsAnswer.Error(403, "AccessDeniedException", "You are not authorized.");
        place.Fleet.Faults.Add(new() { Operation = operation, Answer = denied, Times = int.MaxValue });
        var result = await place.RunOneAsync(place.Options(instance));
        (result.Outcome, result.Kind, result.GivenBack).ShouldBe((Outcome.Failed, FailureKind.PermissionDenied, true));
        instance.State.ShouldBe("running");
        place.Log(instance).ShouldBe("pre post");
        (await place.CatalogAsync()).ShouldHaveSingleItem().Reason.ShouldBe("1 of 1 instances failed.");
    }

    // 5. Instances that were stopped before are started.
    [Fact]
    public async Task D05_What_was_stopped_stays_stopped()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        instance.State = "stopped";
        var result = await place.RunOneAsync(place.Options(instance));
        (result.Outcome, result.PriorState).ShouldBe((Outcome.Completed, "stopped"), result.Reason);
        result.Warnings.ShouldHaveSingleItem().ShouldContain("stopped before");
        place.Fleet.Changes.Select(c => c.Operation).ShouldBe(["StartBackupJob"]);
        instance.State.ShouldBe("stopped");
    }

    // 6. The post-script is sent as soon as the state is running.
    [Fact]
    public async Task D06_The_post_script_waits_until_the_agent_has_reported_since_the_start()
    {
        await using var place = await PrePostPlace.CreateAsync();
        // SSM goes on calling the agent online that it heard of before the stop.
        var instance = place.Fleet.Add();
        instance.AgentTime = TimeSpan.FromSeconds(2);
        instance.PingStatus.ShouldBe("Online");
        var result = await place.RunOneAsync(place.Options(instance));
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        var started = place.Fleet.Calls.Single(c => c.Operation == "StartInstances").Time;
        (place.Fleet.Invocations.Last().Sent - started).ShouldBeGreaterThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task D06_An_agent_that_never_comes_online_is_a_failure_in_time()
    {
        await using var place = await PrePostPlace.CreateAsync();
        place.Deadlines = place.Deadlines with { Online = TimeSpan.FromSeconds(1) };
        var instance = place.Fleet.Add();
        instance.AgentTime = null;
        var result = await place.RunOneAsync(place.Options(instance));
        (result.Outcome, result.Kind, result.GivenBack, result.PostScript!.Status).ShouldBe((Outcome.Failed, FailureKind.TimedOut, true, "NotSent"));
        result.RecoveryPointArn.ShouldNotBeNull();
    }

    // 7. The list of instances is broken, and scripts go to whatever has the tag at the time.
    [Fact]
    public async Task D07_A_list_of_instances_works_and_scripts_go_to_ids()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var (one, other) = (place.Fleet.Add(), place.Fleet.Add());
        var document = SampleDocument.Create();
        document.Remove("TargetEC2TagKey");
        document.Remove("TargetEC2TagValue");
        document.Remove("RemoteRunCommandDetails");
        document["TargetEC2Instances"] = new System.Text.Json.Nodes.JsonArray(one.Id);
        var result = await place.RunOneAsync(PrePostDocument.Apply(document.ToJsonString(), place.Options()));
        (result.Outcome, result.InstanceId).ShouldBe((Outcome.Completed, one.Id), result.Reason);
        place.Log(other).ShouldBe("");
        foreach (var invocation in place.Fleet.Invocations)
        {
            invocation.Request.TryGetProperty("Targets", out _).ShouldBeFalse();
            invocation.Request.GetProperty("InstanceIds").EnumerateArray().Single().GetString().ShouldBe(one.Id);
        }
    }

    // 8. One instance a launch, one page, and those that are gone.
    [Fact]
    public async Task D08_Every_instance_of_every_page_and_none_that_is_gone()
    {
        await using var place = await PrePostPlace.CreateAsync();
        place.Fleet.PageSize = 2;
        for (var launch = 0; launch < 3; launch++)
        {
            for (var i = 0; i < 2; i++)
                place.Fleet.Add(new FleetInstance { Id = Fleet.NewId(), Reservation = $"r-{launch}", Tags = { ["backup-job"] = "true" } });
        }

        place.Fleet.Add().State = "terminated";
        place.Fleet.Add().State = "shutting-down";
        place.Fleet.Add(value: "false");
        var results = await place.RunAsync(place.Options() with { TagKey = "backup-job", TagValue = "true", PreScript = null, PostScript = null, StopInstance = false });
        results.Count.ShouldBe(6);
        results.ShouldAllBe(r => r.Outcome == Outcome.Completed);
        place.Fleet.Jobs.Select(j => j.InstanceId).Distinct(StringComparer.Ordinal).Count().ShouldBe(6);
    }

    // 9. The working directory is ignored, and the execution timeout is fixed.
    [Fact]
    public async Task D09_Working_directory_execution_and_delivery_timeouts_are_each_what_was_asked_for()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        using var directory = new TemporaryDirectory();
        var result = await place.RunOneAsync(place.Options(instance) with
        {
            PreScript = new() { Commands = "pwd", WorkingDirectory = directory.Combine("work"), DeliverySeconds = 77 },
            PostScript = new() { Commands = "sleep 30" },
            ExecutionTimeout = TimeSpan.FromSeconds(2),
            DeliveryTimeout = TimeSpan.FromSeconds(45),
        });
        result.PreScript!.Output.ShouldBe(directory.Combine("work"));
        (result.Outcome, result.PostScript!.Status).ShouldBe((Outcome.Failed, "ExecutionTimedOut"));
        place.Fleet.Invocations.Select(i => (i.Request.GetProperty("TimeoutSeconds").GetInt32(), i.Parameter("executionTimeout"))).ShouldBe([(77, "2"), (45, "2")]);
    }

    // 10. arn:aws, a pinned document, no token, no lifecycle, no tags, no options, no windows.
    [Fact]
    public async Task D10_The_job_has_a_token_a_lifecycle_tags_options_and_the_right_partition()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var windows = place.Fleet.Add(new FleetInstance { Id = Fleet.NewId(), PlatformType = "Windows" });
        place.Fleet.Documents["Acme-Freeze"] = "true";
        var result = await place.RunOneAsync(place.Options(windows) with
        {
            Aws = new() { Region = "cn-north-1", Keys = new("test", "testsecret") },
            PreScript = new() { Document = "Acme-Freeze", DocumentVersion = "$LATEST", Parameters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { ["Mode"] = ["full"] } },
            PostScript = null,
            Lifecycle = new() { MoveToColdStorageAfterDays = 7, DeleteAfterDays = 97 },
            RecoveryPointTags = new Dictionary<string, string>(StringComparer.Ordinal) { ["owner"] = "me" },
            WindowsVss = true,
            StopInstance = false,
        });
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        var job = place.Fleet.Jobs.ShouldHaveSingleItem();
        job.ResourceArn.ShouldBe($"arn:aws-cn:ec2:cn-north-1:{Fleet.Account}:instance/{windows.Id}");
        var request = JsonDocument.Parse(job.Request).RootElement;
        request.GetProperty("IdempotencyToken").GetString().ShouldBe($"{result.RunId}:{windows.Id}");
        request.GetProperty("StartWindowMinutes").GetInt32().ShouldBe(480);
        request.GetProperty("Lifecycle").GetProperty("DeleteAfterDays").GetInt32().ShouldBe(97);
        request.GetProperty("RecoveryPointTags").GetProperty("owner").GetString().ShouldBe("me");
        request.GetProperty("BackupOptions").GetProperty("WindowsVSS").GetString().ShouldBe("enabled");
        var command = place.Fleet.Invocations.ShouldHaveSingleItem();
        (command.Document, command.Parameter("Mode"), command.Request.GetProperty("DocumentVersion").GetString()).ShouldBe(("Acme-Freeze", "full", "$LATEST"));
    }

    // 11. The machine is down as long as the job takes.
    [Fact]
    public async Task D11_The_machine_is_started_when_the_recovery_point_exists()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("CREATED", TimeSpan.FromMilliseconds(300)), new("RUNNING", TimeSpan.FromMilliseconds(300)), new("RUNNING", TimeSpan.FromSeconds(5), HasRecoveryPoint: true), new("COMPLETED", HasRecoveryPoint: true)];
        var running = PrePostPlace.Say("post");
        var result = await place.RunOneAsync(place.Options(instance) with { ResumeWhen = ResumePoint.RecoveryPointCreated, PostScript = running });
        result.Outcome.ShouldBe(Outcome.Completed, result.Reason);
        result.Phases.Select(p => p.Phase).ShouldBe(["PreScript", "Stop", "Backup", "Start", "WaitForAgent", "PostScript", "BackupCompletion"]);
        result.Downtime!.Value.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        place.Fleet.Calls.Where(c => c.Operation == "StartInstances").ShouldHaveSingleItem().Time.ShouldBeLessThan(place.Fleet.Jobs.Single().Created.AddSeconds(5.6));
        result.BackupState.ShouldBe("COMPLETED");
    }

    // 12. Nothing is looked at before a machine is stopped.
    [Theory]
    [InlineData("group", "Auto Scaling group web", true)]
    [InlineData("spot", "Spot", true)]
    [InlineData("capacity-block", "capacity-block", false)]
    [InlineData("instance-store", "instance-store", false)]
    [InlineData("protected", "stop protection", false)]
    [InlineData("no agent", "not managed by Systems Manager", false)]
    [InlineData("silent agent", "ConnectionLost", false)]
    [InlineData("stopping", "is stopping", false)]
    [InlineData("terminated", "terminated", false)]
    public async Task D12_What_stands_in_the_way_is_found_before_anything_is_touched(string what, string says, bool isChoice)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add(new FleetInstance
        {
            Id = Fleet.NewId(),
            Lifecycle = what is "spot" or "capacity-block" ? what : null,
            RootDeviceType = what is "instance-store" ? what : "ebs",
            StopProtection = what is "protected",
            HasAgent = what is not "no agent",
            AgentTime = what is "silent agent" ? null : TimeSpan.Zero,
            StaleAgentIsOnline = what is not "silent agent",
        });
        if (what is "group")
            instance.Tags["aws:autoscaling:groupName"] = "web";
        if (what is "stopping" or "terminated")
            instance.State = what;
        var good = place.Fleet.Add();

        var results = await place.RunAsync(place.Options(instance, good));
        var refused = results.Single(r => r.InstanceId == instance.Id);
        refused.Outcome.ShouldBe(Outcome.Failed);
        refused.Kind.ShouldBe(what is "terminated" ? FailureKind.NotFound : FailureKind.Refused);
        refused.Reason!.ShouldContain(says);
        refused.Advice.ShouldNotBeNullOrEmpty();
        place.Fleet.Changes.ShouldNotContain(c => c.InstanceId == instance.Id);
        // One that is refused ends no other.
        results.Single(r => r.InstanceId == good.Id).Outcome.ShouldBe(Outcome.Completed);

        var forced = await place.RunOneAsync(place.Options(instance) with { Force = true });
        (forced.Outcome == Outcome.Completed).ShouldBe(isChoice, forced.Reason);
        place.Fleet.Changes.Any(c => c.InstanceId == instance.Id).ShouldBe(isChoice);
    }

    [Theory]
    [InlineData("vault", FailureKind.NotFound)]
    [InlineData("role", FailureKind.NotFound)]
    [InlineData("account", FailureKind.Refused)]
    [InlineData("instance", FailureKind.NotFound)]
    [InlineData("tag", FailureKind.NotFound)]
    public async Task D12_What_all_instances_need_is_looked_for_first(string missing, FailureKind kind)
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        var options = place.Options(instance);
        options = missing switch
        {
            "vault" => options with { BackupVaultName = "other" },
            "role" => options with { IamRoleArn = PrePostPlace.Role + "2" },
            "account" => options with { IamRoleArn = PrePostPlace.Role.Replace(Fleet.Account, "210987654321", StringComparison.Ordinal) },
            "instance" => options with { InstanceIds = [instance.Id, "i-00000000000000000"] },
            _ => options with { InstanceIds = [], TagKey = "nobody", TagValue = "has" },
        };
        var failure = await Should.ThrowAsync<BackupException>(() => place.RunAsync(options));
        failure.Kind.ShouldBe(kind, failure.Message);
        place.Fleet.Changes.ShouldBeEmpty();
    }

    // 13. Permissions for every role and every principal.
    [Fact]
    public async Task D13_The_documented_policy_allows_what_is_called_and_passes_one_role()
    {
        await using var place = await PrePostPlace.CreateAsync();
        var instance = place.Fleet.Add();
        place.Fleet.JobStates = _ => [new("RUNNING", TimeSpan.FromMinutes(5))];
        using var stop = new CancellationTokenSource();
        var run = place.RunAsync(place.Options(instance) with { PreScript = PrePostPlace.Say("pre") }, stop.Token);
        while (!place.Fleet.Calls.Any(c => c.Operation == "DescribeBackupJob"))
            await Task.Delay(20, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        var policy = await File.ReadAllTextAsync(Path.Combine(Root(), "module", "policies", "prepost.json"));
        var statements = JsonDocument.Parse(policy).RootElement.GetProperty("Statement").EnumerateArray().ToList();
        var allowed = statements.SelectMany(s => Texts(s.GetProperty("Action"))).Select(action => action.Split(':')[1]).ToHashSet(StringComparer.Ordinal);
        allowed.Contains("*").ShouldBeFalse();
        place.Fleet.Calls.Select(c => c.Operation).Where(operation => !allowed.Contains(operation)).ShouldBeEmpty();
        var pass = statements.Where(s => Texts(s.GetProperty("Action")).Contains("iam:PassRole", StringComparer.Ordinal)).ShouldHaveSingleItem();
        Texts(pass.GetProperty("Resource")).ShouldAllBe(resource => !resource.Contains('*', StringComparison.Ordinal));

        static IEnumerable<string> Texts(JsonElement e) => e.ValueKind == JsonValueKind.Array ? e.EnumerateArray().Select(i => i.GetString()!) : [e.GetString()!];
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Backup.sln")))
            directory = directory.Parent!;
        return directory.FullName;
    }
}
