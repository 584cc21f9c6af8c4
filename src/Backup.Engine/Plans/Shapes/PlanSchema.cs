using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Folders;

namespace Backup.Engine.Plans;

/// <summary>
/// The JSON Schema of plans, made of the shapes that the reader checks with. Draft 7, since editors and PowerShell's Test-Json know it.
/// Two rules are the reader's alone, because a schema has no words for them: names of jobs are unique, and a file has a size.
/// </summary>
internal static class PlanSchema
{
    /// <summary>The schema.</summary>
    public static JsonObject Create()
    {
        var definitions = new JsonObject();
        Define(PlanShapes.Plan, definitions);
        definitions["config"] = OfConfig();
        return new()
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["$comment"] = "Made of the engine's own table of properties; a test holds the two together.",
            ["title"] = "Backup plan of AtlassianBackup",
            ["description"] = "What Invoke-BackupPlan and Test-BackupPlan read. A config.json of Matricula Backup is one, too.",
            ["if"] = new JsonObject { ["required"] = Names(["backup"]), ["not"] = new JsonObject { ["required"] = Names(["jobs"]) } },
            ["then"] = Reference("config"),
            ["else"] = Reference(PlanShapes.Plan.Name),
            ["definitions"] = definitions,
        };
    }

    private static JsonObject Define(PlanShape shape, JsonObject definitions)
    {
        if (definitions.ContainsKey(shape.Name))
            return Reference(shape.Name);
        var schema = new JsonObject { ["description"] = shape.Description, ["type"] = "object" };
        definitions[shape.Name] = schema;
        var properties = new JsonObject();
        foreach (var property in shape.Properties)
            properties[property.Name] = ValueOf(property, definitions);
        schema["properties"] = properties;
        if (shape.Properties.Where(property => property.IsRequired).Select(property => property.Name).ToList() is { Count: > 0 } required)
            schema["required"] = Names(required);
        if (shape.Resolve is null)
            Close(schema, shape);
        else
            // Each kind of job is closed by itself.
            schema["allOf"] = new JsonArray([.. PlanSystems.All.Select(system => Branch(system, definitions))]);
        return Reference(shape.Name);
    }

    private static JsonObject Branch(PlanSystem system, JsonObject definitions) => new()
    {
        ["if"] = new JsonObject { ["properties"] = new JsonObject { ["system"] = new JsonObject { ["const"] = system.Name } }, ["required"] = Names(["system"]) },
        ["then"] = Define(PlanShapes.JobOf(system), definitions),
    };

    private static void Close(JsonObject schema, PlanShape shape)
    {
        schema["additionalProperties"] = false;
        var all = new JsonArray();
        if (shape.AnyOf.Count > 0)
            all.Add(new JsonObject { ["anyOf"] = new JsonArray([.. shape.AnyOf.Select(name => new JsonObject { ["required"] = Names([name]) })]) });
        foreach (var (one, other) in shape.Excludes)
            all.Add(new JsonObject { ["not"] = new JsonObject { ["required"] = Names([one, other]) } });
        if (all.Count > 0)
            schema["allOf"] = all;
        if (shape.Needs.Count > 0)
            schema["dependencies"] = new JsonObject([.. shape.Needs.Select(need => KeyValuePair.Create(need.Property, (JsonNode?)Names(need.Others)))]);
    }

    private static JsonObject ValueOf(PlanProperty property, JsonObject definitions)
    {
        var schema = property.Type switch
        {
            PlanType.Flag => new JsonObject { ["type"] = "boolean" },
            PlanType.Whole => Bounded("integer", property),
            PlanType.Number => Bounded("number", property),
            PlanType.Id => new JsonObject { ["anyOf"] = new JsonArray(TextOf(property), new JsonObject { ["type"] = "integer", ["minimum"] = 0 }) },
            PlanType.Texts => OneOrSeveral(property),
            PlanType.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = OneOrSeveral(property) },
            // Beside a reference draft 7 ignores everything else, the description included.
            PlanType.Object => new JsonObject { ["allOf"] = new JsonArray(Define(property.Shape!, definitions)) },
            PlanType.TextOrObject => new JsonObject { ["anyOf"] = new JsonArray(TextOf(property), Define(property.Shape!, definitions)) },
            PlanType.Objects => new JsonObject { ["type"] = "array", ["minItems"] = 1, ["maxItems"] = PlanLimits.MaxJobs, ["items"] = Define(property.Shape!, definitions) },
            _ => TextOf(property),
        };
        schema["description"] = property.Description;
        if (property.Default is { } value)
            schema["default"] = value switch { bool flag => flag, int number => number, _ => (JsonNode)value.ToString()! };
        return schema;
    }

    private static JsonObject OneOrSeveral(PlanProperty property) => new()
    {
        ["anyOf"] = new JsonArray(TextOf(property), new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = TextOf(property) }),
    };

    private static JsonObject TextOf(PlanProperty property)
    {
        var schema = new JsonObject { ["type"] = "string" };
        var pattern = property.Type switch
        {
            PlanType.Span => PlanForms.Span,
            PlanType.Address => PlanForms.Address,
            PlanType.Secret => PlanForms.Secret,
            _ => property.Pattern,
        };
        if (property.Choices is { } choices)
            schema["enum"] = Names(choices);
        else if (pattern is not null)
            schema["pattern"] = pattern;
        else if (!property.MayBeEmpty)
            schema["minLength"] = 1;
        return schema;
    }

    private static JsonObject Bounded(string type, PlanProperty property)
    {
        var schema = new JsonObject { ["type"] = type };
        if (property.Min is { } min)
            schema["minimum"] = min;
        if (property.Max is { } max)
            schema["maximum"] = max;
        return schema;
    }

    private static JsonObject OfConfig()
    {
        var schema = OfType(SyncConfigJson.Default.SyncConfig);
        schema["description"] = "A config.json as Matricula Backup reads it.";
        var backup = (JsonObject)schema["properties"]!["backup"]!;
        backup["type"] = "object";
        JsonObject Some(string name) => new() { ["required"] = Names([name]), ["properties"] = new JsonObject { [name] = new JsonObject { ["type"] = "array", ["minItems"] = 1 } } };
        backup["anyOf"] = new JsonArray(Some("folders"), Some("roots"));
        schema["required"] = Names(["backup"]);
        return schema;
    }

    private static JsonObject OfType(JsonTypeInfo type) => type.Kind switch
    {
        JsonTypeInfoKind.Object => new()
        {
            ["type"] = Names(["object", "null"]),
            ["properties"] = new JsonObject([.. type.Properties.Where(property => property.Set is not null || property.AssociatedParameter is not null).Select(property => KeyValuePair.Create(property.Name, (JsonNode?)OfType(type.Options.GetTypeInfo(property.PropertyType))))]),
            ["additionalProperties"] = false,
        },
        JsonTypeInfoKind.Enumerable => new() { ["type"] = Names(["array", "null"]), ["items"] = new JsonObject { ["type"] = "string" } },
        JsonTypeInfoKind.Dictionary => new() { ["type"] = Names(["object", "null"]), ["additionalProperties"] = new JsonObject { ["type"] = "string" } },
        _ => new() { ["type"] = Names(["string", "null"]) },
    };

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/definitions/{name}" };

    private static JsonArray Names(IEnumerable<string> names) => [.. names.Select(name => JsonValue.Create(name))];
}
