using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.Engine.Plans;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Templates;

namespace Backup.Engine.Tests.Plans;

/// <summary>The schema that ships and the reader say the same. Python's jsonschema, which others wrote, is asked what the schema says.</summary>
public sealed class PlanSchemaTests
{
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void The_schema_that_ships_is_the_readers()
    {
        var file = Path.Combine(Template.Root, "module", "schemas", "backup-plan.schema.json");
        var text = PlanSchema.Create().ToJsonString(Written).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("UPDATE_SCHEMA") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        File.ReadAllText(file).ReplaceLineEndings("\n").ShouldBe(text, "Run this test with UPDATE_SCHEMA=1.");
    }

    [Fact]
    public async Task Schema_and_reader_agree_on_every_property()
    {
        using var folder = new TemporaryDirectory();
        var cases = Cases().ToList();
        cases.Count.ShouldBeGreaterThan(800);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "cases.json"), new JsonArray([.. cases.Select(one => one.DeepClone())]).ToJsonString(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "check.py"), """
            import json, sys
            try:
                from jsonschema import Draft7Validator
            except ImportError:
                sys.exit(77)
            schema = json.load(open(sys.argv[1]))
            Draft7Validator.check_schema(schema)
            validator = Draft7Validator(schema)
            print(json.dumps([validator.is_valid(one) for one in json.load(open(sys.argv[2]))]))
            """, TestContext.Current.CancellationToken);
        var answer = await PeerProgram.RunAsync("python3", [Path.Combine(folder.Path, "check.py"), Path.Combine(Template.Root, "module", "schemas", "backup-plan.schema.json"), Path.Combine(folder.Path, "cases.json")]);
        Assert.SkipWhen(answer.ExitCode == 77, "python3 has no jsonschema: pip install jsonschema.");
        var verdicts = JsonSerializer.Deserialize<bool[]>(answer.Succeeded())!;

        for (var i = 0; i < cases.Count; i++)
            Reads(cases[i], out var why).ShouldBe(verdicts[i], $"{cases[i].ToJsonString()}\n{why}");
        verdicts.Count(valid => valid).ShouldBeGreaterThan(200);
        verdicts.Count(valid => !valid).ShouldBeGreaterThan(400);
    }

    private static bool Reads(JsonNode plan, out string? why)
    {
        try
        {
            PlanFile.Parse(System.Text.Encoding.UTF8.GetBytes(plan.ToJsonString()), "plan.json", Path.GetTempPath());
            why = null;
            return true;
        }
        catch (PlanException exception)
        {
            why = exception.Message;
            return false;
        }
    }

    // Every property of every object, with each kind of value in its place, one at a time; and each object without each of its properties.
    private static IEnumerable<JsonObject> Cases()
    {
        foreach (var (shape, place) in Places())
        {
            yield return place(shape.Properties.Count == 0 ? [] : Least(shape));
            foreach (var property in shape.Properties)
            {
                foreach (var value in Values(property))
                {
                    var with = Least(shape);
                    with[property.Name] = value;
                    yield return place(with);
                }

                var without = Least(shape);
                without.Remove(property.Name);
                yield return place(without);
                foreach (var other in shape.Properties.Where(other => other != property))
                {
                    var both = Least(shape);
                    both[property.Name] = Good(property);
                    both[other.Name] = Good(other);
                    yield return place(both);
                }
            }

            var unknown = Least(shape);
            unknown["unknown"] = 1;
            yield return place(unknown);
        }
    }

    private static IEnumerable<(PlanShape Shape, Func<JsonObject, JsonObject> Place)> Places()
    {
        yield return (PlanShapes.Plan, static plan => plan);
        foreach (var system in PlanSystems.All)
        {
            var shape = PlanShapes.JobOf(system);
            yield return (shape, job => new() { ["jobs"] = new JsonArray(job) });
            foreach (var property in shape.Properties.Where(property => property.Shape is not null))
            {
                yield return (property.Shape!, inner =>
                {
                    var job = Least(shape);
                    job[property.Name] = inner;
                    return new() { ["jobs"] = new JsonArray(job) };
                });
            }
        }

        var notifications = PlanShapes.Plan["notifications"]!.Shape!;
        yield return (notifications, inner => WithNotifications(inner));
        foreach (var channel in notifications.Properties)
            yield return (channel.Shape!, inner => WithNotifications(new() { [channel.Name] = inner }));
    }

    private static JsonObject WithNotifications(JsonObject notifications)
    {
        var plan = Least(PlanShapes.Plan);
        plan["notifications"] = notifications;
        return plan;
    }

    // What the rules of the shape ask for, and nothing else.
    private static JsonObject Least(PlanShape shape)
    {
        var value = new JsonObject();
        var wanted = new Queue<string>([.. shape.Properties.Where(property => property.IsRequired).Select(property => property.Name), .. shape.AnyOf.Take(1)]);
        while (wanted.TryDequeue(out var name))
        {
            if (value.ContainsKey(name))
                continue;
            value[name] = Good(shape[name]!);
            foreach (var other in shape.Needs.Where(need => need.Property == name).SelectMany(need => need.Others))
                wanted.Enqueue(other);
        }

        return value;
    }

    private static JsonNode Good(PlanProperty property) => property switch
    {
        { Choices: [var first, ..] } => first,
        { Type: PlanType.Flag } => true,
        { Type: PlanType.Whole or PlanType.Number } => (long)(property.Min ?? 1),
        { Type: PlanType.Span } => "26h",
        { Type: PlanType.Address } => "https://example.com/api",
        { Type: PlanType.Secret } => "env:SECRET",
        { Type: PlanType.Map } => new JsonObject { ["a"] = "b", ["c"] = new JsonArray("d", "e") },
        { Type: PlanType.Object or PlanType.TextOrObject } => Least(property.Shape!),
        { Type: PlanType.Objects } => new JsonArray(new JsonObject { ["name"] = "one", ["system"] = "folders", ["path"] = "/srv" }),
        { Name: "name" } => "one",
        { Name: "keep" } => "7d4w12m",
        { Name: "shard" } => "1/4",
        { Name: "since" } => "2026-01-31",
        { Name: "domainOwner" } => "012345678901",
        { Name: "topicArn" } => "arn:aws:sns:eu-central-1:123456789012:backup",
        { Name: "instanceId" } => "i-0123456789abcdef0",
        _ => "text",
    };

    private static IEnumerable<JsonNode?> Values(PlanProperty property) =>
    [
        Good(property),
        null,
        true,
        0,
        1,
        -1,
        1.5,
        10_000_000_000,
        "",
        " ",
        "text",
        "true",
        "1",
        "7d",
        "0d",
        "1.5h",
        "1.h",
        "00:00:00",
        "23:59:59",
        "1.02:03:04",
        "24:00:00",
        "7d7d",
        "1y2l",
        "env:",
        "env:X",
        "ssm:/x y",
        "ENV:X",
        "https://example.com",
        "ftp://example.com",
        new JsonArray(),
        new JsonArray("text"),
        new JsonArray("maven", 1),
        new JsonArray(new JsonObject()),
        new JsonObject(),
        new JsonObject { ["unknown"] = "text" },
        new JsonObject { ["unknown"] = 1 },
    ];
}
