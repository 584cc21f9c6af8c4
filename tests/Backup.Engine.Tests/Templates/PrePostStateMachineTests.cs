using System.Text.Json.Nodes;

namespace Backup.Engine.Tests.Templates;

/// <summary>Every way through the state machine, and every way out of it: the machine is given back.</summary>
public sealed class PrePostStateMachineTests(PrePostExecutions executions) : IClassFixture<PrePostExecutions>
{
    public static TheoryData<bool, bool, bool> Paths =>
        [.. from pre in new[] { false, true } from stop in new[] { false, true } from post in new[] { false, true } select (pre, stop, post)];

    public static TheoryData<string, bool> Faults => [.. from task in PrePostExecutions.Tasks from heard in new[] { false, true } select (task, heard)];

    public static TheoryData<string> Tasks => [.. PrePostExecutions.Tasks];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Each_of_the_eight_paths_does_what_was_asked_for(bool pre, bool stop, bool post)
    {
        var report = await executions.GetAsync(PrePostExecutions.PathName(pre, stop, post));
        report.Succeeded.ShouldBeTrue(report.Message);
        report.Problems.ShouldBeEmpty();
        report.Scripts.ShouldBe([.. pre ? ["PreScript"] : (string[])[], .. post ? ["PostScript"] : (string[])[]]);
        report.Called("StopInstance").ShouldBe(stop);
        report.Called("StartInstance").ShouldBe(stop);
        report.Jobs.ShouldBe(1);
        GivenBack(report);
        string[] order = [.. new[] { "SendPreScript", "StopInstance", "StartBackup", "StartInstance", "SendPostScript" }.Where(report.Called)];
        order.Select(name => report.Calls.ToList().IndexOf(name)).ShouldBeInOrder();
        if (stop && post)
            report.Calls.ToList().LastIndexOf("CheckAgent").ShouldBeInRange(report.Calls.ToList().IndexOf("UnmarkInstance"), report.Calls.ToList().IndexOf("SendPostScript"));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Whatever_is_refused_for_good_the_machine_is_given_back_in_each_path(string task, bool heard)
    {
        foreach (var path in Paths.Select(row => row.Data))
        {
            var name = PrePostExecutions.FaultName(task, heard, PrePostExecutions.PathName(path.Item1, path.Item2, path.Item3));
            var report = await executions.GetAsync(name);
            report.Problems.ShouldBeEmpty(name);
            var reached = report.Called(task);
            report.Succeeded.ShouldBe(!reached || task == "Publish", name);
            if (!reached)
                continue;
            // What cannot be started stays marked, for the machine that is started where this one fails.
            if (task == "StartInstance" && !heard)
            {
                report.Instances["i-1"].ShouldSatisfyAllConditions(i => i.State.ShouldBe("stopped"), i => i.Marked.ShouldBeTrue());
                continue;
            }

            // An order to start that was heard although its answer was lost is under way.
            report.Instances["i-1"].State.ShouldBe(task is "StartInstance" or "CheckRunning" ? report.Instances["i-1"].State == "pending" ? "pending" : "running" : "running", name);
            if (task is not ("StartInstance" or "CheckRunning" or "UnmarkInstance"))
                GivenBack(report, name);
            // What may have frozen is thawed, wherever there is something to run a script on.
            if (path.Item3 && report.Called("SendPreScript") && task != "StartInstance" && !report.Instances["i-1"].State.Equals("pending", StringComparison.Ordinal))
                report.Called("SendPostScript").ShouldBeTrue(name);
        }
    }

    [Theory]
    [MemberData(nameof(Tasks))]
    public async Task What_is_refused_twice_is_asked_for_again(string task)
    {
        var report = await executions.GetAsync("twice " + task);
        report.Problems.ShouldBeEmpty();
        report.Succeeded.ShouldBe(task is not ("CancelPreScript" or "CancelPostScript" or "Publish"), report.Message);
        GivenBack(report);
    }

    [Theory]
    [InlineData("Failed")]
    [InlineData("TimedOut")]
    [InlineData("Cancelled")]
    [InlineData("never")]
    public async Task A_pre_script_that_does_not_succeed_stops_nothing_and_backs_nothing_up_and_is_thawed(string end)
    {
        var report = await executions.GetAsync("pre " + end);
        report.Succeeded.ShouldBeFalse();
        report.Called("StopInstance").ShouldBeFalse();
        report.Called("StartBackup").ShouldBeFalse();
        report.Scripts.ShouldBe(["PreScript", "PostScript"]);
        report.Called("CancelPreScript").ShouldBe(end == "never");
        report.Called("Publish").ShouldBeTrue();
        GivenBack(report);
    }

    [Theory]
    [InlineData("Failed")]
    [InlineData("TimedOut")]
    [InlineData("never")]
    public async Task A_post_script_that_does_not_succeed_is_a_failure(string end)
    {
        var report = await executions.GetAsync("post " + end);
        report.Succeeded.ShouldBeFalse();
        report.Jobs.ShouldBe(1);
        report.Called("CancelPostScript").ShouldBe(end == "never");
        GivenBack(report);
    }

    [Theory]
    [InlineData("FAILED")]
    [InlineData("ABORTED")]
    [InlineData("EXPIRED")]
    [InlineData("PARTIAL")]
    [InlineData("never")]
    public async Task A_backup_that_is_not_complete_is_a_failure_and_the_machine_is_given_back(string end)
    {
        var report = await executions.GetAsync("job " + end);
        report.Succeeded.ShouldBeFalse();
        report.Scripts.ShouldBe(["PreScript", "PostScript"]);
        GivenBack(report);
    }

    [Fact]
    public async Task An_instance_that_does_not_stop_is_started_all_the_same()
    {
        var report = await executions.GetAsync("stuck stopping");
        report.Succeeded.ShouldBeFalse();
        report.Called("StartBackup").ShouldBeFalse();
        report.Calls.Count(c => c == "CheckStopped").ShouldBe(60);
        report.Scripts.ShouldBe(["PreScript", "PostScript"]);
        GivenBack(report);
    }

    [Fact]
    public async Task An_instance_that_does_not_start_is_told_and_stays_marked()
    {
        var report = await executions.GetAsync("stuck pending");
        report.Succeeded.ShouldBeFalse();
        report.Calls.Count(c => c == "CheckRunning").ShouldBe(60);
        report.Called("Publish").ShouldBeTrue();
        report.Instances["i-1"].Marked.ShouldBeTrue();
    }

    [Fact]
    public async Task An_agent_that_stays_silent_is_sent_the_script_all_the_same()
    {
        var report = await executions.GetAsync("mute agent");
        report.Succeeded.ShouldBeFalse();
        report.Calls.Count(c => c == "CheckAgent").ShouldBe(61);
        report.Scripts.ShouldBe(["PreScript", "PostScript"]);
        GivenBack(report);
    }

    [Fact]
    public async Task What_was_stopped_runs_no_script_and_stays_stopped()
    {
        var report = await executions.GetAsync("was stopped");
        report.Succeeded.ShouldBeTrue(report.Message);
        report.Scripts.ShouldBeEmpty();
        report.Jobs.ShouldBe(1);
        report.Instances["i-1"].State.ShouldBe("stopped");
        report.Called("StartInstance").ShouldBeFalse();
    }

    [Theory]
    [InlineData("group")]
    [InlineData("spot")]
    [InlineData("instance store")]
    [InlineData("pending")]
    [InlineData("terminated")]
    public async Task What_may_not_be_stopped_or_backed_up_is_not_touched(string what)
    {
        var report = await executions.GetAsync("gate " + what);
        report.Succeeded.ShouldBeFalse();
        report.Calls.Except(["FindInstance", "FindInstances", "FindGroup", "Publish"], StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_terminated_instance_that_still_has_its_tags_is_left_out()
    {
        var report = await executions.GetAsync("ghost");
        report.Succeeded.ShouldBeTrue(report.Message);
        report.Output!["Results"]!.AsArray().Select(r => (string)r!["Outcome"]!).ShouldBe(["Skipped", "Completed"]);
    }

    [Fact]
    public async Task One_instance_that_fails_does_not_keep_the_others()
    {
        var report = await executions.GetAsync("one of three");
        report.Succeeded.ShouldBeFalse();
        report.Jobs.ShouldBe(2);
        report.Instances.Values.ShouldAllBe(i => !i.Marked);
        report.Instances.Values.Count(i => i.State == "running").ShouldBe(2);
    }

    [Theory]
    [InlineData("two targets")]
    [InlineData("no target")]
    [InlineData("no backup details")]
    [InlineData("script without a source")]
    [InlineData("no instances")]
    [InlineData("too many")]
    public async Task An_input_that_cannot_be_used_ends_it_before_anything_is_touched(string what)
    {
        var report = await executions.GetAsync("input " + what);
        report.Succeeded.ShouldBeFalse();
        report.Calls.Except(["FindInstances"], StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_samples_own_input_runs_unchanged()
    {
        var report = await executions.GetAsync("sample");
        report.Succeeded.ShouldBeTrue(report.Message);
        report.Scripts.ShouldBe(["PreScript", "PostScript"]);
        GivenBack(report);
    }

    [Fact]
    public async Task Instances_by_id_are_taken_once()
    {
        var report = await executions.GetAsync("by id");
        report.Succeeded.ShouldBeTrue(report.Message);
        report.Called("FindInstances").ShouldBeFalse();
        report.Jobs.ShouldBe(1);
    }

    [Fact]
    public void The_longest_execution_fits_into_its_history()
    {
        // 25,000 events end an execution (Step Functions quotas). A turn of a loop is at most 11: two for Wait, Pass and Choice each, five for the Task.
        var limits = Template.States(PrePostExecutions.Definition)
            .SelectMany(s => s.Value["Choices"]?.AsArray() ?? [])
            .Select(c => (long?)c!["NumericGreaterThanEquals"])
            .OfType<long>()
            .ToList();
        limits.Count.ShouldBe(6);
        (limits.Sum() * 11).ShouldBeLessThan(24_000);
    }

    [Fact]
    public void Every_task_has_a_deadline_is_tried_again_and_is_caught()
    {
        foreach (var (name, state) in Template.States(PrePostExecutions.Definition).Where(s => (string)s.Value["Type"]! == "Task"))
        {
            state["TimeoutSeconds"].ShouldNotBeNull(name);
            state["Retry"].ShouldNotBeNull(name);
            ((string)state["Catch"]![0]!["ErrorEquals"]![0]!).ShouldBe("States.ALL", name);
        }
    }

    [Fact]
    public async Task What_an_aborted_execution_left_stopped_is_started()
    {
        const string Mark = """{"backup-job":"true","AtlassianBackup:StoppedBy":"arn:x"}""";
        var cases = new[]
        {
            """{"name":"left","input":{"executionArn":"arn:x"},"instances":{"i-1":{"state":"stopping","tags":MARK},"i-2":{"state":"stopped","tags":MARK},"i-3":{"state":"stopped"},"i-4":{"state":"running","tags":MARK}}}""",
            """{"name":"nothing left","input":{"executionArn":"arn:x"},"instances":{"i-3":{"state":"stopped"}}}""",
            """{"name":"refused","input":{"executionArn":"arn:x"},"instances":{"i-1":{"state":"stopped","tags":MARK}},"faults":{"StartMarked":{"error":"Ec2.Ec2Exception"}}}""",
            """{"name":"not unmarked","input":{"executionArn":"arn:x"},"instances":{"i-1":{"state":"stopped","tags":MARK}},"faults":{"UnmarkStarted":{"error":"Ec2.Ec2Exception"}}}""",
        };
        var reports = await StateMachines.RunAsync(Template.Definition("prepost-backup.yaml", "GiveBackStateMachine"), cases.Select(c => JsonNode.Parse(c.Replace("MARK", Mark, StringComparison.Ordinal))!.AsObject()));

        var left = reports["left"];
        left.Succeeded.ShouldBeTrue(left.Message);
        left.Instances.Values.Select(i => i.State).ShouldBe(["pending", "pending", "stopped", "running"]);
        left.Instances.Values.ShouldAllBe(i => !i.Marked);
        reports["nothing left"].Succeeded.ShouldBeTrue();
        reports["nothing left"].Instances["i-3"].State.ShouldBe("stopped");
        reports["refused"].ShouldSatisfyAllConditions(r => r.Succeeded.ShouldBeFalse(), r => r.Instances["i-1"].Marked.ShouldBeTrue());
        reports["not unmarked"].ShouldSatisfyAllConditions(r => r.Succeeded.ShouldBeTrue(), r => r.Instances["i-1"].State.ShouldBe("pending"));
    }

    private static void GivenBack(ExecutionReport report, string? name = null) =>
        report.Instances["i-1"].ShouldSatisfyAllConditions(name, i => i.State.ShouldBe("running"), i => i.Marked.ShouldBeFalse());
}
