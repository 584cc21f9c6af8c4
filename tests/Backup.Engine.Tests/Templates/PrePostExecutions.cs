using System.Text.Json.Nodes;

namespace Backup.Engine.Tests.Templates;

/// <summary>All executions of the state machine that the tests look at, run once in one process.</summary>
public sealed class PrePostExecutions
{
    // The input of the sample's README, with its placeholders filled in.
    private const string Sample = """
        {
            "TargetEC2TagKey": "backup-job",
            "TargetEC2TagValue": "true",
            "StartStopEC2Required": true,
            "RemoteRunCommandDetails": {
                "PreBackupScriptDetails": {
                "SourceS3Path": "https://backup-status-bucket-x.s3.amazonaws.com/scripts/pre-script.sh",
                "CommandToRun": "pre-script.sh",
                "WorkingDirectory": "",
                "TimeoutInSeconds": 600,
                "OutputS3BucketName": "backup-status-bucket-x",
                "OutputS3KeyPrefix": "pre-script-logs"
                },
                "PostBackupScriptDetails": {
                "SourceS3Path": "https://backup-status-bucket-x.s3.amazonaws.com/scripts/pre-script.sh",
                "CommandToRun": "pre-script.sh",
                "WorkingDirectory": "",
                "TimeoutInSeconds": 600,
                "OutputS3BucketName": "backup-status-bucket-x",
                "OutputS3KeyPrefix": "post-script-logs"
                }
            },
            "BackupDetails": {
                "BackupVaultName": "BackupSolution-Pre-Post-Script",
                "IamRoleArn": "arn:aws:iam::123456789012:role/BackupJobExecutionRole"
            }
        }
        """;

    private readonly Lazy<Task<Dictionary<string, ExecutionReport>>> _reports = new(() => StateMachines.RunAsync(Definition, Cases()));

    internal static JsonObject Definition { get; } = Template.Definition("prepost-backup.yaml", "BackupWorkflowStateMachine");

    internal static IReadOnlyList<string> Tasks { get; } = [.. Template.States(Definition).Where(s => (string)s.Value["Type"]! == "Task").Select(s => s.Key)];

    internal static string PathName(bool pre, bool stop, bool post) => $"path {(pre ? "pre" : "-")} {(stop ? "stop" : "-")} {(post ? "post" : "-")}";

    internal static string FaultName(string task, bool heard, string path) => $"{task} {(heard ? "heard" : "refused")}, {path}";

    internal async Task<ExecutionReport> GetAsync(string name) => (await _reports.Value)[name];

    private static IEnumerable<JsonObject> Cases()
    {
        foreach (var (pre, stop, post) in from pre in new[] { false, true } from stop in new[] { false, true } from post in new[] { false, true } select (pre, stop, post))
        {
            var path = PathName(pre, stop, post);
            var input = Input(pre, stop, post);
            yield return Case(path, input);
            foreach (var task in Tasks)
            {
                foreach (var heard in new[] { false, true })
                    yield return Case(FaultName(task, heard, path), input, fault: (task, new() { ["error"] = "Sdk.SomeException", ["heard"] = heard }), script: Cancels(task));
            }
        }

        var all = Input(pre: true, stop: true, post: true);
        foreach (var task in Tasks)
        {
            var error = task.StartsWith("Send", StringComparison.Ordinal) ? "Ssm.InvalidInstanceIdException" : "Sdk.SomeException";
            yield return Case("twice " + task, all, fault: (task, new() { ["error"] = error, ["times"] = 2 }), script: Cancels(task), job: task == "Publish" ? "FAILED" : null);
        }

        foreach (var end in new[] { "Failed", "TimedOut", "Cancelled", "never" })
        {
            yield return Case("pre " + end, all, script: new() { ["PreScript"] = end });
            yield return Case("post " + end, all, script: new() { ["PostScript"] = end });
        }

        foreach (var end in new[] { "FAILED", "ABORTED", "EXPIRED", "PARTIAL", "never" })
            yield return Case("job " + end, all, job: end);
        yield return Case("stuck stopping", all, """{"i-1":{"state":"running","stuck":"stopping"}}""");
        yield return Case("stuck pending", all, """{"i-1":{"state":"running","stuck":"pending"}}""");
        yield return Case("mute agent", all, """{"i-1":{"state":"running","mute":true}}""");
        yield return Case("was stopped", all, """{"i-1":{"state":"stopped"}}""");

        yield return Case("gate group", all, """{"i-1":{"state":"running","group":"web"}}""");
        yield return Case("gate spot", all, """{"i-1":{"state":"running","lifecycle":"spot"}}""");
        yield return Case("gate instance store", all, """{"i-1":{"state":"running","root":"instance-store"}}""");
        yield return Case("gate pending", all, """{"i-1":{"state":"pending","stuck":"pending"}}""");
        yield return Case("gate terminated", ById(all, "i-1"), """{"i-1":{"state":"terminated"}}""");
        yield return Case("ghost", all, """{"i-0":{"state":"terminated"},"i-1":{"state":"running"}}""");
        yield return Case("one of three", all, """{"i-1":{"state":"running"},"i-2":{"state":"terminating"},"i-3":{"state":"running"}}""");

        yield return Case("sample", JsonNode.Parse(Sample)!.AsObject());
        yield return Case("by id", ById(all, "i-1", "i-1"));
        yield return Case("input two targets", With(all, i => i["TargetEC2Instances"] = new JsonArray("i-1")));
        yield return Case("input no target", With(all, i => i.Remove("TargetEC2TagKey")));
        yield return Case("input no backup details", With(all, i => i.Remove("BackupDetails")));
        yield return Case("input script without a source", With(all, i => i["RemoteRunCommandDetails"]!["PostBackupScriptDetails"]!.AsObject().Remove("SourceS3Path")));
        yield return Case("input no instances", all, "{}");
        yield return Case("input too many", ById(all, [.. Enumerable.Range(0, 201).Select(i => $"i-{i}")]));
    }

    // These are only reached where a script does not end.
    private static JsonObject? Cancels(string task) => task switch
    {
        "CancelPreScript" => new() { ["PreScript"] = "never" },
        "CancelPostScript" => new() { ["PostScript"] = "never" },
        _ => null,
    };

    private static JsonObject Case(string name, JsonObject input, string instances = """{"i-1":{"state":"running"}}""", (string Task, JsonObject Fault)? fault = null, JsonObject? script = null, string? job = null)
    {
        var test = new JsonObject { ["name"] = name, ["input"] = input.DeepClone(), ["instances"] = JsonNode.Parse(instances) };
        if (fault is var (task, fails))
            test["faults"] = new JsonObject { [task] = fails };
        if (script is not null)
            test["script"] = script;
        if (job is not null)
            test["job"] = job;
        return test;
    }

    private static JsonObject Input(bool pre, bool stop, bool post) => With(JsonNode.Parse(Sample)!.AsObject(), input =>
    {
        input["StartStopEC2Required"] = stop;
        var scripts = input["RemoteRunCommandDetails"]!.AsObject();
        if (!pre)
            scripts.Remove("PreBackupScriptDetails");
        if (!post)
            scripts.Remove("PostBackupScriptDetails");
    });

    private static JsonObject ById(JsonObject input, params string[] ids) => With(input, i =>
    {
        i.Remove("TargetEC2TagKey");
        i.Remove("TargetEC2TagValue");
        i["TargetEC2Instances"] = new JsonArray([.. ids.Select(id => (JsonNode)id)]);
    });

    private static JsonObject With(JsonObject input, Action<JsonObject> change)
    {
        var copy = input.DeepClone().AsObject();
        change(copy);
        return copy;
    }
}
