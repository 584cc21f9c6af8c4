using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.TestServers.Aws;

namespace Backup.TestServers.PrePost;

/// <summary>Systems Manager's json-1.1: commands, and the agents that run them.</summary>
internal sealed class SsmService(Fleet fleet)
{
    public AwsAnswer Answer(AwsRequest request)
    {
        var json = request.Json;
        return request.Operation switch
        {
            "SendCommand" => Send(json),
            "CancelCommand" => Cancel(json),
            "ListCommandInvocations" => List(json),
            "GetCommandInvocation" => Get(json),
            "DescribeInstanceInformation" => Information(json),
            "DescribeDocument" => Document(json),
            var other => AwsAnswer.Error(400, "UnknownOperationException", other),
        };
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static double Epoch(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;

    private static bool IsAwsOwn(string document) => document is "AWS-RunShellScript" or "AWS-RunPowerShellScript" or "AWS-RunRemoteScript";

    private AwsAnswer Document(JsonElement json)
    {
        var name = Text(json, "Name")!;
        return IsAwsOwn(name) || fleet.Documents.ContainsKey(name)
            ? AwsAnswer.Json(new JsonObject { ["Document"] = new JsonObject { ["Name"] = name, ["DocumentType"] = "Command", ["Status"] = "Active" } }.ToJsonString())
            : NoDocument(name);
    }

    private static AwsAnswer NoDocument(string name) => AwsAnswer.Error(400, "InvalidDocument", $"Document with name {name} does not exist.");

    private AwsAnswer Send(JsonElement json)
    {
        if (json.TryGetProperty("Targets", out _))
            return AwsAnswer.Error(400, "ValidationException", "This fleet takes instance ids alone: a tag may mean other instances at another time.");
        if (json.TryGetProperty("TimeoutSeconds", out var timeout) && timeout.GetInt32() is < 30 or > 2592000)
            return AwsAnswer.Error(400, "ValidationException", "Value at 'timeoutSeconds' failed to satisfy constraint: Member must be between 30 and 2592000");
        if (Text(json, "Comment") is { Length: > 100 })
            return AwsAnswer.Error(400, "ValidationException", "Value at 'comment' failed to satisfy constraint: Member must have length less than or equal to 100");
        var document = Text(json, "DocumentName")!;
        if (!IsAwsOwn(document) && !fleet.Documents.ContainsKey(document))
            return NoDocument(document);
        var id = json.GetProperty("InstanceIds").EnumerateArray().Single().GetString()!;
        // An instance that does not run, or whose agent is not registered, is refused at once.
        if (!fleet.Instances.TryGetValue(id, out var instance) || !instance.HasAgent || instance.State is not "running")
            return AwsAnswer.Error(400, "InvalidInstanceId", $"Instances [[{id}]] not in a valid state for account {Fleet.Account}");
        if ((instance.PlatformType is "Windows") != (document is "AWS-RunPowerShellScript") && document.StartsWith("AWS-Run", StringComparison.Ordinal) && document is not "AWS-RunRemoteScript")
            return AwsAnswer.Error(400, "UnsupportedPlatformType", "The document does not fit the platform.");
        var invocation = new FleetInvocation(fleet, instance, json) { Script = fleet.CommandScript(instance, Text(json, "Comment") ?? "") };
        fleet.Invocations.Enqueue(invocation);
        _ = Task.Run(invocation.RunAsync);
        return AwsAnswer.Json(new JsonObject
        {
            ["Command"] = new JsonObject
            {
                ["CommandId"] = invocation.CommandId,
                ["DocumentName"] = document,
                ["Comment"] = invocation.Comment,
                ["InstanceIds"] = new JsonArray(id),
                ["RequestedDateTime"] = Epoch(invocation.Sent),
                ["Status"] = "Pending",
                ["StatusDetails"] = "Pending",
                ["TargetCount"] = 1,
            },
        }.ToJsonString());
    }

    private AwsAnswer Cancel(JsonElement json)
    {
        if (fleet.Invocations.FirstOrDefault(i => i.CommandId == Text(json, "CommandId")) is not { } invocation)
            return AwsAnswer.Error(400, "InvalidCommandId", "");
        invocation.Cancel();
        return AwsAnswer.Json("{}");
    }

    private AwsAnswer List(JsonElement json)
    {
        var after = json.TryGetProperty("Filters", out var filters)
            ? filters.EnumerateArray().Where(f => Text(f, "key") == "InvokedAfter").Select(f => DateTime.Parse(Text(f, "value")!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal)).FirstOrDefault()
            : default;
        var found = fleet.Invocations.Where(i => i.IsVisible && i.Sent >= after
            && (Text(json, "CommandId") is not { } command || command == i.CommandId)
            && (Text(json, "InstanceId") is not { } instance || instance == i.Instance.Id)).Reverse().ToList();
        var from = Text(json, "NextToken") is { } token ? int.Parse(token, CultureInfo.InvariantCulture) : 0;
        var size = Math.Min(fleet.PageSize, json.TryGetProperty("MaxResults", out var max) ? max.GetInt32() : 50);
        var answer = new JsonObject { ["CommandInvocations"] = new JsonArray([.. found.Skip(from).Take(size).Select(Describe)]) };
        if (from + size < found.Count)
            answer["NextToken"] = (from + size).ToString(CultureInfo.InvariantCulture);
        return AwsAnswer.Json(answer.ToJsonString());
    }

    private static JsonNode Describe(FleetInvocation i) => new JsonObject
    {
        ["CommandId"] = i.CommandId,
        ["InstanceId"] = i.Instance.Id,
        ["Comment"] = i.Comment,
        ["DocumentName"] = i.Document,
        ["RequestedDateTime"] = Epoch(i.Sent),
        ["Status"] = i.Status,
        ["StatusDetails"] = i.Details,
        ["CommandPlugins"] = new JsonArray([.. i.Plugins.Select(name => (JsonNode)new JsonObject
        {
            ["Name"] = name,
            ["Status"] = name == i.Deciding ? i.Status : "Success",
            ["StatusDetails"] = name == i.Deciding ? i.Details : "Success",
            ["ResponseCode"] = name == i.Deciding ? i.ExitCode : 0,
            ["Output"] = name == i.Deciding ? i.Output[..Math.Min(i.Output.Length, 2500)] : name is "downloadContent" ? "Content downloaded." : $"Step execution skipped due to incompatible platform. Step name: {name}",
        })]),
    };

    private AwsAnswer Get(JsonElement json)
    {
        if (fleet.Invocations.FirstOrDefault(i => i.CommandId == Text(json, "CommandId") && i.Instance.Id == Text(json, "InstanceId") && i.IsVisible) is not { } i)
            return AwsAnswer.Error(400, "InvocationDoesNotExist", "");
        var plugin = Text(json, "PluginName");
        if (i.Plugins.Count > 1 && plugin is null)
            return AwsAnswer.Error(400, "InvalidPluginName", "");
        var isLast = plugin is null || plugin == i.Deciding;
        return AwsAnswer.Json(new JsonObject
        {
            ["CommandId"] = i.CommandId,
            ["InstanceId"] = i.Instance.Id,
            ["DocumentName"] = i.Document,
            ["PluginName"] = plugin ?? i.Plugins[0],
            ["ResponseCode"] = isLast ? i.ExitCode : 0,
            ["Status"] = i.Status,
            ["StatusDetails"] = i.Details,
            ["StandardOutputContent"] = isLast ? Start(i.Output, 24000) : "",
            ["StandardErrorContent"] = isLast ? Start(i.Error, 8000) : "",
        }.ToJsonString());
    }

    // The first characters, and the agent's own words for the rest (amazon-ssm-agent, agent/framework/processor/executer/iohandler).
    private static string Start(string text, int most)
    {
        const string Rest = "--output truncated--";
        return text.Length <= most ? text : text[..(most - Rest.Length)] + Rest;
    }

    private AwsAnswer Information(JsonElement json)
    {
        var ids = json.TryGetProperty("Filters", out var filters)
            ? filters.EnumerateArray().Where(f => Text(f, "Key") == "InstanceIds").SelectMany(f => f.GetProperty("Values").EnumerateArray().Select(v => v.GetString()!)).ToHashSet(StringComparer.Ordinal)
            : null;
        var found = fleet.Instances.Values.Where(i => i.HasAgent && i.LastPing is not null && ids?.Contains(i.Id) != false).OrderBy(i => i.Id, StringComparer.Ordinal).ToList();
        var from = Text(json, "NextToken") is { } token ? int.Parse(token, CultureInfo.InvariantCulture) : 0;
        var size = Math.Min(fleet.PageSize, json.TryGetProperty("MaxResults", out var max) ? max.GetInt32() : 10);
        var answer = new JsonObject
        {
            ["InstanceInformationList"] = new JsonArray([.. found.Skip(from).Take(size).Select(i => (JsonNode)new JsonObject
            {
                ["InstanceId"] = i.Id,
                ["PingStatus"] = i.PingStatus,
                ["LastPingDateTime"] = Epoch(i.LastPing!.Value),
                ["AgentVersion"] = "3.3.0.0",
                ["PlatformType"] = i.PlatformType,
                ["ResourceType"] = "EC2Instance",
            })]),
        };
        if (from + size < found.Count)
            answer["NextToken"] = (from + size).ToString(CultureInfo.InvariantCulture);
        return AwsAnswer.Json(answer.ToJsonString());
    }
}
