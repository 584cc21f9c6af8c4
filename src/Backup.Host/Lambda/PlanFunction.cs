using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.Engine;
using Backup.Engine.Plans;
using Microsoft.Extensions.Logging;

namespace Backup.Host.Lambda;

/// <summary>Runs a plan. It is read anew each time, so that it may be changed. The event may name jobs: <c>{"jobs":["documents"]}</c>; others are ignored, as a schedule's own is.</summary>
internal sealed class PlanFunction(LambdaLog log) : IFunction
{
    private readonly string _place = FunctionSettings.Required("BACKUP_PLAN");

    /// <inheritdoc/>
    public async Task<JsonNode> HandleAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var options = new PlanRunOptions
        {
            Plan = await PlanSource.LoadAsync(_place, new() { Logger = log.Logger }, cancellationToken),
            Jobs = Jobs(invocation.Event),
            Logger = log.Logger,
        };
        var tally = new FunctionTally("jobs");
        await foreach (var result in PlanRun.RunAsync(options, cancellationToken: cancellationToken))
        {
            foreach (var warning in result.Warnings)
                log.Write(LogLevel.Warning, $"{result.Name}: {warning}");
            log.Write(result.Outcome == Outcome.Failed ? LogLevel.Error : LogLevel.Information, $"{result.Name}: {result.Outcome}. {result.Reason}".TrimEnd(), result);
            tally.Add(result.Name, result.Outcome, result.Bytes, result.Kind, result.Reason, result.Advice);
        }

        return tally.ToAnswer();
    }

    private static List<string>? Jobs(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("jobs", out var jobs))
                return null;
            if (jobs.ValueKind == JsonValueKind.Array && jobs.EnumerateArray().All(job => job.ValueKind == JsonValueKind.String) && jobs.GetArrayLength() > 0)
                return [.. jobs.EnumerateArray().Select(job => job.GetString()!)];
            // What is misspelt must not run everything.
            throw new BackupException(FailureKind.InvalidInput, "The event's 'jobs' are no list of names.", "Give {\"jobs\":[\"name\"]}, or no 'jobs' for all of them.");
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.InvalidInput, "The event is not JSON.", "Give {} or {\"jobs\":[\"name\"]}.", exception);
        }
    }
}
