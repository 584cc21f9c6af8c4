using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>Which versions of a store are meant: those of a run, or those that coordinates name.</summary>
internal sealed class MavenSelection(IObjectStore store, MavenRestoreOptions options)
{
    private readonly RevisionCatalog _catalog = new(store);

    /// <summary>The versions by package, each package's in the order they have to be published in: builds of a snapshot as they were made, then the snapshot.</summary>
    /// <param name="emit">Told of versions that cannot be restored.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<IReadOnlyList<RestoredVersion>>> ReadAsync(Action<PackageVersionResult> emit, CancellationToken cancellationToken)
    {
        var versions = options.RunId is null ? await ByCoordinatesAsync(cancellationToken) : await ByRunAsync(emit, cancellationToken);
        if (versions.Count == 0)
            throw new BackupException(FailureKind.NotFound, $"'{options.From}' holds none of the versions that are asked for.", "Look at what it holds with Get-BackupRun -System maven, and check domain, repository, package and version: case matters.");
        return [.. versions
            .GroupBy(version => (version.Id.Format, version.Id.Namespace, version.Id.Package))
            .Select(package => (IReadOnlyList<RestoredVersion>)[.. package
                .OrderBy(version => version.Id.SnapshotVersion ?? version.Id.Version, VersionOrder.Instance)
                .ThenBy(version => version.Id.SnapshotBuild is null)
                .ThenBy(version => version.Id.SnapshotBuild)])];
    }

    /// <summary>The result of one version.</summary>
    public static PackageVersionResult Result(MavenRestoreOptions options, PackageVersionId id, Outcome outcome) => new()
    {
        Domain = options.IsPlain ? "" : options.Domain ?? id.Domain,
        Repository = options.PlainName ?? options.Repository ?? id.Repository,
        Format = id.Format,
        Package = id.PackageName,
        Version = id.Version,
        Outcome = outcome,
        RunId = options.RunId,
        WhatIf = options.WhatIf,
    };

    private async Task<List<RestoredVersion>> ByCoordinatesAsync(CancellationToken cancellationToken)
    {
        var latest = new Dictionary<string, RevisionManifest>(StringComparer.Ordinal);
        foreach (var prefix in Prefixes())
        {
            await foreach (var manifest in _catalog.ListRepositoryAsync(prefix, cancellationToken))
            {
                if (IsWanted(manifest.Id) && (!latest.TryGetValue(manifest.Id.Path, out var other) || manifest.Stored > other.Stored))
                    latest[manifest.Id.Path] = manifest;
            }
        }

        var versions = new List<RestoredVersion>();
        foreach (var manifest in latest.Values)
            versions.Add(new(manifest, await _catalog.StatusAsync(manifest, cancellationToken)));
        return versions;
    }

    private IEnumerable<string> Prefixes()
    {
        var id = new PackageVersionId { Domain = options.FromDomain!, Repository = options.FromRepository!, Format = options.Format, Package = "", Version = "" };
        if (options.Packages.Count == 0)
            return [id.RepositoryKey];
        return options.Packages.Select(text =>
        {
            var (name, package) = PackageVersionId.ParsePackage(text, options.Format);
            return (id with { Namespace = name, Package = package }).Key[..^1];
        });
    }

    private async Task<List<RestoredVersion>> ByRunAsync(Action<PackageVersionResult> emit, CancellationToken cancellationToken)
    {
        var catalog = new RunCatalog(store);
        RunManifest? run = null;
        await foreach (var found in catalog.ListAsync(new() { System = MavenRun.System, RunIds = [options.RunId!] }, cancellationToken))
            run = found;
        if (run is null)
            throw new BackupException(FailureKind.NotFound, $"'{options.From}' holds no Maven run {options.RunId}.", "List them with Get-BackupRun -System maven.");
        var versions = new List<RestoredVersion>();
        await foreach (var entry in catalog.ReadInventoryAsync(run, cancellationToken))
        {
            if (MavenRun.ReadVersion(entry) is not { } listed || !IsWanted(listed.Id))
                continue;
            // Who names a package wants it, also where the source has none of it any more.
            if (listed.Status is "Deleted" or "Disposed" && options.Packages.Count == 0)
            {
                emit(Result(options, listed.Id, Outcome.Skipped) with { Status = listed.Status, Revision = listed.Revision, Reason = $"It was {listed.Status.ToLowerInvariant()} at the source before this run.", Advice = "Give -Package to restore it all the same, or an earlier run." });
                continue;
            }

            if (await _catalog.FindAsync(listed.Id, listed.Revision!, cancellationToken) is { } manifest)
                versions.Add(new(manifest, listed.Status is "Deleted" or "Disposed" ? manifest.Status : listed.Status));
            else
                emit(Result(options, listed.Id, Outcome.Failed) with { Revision = listed.Revision, Kind = FailureKind.NotFound, Reason = $"The manifest of its revision is not in '{options.From}'.", Advice = "Back that version up again." });
        }

        return versions;
    }

    private bool IsWanted(PackageVersionId id) =>
        (options.Packages.Count == 0 || options.Packages.Contains(id.PackageName, StringComparer.Ordinal))
        && (options.Versions.Count == 0 || options.Versions.Contains(id.Version, StringComparer.Ordinal) || (id.SnapshotVersion is { } snapshot && options.Versions.Contains(snapshot, StringComparer.Ordinal)));
}
