using System.Text;
using System.Text.Json;

namespace Backup.Engine.Maven;

/// <summary>
/// A "CodeArtifact Package Version State Change" of EventBridge (https://docs.aws.amazon.com/codeartifact/latest/ug/service-event-format-example.html).
/// It only says which version to look at: what is backed up is what the repository has now, so events may come twice, late and in any order.
/// </summary>
/// <param name="Id">The version.</param>
/// <param name="State">Its status when the event was made.</param>
/// <param name="Revision">Its revision then, or null.</param>
internal sealed record CodeArtifactEvent(PackageVersionId Id, string? State, string? Revision)
{
    private const string DetailType = "CodeArtifact Package Version State Change";

    /// <summary>Reads events: alone, several in a row, in arrays, or wrapped by SQS or SNS.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where it is none of these.</exception>
    public static IReadOnlyList<CodeArtifactEvent> Parse(string text)
    {
        var events = new List<CodeArtifactEvent>();
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { AllowMultipleValues = true, CommentHandling = JsonCommentHandling.Skip });
            while (reader.Read())
            {
                using var document = JsonDocument.ParseValue(ref reader);
                Collect(document.RootElement, events);
            }
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.InvalidInput, $"The event is not JSON (line {exception.LineNumber + 1}).", "Give an EventBridge event as it was delivered.", exception);
        }

        return events.Count > 0 ? events : throw new BackupException(FailureKind.InvalidInput, "There is no event in what was given.", "Give an EventBridge event as it was delivered.");
    }

    private static void Collect(JsonElement element, List<CodeArtifactEvent> events)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Collect(item, events);
                return;
            // A message in a message is JSON in a string.
            case JsonValueKind.String when element.GetString() is { } inner && inner.AsSpan().TrimStart() is ['{' or '[', ..]:
                events.AddRange(Parse(inner));
                return;
            case JsonValueKind.Object when Wrapped(element) is { } wrapped:
                Collect(wrapped, events);
                return;
            case JsonValueKind.Object:
                events.Add(Read(element));
                return;
            default:
                throw new BackupException(FailureKind.InvalidInput, "The event is not a JSON object.", "Give an EventBridge event as it was delivered.");
        }
    }

    // Lambda's Records of SQS (body) and SNS (Sns.Message); a message that was received from a queue (Body) or from a topic (Message).
    private static JsonElement? Wrapped(JsonElement element)
    {
        foreach (var name in (string[])["Records", "Messages", "Sns", "body", "Body", "Message"])
        {
            if (!element.TryGetProperty("detail", out _) && element.TryGetProperty(name, out var inner))
                return inner;
        }

        return null;
    }

    private static CodeArtifactEvent Read(JsonElement element)
    {
        if (Text(element, "detail-type") is not { } type || type != DetailType || !element.TryGetProperty("detail", out var detail) || detail.ValueKind != JsonValueKind.Object)
            throw new BackupException(FailureKind.InvalidInput, $"The event is not a '{DetailType}'{(Text(element, "detail-type") is { } other ? $" but a '{other}'" : "")}.", "Give the rule that pattern: source aws.codeartifact, and this detail-type.");
        var id = new PackageVersionId
        {
            Domain = Required(detail, "domainName"),
            DomainOwner = Text(detail, "domainOwner") is { Length: 12 } owner && owner.All(char.IsAsciiDigit) ? owner : null,
            Repository = Required(detail, "repositoryName"),
            Format = Required(detail, "packageFormat"),
            Namespace = Text(detail, "packageNamespace"),
            Package = Required(detail, "packageName"),
            Version = Required(detail, "packageVersion"),
        };
        return new(id, Text(detail, "packageVersionState"), Text(detail, "packageVersionRevision"));
    }

    private static string Required(JsonElement detail, string name) =>
        Text(detail, name) ?? throw new BackupException(FailureKind.InvalidInput, $"The event has no detail.{name}.", "Give an EventBridge event as it was delivered.");

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
