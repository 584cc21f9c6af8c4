using System.Globalization;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>
/// What goes behind a good run of an account: runs that a retention no longer keeps, and what killed runs have left. A chain of bundles stays as long as a
/// kept run is restored from it, whichever account, shard or machine that run is of: the inventories name it.
/// </summary>
internal sealed class RunCleaning(IObjectStore store, TimeProvider time, ILogger? logger)
{
    // Whoever began on top of a run is through by then.
    private static readonly TimeSpan Settling = TimeSpan.FromDays(2);

    // What is younger may be of a run that is not through yet, here or on another machine: a first one may take days.
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(30);

    private readonly RunPruner _pruner = new(store, time, logger) { IsShared = true, Settling = Settling };

    /// <summary>Says what a run would remove.</summary>
    public async Task TellAsync(RunManifest next, Retention retention, CancellationToken cancellationToken)
    {
        var expired = await _pruner.PlanAsync(AccountRun.System, next, retention, cancellationToken);
        if (expired.Count > 0)
            logger?.LogWarning("{Source}: -Keep {Retention} would remove {Count} {Runs}: {Ids}.", next.SourceName, retention, expired.Count, expired.Count == 1 ? "run" : "runs", string.Join(", ", expired.Select(run => $"{run.RunId} of {run.Started.UtcDateTime:yyyy-MM-dd HH:mm}")));
    }

    /// <summary>Removes it. What goes wrong is told, and takes nothing from the new run.</summary>
    /// <param name="sourceName">The source.</param>
    /// <param name="folders">The folders of its repositories.</param>
    /// <param name="retention">What is kept.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(string sourceName, IEnumerable<string> folders, Retention retention, CancellationToken cancellationToken)
    {
        try
        {
            var oldest = await OldestAsync(cancellationToken);
            if (await _pruner.PruneAfterAsync(AccountRun.System, sourceName, retention, cancellationToken) > 0)
                await SweepAsync(folders, oldest, cancellationToken);
        }
        catch (BackupException exception)
        {
            logger?.LogWarning("What killed runs have left in {Source} was not removed: {Reason}", sourceName, exception.Message);
        }
    }

    /// <summary>When the oldest run of the catalog began. What is older is of a catalog that was lost, and nobody's to remove.</summary>
    private async Task<string> OldestAsync(CancellationToken cancellationToken) =>
        await new RunCatalog(store).ListSourcesAsync(int.MaxValue, cancellationToken)
            .Where(runs => runs.System == AccountRun.System)
            .Select(runs => runs.Keys[^1][(runs.Keys[^1].LastIndexOf('/') + 1)..])
            .MinAsync(StringComparer.Ordinal, cancellationToken) ?? "";

    /// <summary>Removes what is in folders of runs that never were committed, and that no run took over.</summary>
    private async Task SweepAsync(IEnumerable<string> folders, string oldest, CancellationToken cancellationToken)
    {
        var runs = new HashSet<string>(StringComparer.Ordinal);
        var manifests = new List<RunManifest>();
        await foreach (var run in new RunCatalog(store).ListAsync(new() { System = AccountRun.System }, cancellationToken))
        {
            runs.Add($"{RunCatalog.Stamp(run.Started)}-{run.RunId}");
            manifests.Add(run);
        }

        var newest = RunCatalog.Stamp(time.GetUtcNow() - Abandoned);
        var left = new HashSet<string>(StringComparer.Ordinal);
        foreach (var folder in folders.Distinct(StringComparer.Ordinal))
        {
            // Generations begin with their year.
            await foreach (var item in store.ListAsync($"{folder}/2", cancellationToken))
            {
                if (item.Key[(folder.Length + 1)..].Split('/') is [var generation, _]
                    && string.CompareOrdinal(generation, oldest) > 0 && string.CompareOrdinal(generation, newest) < 0 && !runs.Contains(generation))
                {
                    left.Add(item.Key);
                }
            }
        }

        if (left.Count == 0)
            return;
        foreach (var run in manifests)
        {
            await foreach (var entry in InventoryReader.ReadAsync(store, run.Inventory, cancellationToken))
                left.Remove(entry.Key ?? "");
        }

        foreach (var key in left.ToList())
        {
            if (await store.HeadAsync(key, null, cancellationToken) is { LockedUntil: { } until } && until > time.GetUtcNow())
                left.Remove(key);
        }

        await foreach (var result in store.DeleteAsync(left.ToAsyncEnumerable(), cancellationToken))
        {
            if (result.Failure is { } failure)
                throw failure;
        }

        if (left.Count > 0)
            logger?.LogInformation("{Count} objects of runs that were killed were removed.", left.Count.ToString(CultureInfo.InvariantCulture));
    }
}
