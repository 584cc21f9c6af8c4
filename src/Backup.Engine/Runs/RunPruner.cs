using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Runs;

/// <summary>
/// Removes runs that a retention no longer keeps, with what only they name. The manifest goes last: a pruning that was cut short is finished by the next one.
/// A run that Object Lock holds stays until the lock is over.
/// </summary>
internal sealed class RunPruner(IObjectStore store, TimeProvider time, ILogger? logger = null)
{
    private readonly RunCatalog _catalog = new(store);

    /// <summary>Whether runs of the system's other sources may name the same objects: then nothing goes that one of those names, kept or not.</summary>
    public bool IsShared { get; init; }

    /// <summary>How old the next newer run has to be before one goes: whoever had begun on top of it is through by then.</summary>
    public TimeSpan Settling { get; init; }

    /// <summary>Prunes one source, and returns the runs that are gone. It is for the caller to have stored and proven a new run before.</summary>
    /// <exception cref="BackupException">A run could not be read or removed; what is kept is never touched.</exception>
    public async Task<IReadOnlyList<RunManifest>> PruneAsync(string system, string source, Retention retention, CancellationToken cancellationToken)
    {
        var (expired, kept) = await DivideAsync(system, source, retention, null, cancellationToken);
        if (expired.Count == 0)
            return [];
        if (IsShared)
            kept.AddRange(await OthersAsync(system, source, cancellationToken));
        await RemoveAsync(expired, kept, cancellationToken);
        foreach (var run in expired)
            logger?.LogInformation("Run {RunId} of {Source} from {Started:u} was removed: {Retention} no longer keeps it.", run.RunId, run.SourceName, run.Started, retention);
        return expired;
    }

    /// <summary>Prunes behind a run that is stored and proven. What goes wrong is told, and takes nothing from that run; returns how many are gone.</summary>
    public async Task<int> PruneAfterAsync(string system, string sourceName, Retention? retention, CancellationToken cancellationToken)
    {
        if (retention is null)
            return 0;
        try
        {
            return (await PruneAsync(system, CatalogSource.FromName(sourceName), retention, cancellationToken)).Count;
        }
        catch (BackupException exception)
        {
            logger?.LogWarning("The new run of {Source} is stored; old ones were not removed: {Reason}", sourceName, exception.Message);
            return 0;
        }
    }

    /// <summary>The runs that would go behind a new one. Nothing is removed.</summary>
    /// <param name="system">The system.</param>
    /// <param name="next">The run that there would be.</param>
    /// <param name="retention">What is kept.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<RunManifest>> PlanAsync(string system, RunManifest next, Retention retention, CancellationToken cancellationToken) =>
        (await DivideAsync(system, next.Source, retention, next, cancellationToken)).Expired;

    private async Task<(List<RunManifest> Expired, List<RunManifest> Kept)> DivideAsync(string system, string source, Retention retention, RunManifest? next, CancellationToken cancellationToken)
    {
        var runs = new List<RunManifest>(next is null ? [] : [next]);
        // A manifest that cannot be read ends it here: what it names could not be spared.
        await foreach (var run in _catalog.ListSourceAsync(system, source, cancellationToken))
            runs.Add(run);
        var unsettled = runs.Zip(runs.Skip(1)).Where(pair => pair.First.Finished > time.GetUtcNow() - Settling).Select(pair => pair.Second).ToHashSet<object>(ReferenceEqualityComparer.Instance);
        var expired = new List<RunManifest>();
        foreach (var run in retention.Expired(runs).Where(run => Settling == TimeSpan.Zero || !unsettled.Contains(run)))
        {
            if (await LockOfAsync(run, cancellationToken) is { } until)
                logger?.LogInformation("Run {RunId} of {Source} is no longer kept by {Retention}, and locked until {Until:u}.", run.RunId, run.SourceName, retention, until);
            else
                expired.Add(run);
        }

        return (expired, [.. runs.Except(expired, ReferenceEqualityComparer.Instance).Cast<RunManifest>()]);
    }

    private async Task<List<RunManifest>> OthersAsync(string system, string source, CancellationToken cancellationToken) =>
        await _catalog.ListAsync(new() { System = system }, cancellationToken).Where(run => run.Source != source).ToListAsync(cancellationToken);

    private async Task<DateTimeOffset?> LockOfAsync(RunManifest run, CancellationToken cancellationToken) =>
        await store.HeadAsync(RunCatalog.ManifestKey(run), null, cancellationToken) is { LockedUntil: { } until } && until > time.GetUtcNow() ? until : null;

    private async Task RemoveAsync(List<RunManifest> expired, List<RunManifest> kept, CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var run in expired)
        {
            try
            {
                await foreach (var entry in _catalog.ReadInventoryAsync(run, cancellationToken))
                {
                    if (entry.Key is { } key)
                        keys.Add(key);
                }
            }
            catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
            {
                // An earlier pruning was cut short behind this inventory; its objects went before it.
                logger?.LogDebug("The inventory of run {RunId} is gone already.", run.RunId);
            }
        }

        foreach (var run in kept)
        {
            await foreach (var entry in _catalog.ReadInventoryAsync(run, cancellationToken))
                keys.Remove(entry.Key ?? "");
        }

        await DeleteAsync(keys, cancellationToken);
        var segments = expired.SelectMany(run => run.Inventory).Select(segment => segment.Key).ToHashSet(StringComparer.Ordinal);
        segments.ExceptWith(kept.SelectMany(run => run.Inventory).Select(segment => segment.Key));
        await DeleteAsync(segments, cancellationToken);
        await DeleteAsync(expired.SelectMany(VerificationMarks.Keys), cancellationToken);
        await DeleteAsync(expired.Select(RunCatalog.ManifestKey), cancellationToken);
    }

    private async Task DeleteAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        await foreach (var result in store.DeleteAsync(keys.ToAsyncEnumerable(), cancellationToken))
        {
            if (result.Failure is { } failure)
                throw new BackupException(failure.Kind, $"'{result.Key}' of a run that is no longer kept could not be removed: {failure.Message}", failure.Advice, failure);
        }
    }
}
