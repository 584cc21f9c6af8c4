using System.Runtime.CompilerServices;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Runs;

/// <summary>Finds runs in a destination.</summary>
public static class RunQueries
{
    /// <summary>Lists the runs that <paramref name="query"/> selects, newest first.</summary>
    public static async IAsyncEnumerable<BackupRun> RunAsync(StoreLocation destination, RunQuery query, StoreOptions? store = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        await using var opened = await ObjectStores.OpenAsync(destination, store, cancellationToken);
        await opened.CheckAsync(forWriting: false, cancellationToken);
        await foreach (var manifest in new RunCatalog(opened).ListAsync(query, cancellationToken, damaged => store?.Logger?.LogWarning("{Reason}", damaged.Message)))
        {
            yield return new()
            {
                Destination = destination.ToString(),
                RunId = manifest.RunId,
                System = manifest.System,
                SourceName = manifest.SourceName,
                Host = manifest.Host,
                Started = manifest.Started,
                Finished = manifest.Finished,
                Outcome = manifest.Outcome,
                Reason = manifest.Reason,
                Stored = manifest.Counts.Stored,
                Deleted = manifest.Counts.Deleted,
                Failed = manifest.Counts.Failed,
                BytesStored = manifest.BytesStored,
                TotalObjects = manifest.TotalObjects,
                TotalBytes = manifest.TotalBytes,
                Proofs = manifest.Proofs,
                ManifestKey = RunCatalog.ManifestKey(manifest),
            };
        }
    }
}
