using System.Text.Json;
using System.Text.Json.Serialization;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Atlassian;

/// <summary>
/// An export that is under way, kept in the store until its run is committed: a process that was killed is followed by one that goes on, waits for the same
/// export and continues the same upload, because the key is the same.
/// </summary>
internal sealed record PendingExport
{
    /// <summary>When it was asked for or taken over: the time in its key.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>How it came about: <c>requested</c> or <c>adopted</c>.</summary>
    public required string Trigger { get; init; }

    /// <summary>Jira's task, or null.</summary>
    public string? TaskId { get; init; }

    /// <summary>The file, once it is known.</summary>
    public string? FileId { get; init; }

    /// <summary>The file that the site had before: not what is waited for.</summary>
    public string? FormerFileId { get; init; }

    /// <summary>The time that one had.</summary>
    public DateTimeOffset? FormerTime { get; init; }

    /// <summary>The task that there was before.</summary>
    public string? FormerTaskId { get; init; }

    /// <summary>Whether that one had failed.</summary>
    public bool FormerFailed { get; init; }

    /// <summary>Whether attachments were asked for.</summary>
    public bool IncludeAttachments { get; init; }

    /// <summary>The export that was there before.</summary>
    [JsonIgnore]
    public ExportState Former => new(ExportPhase.None) { TaskId = FormerTaskId, FileId = FormerFileId, Time = FormerTime };
}

/// <summary>Where <see cref="PendingExport"/>s are kept: <c>_catalog/pending/{system}/{source}.json</c>.</summary>
internal sealed class PendingExports(IObjectStore store, string system, string source, ILogger? logger)
{
    private const int MaxSize = 64 << 10;

    private string Key => $"_catalog/pending/{system}/{source}.json";

    /// <summary>What is under way, or null.</summary>
    public async Task<PendingExport?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var content = await store.ReadAsync(Key, null, cancellationToken);
            if (content.Object.Size > MaxSize)
                return null;
            return await JsonSerializer.DeserializeAsync(content.Stream, PendingJson.Default.PendingExport, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            return null;
        }
        catch (JsonException exception)
        {
            logger?.LogWarning("The note of an export that is under way, '{Key}', cannot be read and is left out: {Reason}", Key, exception.Message);
            return null;
        }
    }

    /// <summary>Keeps what is under way.</summary>
    public Task WriteAsync(PendingExport pending, CancellationToken cancellationToken) =>
        CatalogDocument.WriteAsync(store, Key, pending, PendingJson.Default.PendingExport, onlyIfAbsent: false, cancellationToken);

    /// <summary>Nothing is under way any more.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await foreach (var result in store.DeleteAsync(new[] { Key }.ToAsyncEnumerable(), cancellationToken))
        {
            if (result.Failure is { } failure)
                logger?.LogWarning("The note of an export that is done, '{Key}', was not removed: {Reason}", Key, failure.Message);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PendingExport))]
internal sealed partial class PendingJson : JsonSerializerContext;
