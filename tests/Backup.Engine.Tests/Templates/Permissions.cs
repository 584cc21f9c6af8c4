using System.Text.Json.Nodes;

namespace Backup.Engine.Tests.Templates;

/// <summary>What a template's policies say.</summary>
internal static class Permissions
{
    /// <summary>Actions that know no resources (https://docs.aws.amazon.com/service-authorization/latest/reference/).</summary>
    public static IReadOnlyList<string> WithoutResources { get; } =
    [
        "ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeTags", "ssm:DescribeInstanceInformation", "ssm:ListCommands", "ssm:ListCommandInvocations", "ssm:GetCommandInvocation", "ssm:CancelCommand",
        "backup:DescribeBackupJob", "backup:StopBackupJob", "autoscaling:DescribeAutoScalingInstances",
    ];

    /// <summary>Every statement of a template, those within conditions included.</summary>
    public static IEnumerable<JsonObject> Statements(string template) => Find(Template.Read(template)["Resources"]);

    /// <summary>The statements of a role: its own, and those of policies that are attached to it.</summary>
    public static IEnumerable<JsonObject> StatementsOf(string template, string role) => Template.Read(template)["Resources"]!.AsObject()
        .Where(r => r.Key == role || r.Value!["Properties"]?["Roles"]?.ToJsonString().Contains($"\"{role}\"", StringComparison.Ordinal) is true)
        .SelectMany(r => Find(r.Value!["Properties"]!["Policies"] ?? r.Value["Properties"]!["PolicyDocument"]));

    /// <summary>The actions of a statement.</summary>
    public static IEnumerable<string> Actions(JsonObject statement) => statement["Action"] is JsonArray many ? many.Select(a => (string)a!) : [(string)statement["Action"]!];

    private static IEnumerable<JsonObject> Find(JsonNode? node) => node switch
    {
        JsonObject statement when statement.ContainsKey("Effect") && statement.ContainsKey("Resource") => [statement],
        JsonObject map => map.SelectMany(pair => Find(pair.Value)),
        JsonArray list => list.SelectMany(Find),
        _ => [],
    };
}
