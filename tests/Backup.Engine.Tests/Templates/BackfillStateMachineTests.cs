using System.Text.Json.Nodes;

namespace Backup.Engine.Tests.Templates;

/// <summary>How a backfill is judged. The interpreter reads no list from S3, so executions begin where the Map has ended.</summary>
public sealed class BackfillStateMachineTests
{
    [Fact]
    public async Task Only_a_list_that_was_backed_up_whole_is_a_success()
    {
        var definition = Template.Definition("backfill.yaml", "BackfillStateMachine");
        // AWS's validator looks at the whole machine, its Map included.
        (await StateMachines.RunAsync(definition, [])).ShouldBeEmpty();

        var judging = definition.DeepClone().AsObject();
        judging["StartAt"] = "Count";
        judging["States"]!.AsObject().Remove("BackUpBatches");
        var reports = await StateMachines.RunAsync(judging, new[]
        {
            """{"name":"whole","counts":{"Succeeded":40}}""",
            """{"name":"one failed","counts":{"Succeeded":39,"Failed":1}}""",
            """{"name":"one timed out","counts":{"Succeeded":39,"TimedOut":1}}""",
            """{"name":"one aborted","counts":{"Succeeded":39,"Aborted":1}}""",
            """{"name":"empty list","counts":{"Total":0}}""",
            """{"name":"run failed","counts":{"Status":"FAILED"}}""",
            """{"name":"no answer","faults":{"Count":{"error":"Sfn.SfnException"}}}""",
            """{"name":"no answer at first","counts":{"Succeeded":40},"faults":{"Count":{"error":"Sfn.SfnException","times":2}}}""",
        }.Select(text =>
        {
            var test = JsonNode.Parse(text)!.AsObject();
            test["input"] = JsonNode.Parse("""{"Key":"backfill/packages.csv","Run":{"MapRunArn":"arn:aws:states:eu-central-1:123456789012:mapRun:backfill/BackUpBatches:1"}}""");
            return test;
        }));
        reports.Values.Where(r => r.Succeeded).Select(r => r.Name).ShouldBe(["whole", "no answer at first"]);
        reports.Values.Where(r => !r.Succeeded).ShouldAllBe(r => r.Error == "BackfillFailed");
    }
}
