using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.Engine;
using Backup.Engine.Maven;
using Backup.Host.Output;
using Microsoft.Extensions.Logging;

namespace Backup.Host.Lambda;

/// <summary>
/// Backs up the package versions that an event names. The event is a batch of SQS messages with EventBridge events of CodeArtifact in them, one such event as it
/// is, or a batch of a Distributed Map: <c>{"Items":[{"package":"group:artifact","version":"1.0"}]}</c>, where no version means all of them.
/// </summary>
internal sealed class PackageFunction(LambdaLog log) : IFunction
{
    private readonly MavenBackupOptions _options = new()
    {
        Destination = FunctionSettings.Text("BACKUP_DESTINATION") is not null ? FunctionSettings.Store("BACKUP_DESTINATION") : Engine.Stores.StoreLocation.ForBucket(FunctionSettings.Required("DESTINATION_BUCKET")),
        Store = new() { Logger = log.Logger },
        Domain = FunctionSettings.Text("DOMAIN_NAME"),
        DomainOwner = FunctionSettings.Text("DOMAIN_OWNER"),
        Repository = FunctionSettings.Text("REPOSITORY_NAME"),
        RequestRate = FunctionSettings.Number("REQUEST_RATE") ?? CodeArtifactSource.DefaultRequestRate,
        Logger = log.Logger,
    };

    /// <inheritdoc/>
    public async Task<JsonNode> HandleAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        using var document = Read(invocation.Event);
        var root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Object && Property(root, "Items") is { ValueKind: JsonValueKind.Array } items)
            return await BackUpAsync(Listed(items), cancellationToken);
        if (root.ValueKind == JsonValueKind.Object && Property(root, "Records") is { ValueKind: JsonValueKind.Array } records && records.EnumerateArray().Any() && records.EnumerateArray().All(IsMessage))
            return await HandleMessagesAsync(records, cancellationToken);
        return await BackUpAsync([_options with { Events = [invocation.Event] }], cancellationToken);
    }

    private static JsonDocument Read(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.InvalidInput, "The event is not JSON.", "Give an event of CodeArtifact, messages of SQS that hold one, or {\"Items\":[…]}.", exception);
        }
    }

    /// <summary>
    /// Messages of a queue: each that failed is named, and comes again. Its queue needs ReportBatchItemFailures, as the template has it.
    /// Shape: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting.
    /// </summary>
    private async Task<JsonNode> HandleMessagesAsync(JsonElement records, CancellationToken cancellationToken)
    {
        var failed = new JsonArray();
        foreach (var record in records.EnumerateArray())
        {
            try
            {
                await BackUpAsync([_options with { Events = [record.GetProperty("body").GetString()!] }], cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || cancellationToken.IsCancellationRequested)
            {
                // What there was no time for comes again too.
                log.Write(exception is OperationCanceledException
                    ? new(FailureKind.TimedOut, "There was no time left for a message.", "It comes again.", exception)
                    : BackupException.From(exception));
                failed.Add((JsonNode)new JsonObject { ["itemIdentifier"] = record.GetProperty("messageId").GetString() });
            }
        }

        return new JsonObject { ["batchItemFailures"] = failed };
    }

    /// <summary>Items of a list: the versions of a package together, so that it is listed once.</summary>
    private IEnumerable<MavenBackupOptions> Listed(JsonElement items)
    {
        if (_options.Domain is null || _options.Repository is null)
            throw new BackupException(FailureKind.InvalidInput, "Items say which packages, and not of which repository.", "Set the environment variables DOMAIN_NAME and REPOSITORY_NAME.");
        var rows = items.EnumerateArray().Select((item, index) => (
            Package: Text(item, "package") ?? throw new BackupException(FailureKind.InvalidInput, $"Item {index + 1} names no package.", "Give the list a column 'package' with group:artifact, and 'version' where single versions are meant."),
            Version: Text(item, "version"))).ToList();
        return rows.GroupBy(row => row.Package, StringComparer.Ordinal).Select(package => _options with
        {
            Packages = [package.Key],
            Versions = package.Any(row => row.Version is null) ? [] : [.. package.Select(row => row.Version!).Distinct(StringComparer.Ordinal)],
        });
    }

    private async Task<JsonNode> BackUpAsync(IEnumerable<MavenBackupOptions> runs, CancellationToken cancellationToken)
    {
        var tally = new FunctionTally("package versions");
        foreach (var run in runs.ToList())
        {
            await foreach (var output in MavenBackup.RunAsync(run, cancellationToken: cancellationToken))
            {
                var name = output is PackageVersionResult version ? $"{version.Package}:{version.Version}" : output.Repository;
                log.Write(output.Outcome == Outcome.Failed ? LogLevel.Error : LogLevel.Information, $"{name}: {output.Outcome}. {output.Reason}".TrimEnd(), output);
                tally.Add(name, output.Outcome, output.Bytes, output.Kind, output.Reason, output.Advice);
            }
        }

        return tally.ToAnswer();
    }

    private static bool IsMessage(JsonElement record) => record.ValueKind == JsonValueKind.Object && Text(record, "messageId") is not null && Text(record, "body") is not null;

    // Columns of a list are written by people.
    private static JsonElement? Property(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name.Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                return property.Value;
        }

        return null;
    }

    private static string? Text(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.String } value && value.GetString() is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
}
