using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>
/// Journals in a store: entries at <c>_catalog/journals/prepost/{runId}/{number}.json</c>, each written only where there is none, so that of two
/// runners one has to give way; and, when a run is over, its report at <c>_catalog/journals/prepost/{runId}.json</c>.
/// </summary>
internal static class JournalReader
{
    private const string Root = "_catalog/journals/prepost/";
    private const string Ending = ".json";
    private const long MaxDocument = 16 << 20;
    private const int ReadsAtOnce = 8;

    public static string EntryKey(string runId, long number) => string.Create(CultureInfo.InvariantCulture, $"{Root}{runId}/{number:d6}{Ending}");

    public static string ReportKey(string runId) => $"{Root}{runId}{Ending}";

    /// <summary>Reads a run's journal.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/>, or <see cref="FailureKind.Corrupt"/> where an entry is missing or damaged.</exception>
    public static async Task<JournalState> ReadAsync(IObjectStore store, string runId, CancellationToken cancellationToken)
    {
        if (runId.Length == 0 || !runId.All(char.IsAsciiHexDigit))
            throw new BackupException(FailureKind.InvalidInput, $"'{runId}' is no run id.", "Run ids are 12 hexadecimal digits: Get-PrePostBackup lists them.");
        if (await store.HeadAsync(ReportKey(runId), null, cancellationToken) is not null)
            return await ReadReportAsync(store, runId, cancellationToken);
        var keys = new List<string>();
        await foreach (var item in store.ListAsync($"{Root}{runId}/", cancellationToken))
            keys.Add(item.Key);
        return keys.Count == 0
            ? throw new BackupException(FailureKind.NotFound, $"'{store.Location}' has no EC2 backup run {runId}.", "Get-PrePostBackup lists the runs.")
            : await FoldAsync(store, runId, keys, cancellationToken);
    }

    /// <summary>Runs, newest first. A journal that is damaged is told of and left out, unless it was asked for: it must not hide the others.</summary>
    /// <param name="store">The store.</param>
    /// <param name="runIds">Only these, or null for all.</param>
    /// <param name="isOpen">Only those that are not over; their reports need not be read then.</param>
    /// <param name="logger">Is told, or null.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    public static async IAsyncEnumerable<JournalState> ListAsync(IObjectStore store, IReadOnlyList<string>? runIds, bool isOpen, ILogger? logger, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var entries = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var closed = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        await foreach (var item in store.ListAsync(Root, cancellationToken))
        {
            var name = item.Key[Root.Length..];
            var slash = name.IndexOf('/', StringComparison.Ordinal);
            var runId = slash >= 0 ? name[..slash] : name.EndsWith(Ending, StringComparison.Ordinal) ? name[..^Ending.Length] : "";
            if (runId.Length == 0 || runIds?.Contains(runId, StringComparer.OrdinalIgnoreCase) == false)
                continue;
            if (slash < 0)
                closed[runId] = item.LastModified;
            else if (entries.TryGetValue(runId, out var known))
                known.Add(item.Key);
            else
                entries[runId] = [item.Key];
        }

        var states = new ConcurrentBag<JournalState>();
        var wanted = entries.Keys.Union(closed.Keys, StringComparer.Ordinal).Where(runId => !isOpen || !closed.ContainsKey(runId));
        await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken }, async (runId, token) =>
        {
            try
            {
                states.Add(closed.ContainsKey(runId) ? await ReadReportAsync(store, runId, token) : await FoldAsync(store, runId, entries[runId], token));
            }
            catch (BackupException exception) when (runIds is null && exception.Kind is FailureKind.Corrupt or FailureKind.NotSupported)
            {
                logger?.LogWarning("{Reason} {Advice}", exception.Message, exception.Advice);
            }
        });
        foreach (var state in states.OrderByDescending(state => state.Plan.Started))
            yield return state;
    }

    public static async Task<T> ReadAsync<T>(IObjectStore store, string key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await using var content = await store.ReadAsync(key, null, cancellationToken);
        if (content.Object.Size > MaxDocument)
            throw Damaged(key, $"it is {content.Object.Size} bytes long");
        try
        {
            using var document = await JsonDocument.ParseAsync(content.Stream, default, cancellationToken);
            if (document.RootElement.TryGetProperty("format", out var format) && format.TryGetInt32(out var number) && number > JournalEntry.CurrentFormat)
                throw new BackupException(FailureKind.NotSupported, $"The journal '{key}' has format {number}; this version reads up to {JournalEntry.CurrentFormat}.", "Update AtlassianBackup.");
            return document.Deserialize(type) ?? throw Damaged(key, "it is empty");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Damaged(key, exception.Message, exception);
        }
    }

    private static async Task<JournalState> ReadReportAsync(IObjectStore store, string runId, CancellationToken cancellationToken) =>
        await ReadAsync(store, ReportKey(runId), JournalJson.Default.JournalState, cancellationToken) with { IsClosed = true };

    private static async Task<JournalState> FoldAsync(IObjectStore store, string runId, List<string> keys, CancellationToken cancellationToken)
    {
        keys.Sort(StringComparer.Ordinal);
        var entries = new JournalEntry[keys.Count];
        await Parallel.ForAsync(0, keys.Count, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken }, async (i, token) =>
            entries[i] = await ReadAsync(store, keys[i], JournalJson.Default.JournalEntry, token));
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Number != i + 1)
                throw Damaged(EntryKey(runId, i + 1), "it is missing");
        }

        var instances = new Dictionary<string, InstanceRecord>(StringComparer.Ordinal);
        foreach (var record in entries.SelectMany(entry => entry.Instances))
            instances[record.InstanceId] = record;
        var last = entries[^1];
        return new()
        {
            RunId = runId,
            Plan = entries[0].Plan ?? throw Damaged(keys[0], "it has no plan"),
            Instances = [.. instances.Values],
            Runner = last.Runner,
            LastActivity = last.Time,
            Number = last.Number,
            IsReleased = last.IsReleased,
        };
    }

    private static BackupException Damaged(string key, string how, Exception? inner = null) =>
        new(FailureKind.Corrupt, $"The journal entry '{key}' is damaged: {how.TrimEnd('.')}.", "Look at the run's instances by hand, and start them where they were running.", inner);
}
