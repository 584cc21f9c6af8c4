using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>
/// One run of one source, from its beginning to its commit: objects first, then the inventory that names them, then the manifest.
/// Whoever stops before the manifest has changed nothing that a reader would see.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="system">The system.</param>
/// <param name="sourceName">The source, as users call it.</param>
/// <param name="time">The clock.</param>
/// <param name="identity">The run's beginning and id, where two that do the same work are to be one run; null for its own.</param>
internal sealed class RunWriter(IObjectStore store, string system, string sourceName, TimeProvider time, (DateTimeOffset Started, string RunId)? identity = null)
{
    private readonly RunCatalog _catalog = new(store);

    /// <summary>The source's name in keys.</summary>
    public string Source { get; } = CatalogSource.FromName(sourceName);

    /// <summary>When the run began, in UTC.</summary>
    public DateTimeOffset Started { get; } = identity?.Started ?? time.GetUtcNow();

    /// <summary>The run's id.</summary>
    public string RunId => field ??= identity?.RunId ?? RunCatalog.NewRunId(Started);

    /// <summary>When the run began, as keys write it: <c>yyyyMMddTHHmmssZ</c>.</summary>
    public string Stamp => RunCatalog.Stamp(Started);

    /// <summary>Begins the run's inventory segment, for entries that come in order and are too many to hold.</summary>
    public InventoryWriter StartInventory(CancellationToken cancellationToken) =>
        InventoryWriter.Start(store, RunCatalog.InventoryKey(system, Source, Started, RunId), cancellationToken);

    /// <summary>Writes the run's inventory segment of entries in any order.</summary>
    public async Task<InventorySegment> WriteInventoryAsync(IEnumerable<InventoryEntry> entries, CancellationToken cancellationToken)
    {
        await using var writer = StartInventory(cancellationToken);
        foreach (var entry in entries.OrderBy(entry => entry.Path, Utf8Order.Instance))
            await writer.AddAsync(entry, cancellationToken);
        return await writer.CompleteAsync(cancellationToken);
    }

    /// <summary>A manifest with what every run has. The system adds what it did, and gives it to <see cref="CommitAsync"/>.</summary>
    public RunManifest Draft(Outcome outcome, string? reason = null) => new()
    {
        RunId = RunId,
        System = system,
        Source = Source,
        SourceName = sourceName,
        Host = Environment.MachineName,
        ModuleVersion = ProductVersion.Current,
        Started = Started,
        Finished = Started,
        Outcome = outcome,
        Reason = reason,
    };

    /// <summary>Writes the manifest: from here on the run has happened.</summary>
    public async Task<RunManifest> CommitAsync(RunManifest manifest, CancellationToken cancellationToken)
    {
        manifest = manifest with { Finished = time.GetUtcNow() };
        await _catalog.CommitAsync(manifest, cancellationToken);
        return manifest;
    }
}
