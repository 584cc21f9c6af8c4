using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Backup.Engine.Tests.Aws;

namespace Backup.Engine.Tests.Templates;

/// <summary>Every call of an AWS API that a template or a document makes, against AWS's own model of the service, and against the role that makes it.</summary>
public sealed partial class SdkCallTests
{
    private static readonly Dictionary<string, string> _directories = new(StringComparer.Ordinal) { ["sfn"] = "stepfunctions" };
    private static readonly Dictionary<string, string> _prefixes = new(StringComparer.Ordinal) { ["sfn"] = "states" };

    public static TheoryData<string, string, string> Machines =>
        new(("prepost-backup.yaml", "BackupWorkflowStateMachine", "BackupWorkflowRole"), ("prepost-backup.yaml", "GiveBackStateMachine", "GiveBackRole"), ("backfill.yaml", "BackfillStateMachine", "BackfillRole"));

    [Theory]
    [MemberData(nameof(Machines))]
    public async Task State_machines_call_what_there_is_with_what_it_takes(string template, string machine, string role)
    {
        var allowed = Permissions.StatementsOf(template, role).SelectMany(Permissions.Actions).ToHashSet(StringComparer.Ordinal);
        var calls = Template.States(Template.Definition(template, machine)).Where(s => (string)s.Value["Type"]! == "Task").ToList();
        calls.ShouldNotBeEmpty();
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, state) in calls)
        {
            if ((string)state["Resource"]! == "arn:aws:states:::lambda:invoke")
            {
                used.Add("lambda:InvokeFunction").ShouldBeTrue();
                allowed.Contains("lambda:InvokeFunction").ShouldBeTrue();
                continue;
            }

            var (service, operation) = Call((string)state["Resource"]!);
            await CheckAsync(name, service, operation, state["Parameters"]!.AsObject());
            var action = $"{_prefixes.GetValueOrDefault(service, service)}:{operation}";
            allowed.Contains(action).ShouldBeTrue($"{name}: {role} lacks {action}");
            used.Add(action);
        }

        // And nothing that is not called, but for what Maps and passed roles need.
        allowed.Except(used, StringComparer.Ordinal).Except(["iam:PassRole", "states:StartExecution", "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution", "s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"], StringComparer.Ordinal)
            .ShouldBeEmpty();
    }

    [Theory]
    [InlineData("github-backup.yaml")]
    [InlineData("scheduled-instance.yaml")]
    public async Task Schedules_call_what_there_is_with_what_it_takes(string template)
    {
        var target = Template.Resources(template, "AWS::Scheduler::Schedule").Single().Properties["Target"]!;
        var (service, operation) = Call(AwsSdk().Match(target["Arn"]!.ToJsonString()).Value);
        var text = Subs(target["Input"]).Single();
        var input = JsonNode.Parse(Variable().Replace(text, match => match.Groups["name"].Value is "BackupOnlyOwnerRepos" ? "true" : "x"))!.AsObject();
        await CheckAsync(template, service, operation, input);

        // The document takes these parameters, and its patterns let them through.
        var document = Template.ReadDocument((string)input["DocumentName"]!)["parameters"]!.AsObject();
        foreach (var (name, value) in input["Parameters"]!.AsObject())
            document[name].ShouldNotBeNull($"{template}: {name}");
        if (input["Parameters"]!["Arguments"] is { } arguments)
        {
            Regex.IsMatch((string)arguments[0]!, (string)document["Arguments"]!["allowedPattern"]!, RegexOptions.None, TimeSpan.FromSeconds(1)).ShouldBeTrue();
            JsonNode.Parse((string)arguments[0]!)!.AsObject().Select(p => p.Key).ShouldBe(["Destination", "Region", "OwnerOnly", "Token"]);
        }
    }

    [Fact]
    public async Task The_runbook_calls_what_there_is_with_what_it_takes()
    {
        var steps = Template.ReadDocument("AtlassianBackup-StartRunStop")["mainSteps"]!.AsArray().Select(s => s!.AsObject()).Where(s => s["inputs"]!["Api"] is not null).ToList();
        steps.Count.ShouldBe(3);
        foreach (var step in steps)
        {
            var inputs = step["inputs"]!.DeepClone().AsObject();
            var (service, operation) = ((string)inputs["Service"]!, (string)inputs["Api"]!);
            foreach (var own in new[] { "Service", "Api", "PropertySelector", "DesiredValues" })
                inputs.Remove(own);
            await CheckAsync((string)step["name"]!, service, operation, inputs);
        }
    }

    private static async Task CheckAsync(string where, string service, string operation, JsonObject parameters)
    {
        using var model = await ServiceModel.ReadAsync(_directories.GetValueOrDefault(service, service));
        var shapes = model.RootElement.GetProperty("shapes");
        model.RootElement.GetProperty("operations").TryGetProperty(operation, out var called).ShouldBeTrue($"{where}: {service} has no {operation}");
        CheckShape(where, parameters, called.GetProperty("input").GetProperty("shape").GetString()!, shapes);
    }

    private static void CheckShape(string where, JsonNode? value, string name, JsonElement shapes)
    {
        var shape = shapes.GetProperty(name);
        switch (shape.GetProperty("type").GetString(), value)
        {
            case ("structure", JsonObject map):
                // Step Functions writes all members in PascalCase.
                var members = shape.GetProperty("members").EnumerateObject().ToDictionary(m => char.ToUpperInvariant(m.Name[0]) + m.Name[1..], m => m.Value.GetProperty("shape").GetString()!, StringComparer.Ordinal);
                var given = map.Select(p => KeyValuePair.Create(p.Key.EndsWith(".$", StringComparison.Ordinal) ? p.Key[..^2] : p.Key, p)).ToList();
                foreach (var (member, pair) in given)
                {
                    members.TryGetValue(member, out var type).ShouldBeTrue($"{where}: {name} has no {member}");
                    if (pair.Key == member)
                        CheckShape($"{where}.{member}", pair.Value, type!, shapes);
                }

                if (shape.TryGetProperty("required", out var required))
                {
                    foreach (var member in required.EnumerateArray().Select(r => r.GetString()!))
                        given.Exists(g => g.Key == char.ToUpperInvariant(member[0]) + member[1..]).ShouldBeTrue($"{where} lacks {member}");
                }

                break;
            case ("list", JsonArray list):
                foreach (var item in list)
                    CheckShape(where, item, shape.GetProperty("member").GetProperty("shape").GetString()!, shapes);
                break;
            case ("map", JsonObject):
            case ("string", JsonValue):
            case ("integer" or "long", JsonValue):
            case ("boolean", JsonValue):
                break;
            default:
                throw new ShouldAssertException($"{where}: {value?.ToJsonString()} is no {shape.GetProperty("type").GetString()} ({name})");
        }
    }

    private static (string Service, string Operation) Call(string resource)
    {
        var parts = resource.Split(':');
        return (parts[^2], char.ToUpperInvariant(parts[^1][0]) + parts[^1][1..]);
    }

    private static IEnumerable<string> Subs(JsonNode? node) => node switch
    {
        JsonObject map when map["Fn::Sub"] is { } text => [(string)text!],
        JsonObject map => map.SelectMany(p => Subs(p.Value)),
        JsonArray list => list.SelectMany(Subs),
        _ => [],
    };

    [GeneratedRegex(@"aws-sdk:\w+:\w+", RegexOptions.None, 1000)]
    private static partial Regex AwsSdk();

    [GeneratedRegex(@"\$\{(?<name>[A-Za-z:.]+)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Variable();
}
