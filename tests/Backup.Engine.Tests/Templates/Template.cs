using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Backup.Engine.Tests.Templates;

/// <summary>What ships in <c>module/</c>, read as a user's tools read it.</summary>
internal static class Template
{
    /// <summary>The repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The CloudFormation templates, by file name.</summary>
    public static IEnumerable<string> Names => Directory.GetFiles(Path.Combine(Root, "module", "templates"), "*.yaml").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    /// <summary>The SSM documents, by name.</summary>
    public static IEnumerable<string> Documents => Directory.GetFiles(Path.Combine(Root, "module", "documents"), "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal);

    /// <summary>Where a template is.</summary>
    public static string PathOf(string name) => Path.Combine(Root, "module", "templates", name);

    /// <summary>A template as JSON, its short functions written out.</summary>
    public static JsonObject Read(string name) => Parse(File.ReadAllText(PathOf(name)));

    /// <summary>A document as JSON.</summary>
    public static JsonObject ReadDocument(string name) => Parse(File.ReadAllText(Path.Combine(Root, "module", "documents", name + ".yaml")));

    /// <summary>A template's resources of a type, by logical id.</summary>
    public static IEnumerable<(string Id, JsonObject Properties)> Resources(string name, string type) =>
        from resource in Read(name)["Resources"]!.AsObject()
        where (string?)resource.Value!["Type"] == type
        select (resource.Key, resource.Value["Properties"]!.AsObject());

    /// <summary>A state machine's definition with its substitutions made.</summary>
    public static JsonObject Definition(string name, string id)
    {
        var text = Resources(name, "AWS::StepFunctions::StateMachine").Single(r => r.Id == id).Properties["Definition"]!.ToJsonString();
        foreach (var (variable, value) in new[]
        {
            ("Partition", "aws"), ("Region", "eu-central-1"), ("Account", "123456789012"), ("ScriptBucketName", "scripts"), ("NotificationTopicArn", "arn:aws:sns:eu-central-1:123456789012:failures"),
            ("FunctionName", "backup"), ("BackupBucketName", "backups"), ("ItemsBucketName", "items"),
        })
        {
            text = text.Replace($"${{{variable}}}", value, StringComparison.Ordinal);
        }

        text.ShouldNotContain("${");
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>All states of a machine, those within Maps included.</summary>
    public static IEnumerable<KeyValuePair<string, JsonObject>> States(JsonObject machine) =>
        machine["States"]!.AsObject().SelectMany(state => States(state.Value!["ItemProcessor"] as JsonObject ?? JsonNode.Parse("""{"States":{}}""")!.AsObject())
            .Prepend(new(state.Key, state.Value.AsObject())));

    private static JsonObject Parse(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return Convert(stream.Documents[0].RootNode)!.AsObject();
    }

    private static JsonNode? Convert(YamlNode node)
    {
        var tag = node.Tag.IsEmpty || node.Tag.IsNonSpecific ? "" : node.Tag.Value;
        var value = node switch
        {
            YamlMappingNode map => new JsonObject(map.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, Convert(pair.Value)))),
            YamlSequenceNode list => new JsonArray([.. list.Children.Select(Convert)]),
            YamlScalarNode scalar => Scalar(scalar),
            _ => throw new NotSupportedException(node.NodeType.ToString()),
        };
        return tag switch
        {
            "" => value,
            "!Ref" => new JsonObject { ["Ref"] = value },
            "!Condition" => new JsonObject { ["Condition"] = value },
            "!GetAtt" => new JsonObject { ["Fn::GetAtt"] = new JsonArray([.. ((string)value!).Split('.', 2).Select(part => (JsonNode)part)]) },
            _ => new JsonObject { ["Fn::" + tag[1..]] = value },
        };
    }

    private static JsonNode? Scalar(YamlScalarNode scalar) => scalar switch
    {
        { Style: not ScalarStyle.Plain } => scalar.Value,
        { Value: "" or "null" or "~" } => null,
        { Value: "true" or "True" } => true,
        { Value: "false" or "False" } => false,
        _ when long.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        _ when double.TryParse(scalar.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) => number,
        _ => scalar.Value,
    };

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Backup.sln")))
                return directory.FullName;
        }

        throw new InvalidOperationException("These tests run from within the repository.");
    }
}
