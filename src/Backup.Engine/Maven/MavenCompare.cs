using System.Runtime.CompilerServices;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>What <see cref="MavenCompare"/> compares.</summary>
public sealed record MavenCompareOptions
{
    /// <summary>The store.</summary>
    public required StoreLocation Destination { get; init; }

    /// <summary>How it is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>Credentials and region of CodeArtifact.</summary>
    public Aws.AwsOptions Aws { get; init; } = new();

    /// <summary>The domain.</summary>
    public required string Domain { get; init; }

    /// <summary>Its owner; null for the caller's own account.</summary>
    public string? DomainOwner { get; init; }

    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The formats.</summary>
    public IReadOnlyList<string> Formats { get; init; } = [PackageVersionId.Maven];

    /// <summary>Compare the store with its own manifests, and ask CodeArtifact nothing.</summary>
    public bool StoreOnly { get; init; }

    /// <summary>Requests a second to CodeArtifact; 0 for no limit.</summary>
    public double RequestRate { get; init; } = CodeArtifactSource.DefaultRequestRate;

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>How something differs.</summary>
public enum MavenDifferenceKind
{
    /// <summary>The repository has it, or a manifest names it, and the store does not have it.</summary>
    Missing,

    /// <summary>The store holds an object that no manifest names.</summary>
    Extra,

    /// <summary>The repository has other bytes than were backed up, or the store holds other bytes than its manifest names.</summary>
    Changed,

    /// <summary>The store holds it, and the repository no longer does. Nothing is wrong with the backup.</summary>
    DeletedAtSource,
}

/// <summary>One difference between a repository and its backup.</summary>
public sealed record MavenDifference
{
    /// <summary>How it differs.</summary>
    public required MavenDifferenceKind Difference { get; init; }

    /// <summary>The domain.</summary>
    public required string Domain { get; init; }

    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The package, or null where an object belongs to none.</summary>
    public string? Package { get; init; }

    /// <summary>The version, or null.</summary>
    public string? Version { get; init; }

    /// <summary>The asset, or null where it is the whole version.</summary>
    public string? Asset { get; init; }

    /// <summary>The object's key, or null.</summary>
    public string? Key { get; init; }

    /// <summary>What differs, in a sentence.</summary>
    public required string Reason { get; init; }
}

/// <summary>Compares a repository with its backup, or the backup with itself. No asset is downloaded: hashes and the store's own checksums are compared.</summary>
public static class MavenCompare
{
    /// <summary>Yields the differences; none where all is well.</summary>
    public static IAsyncEnumerable<MavenDifference> RunAsync(MavenCompareOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<MavenDifference>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static async Task RunAsync(MavenCompareOptions options, Action<MavenDifference> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var store = await ObjectStores.OpenAsync(options.Destination, options.Store, cancellationToken);
        await store.CheckAsync(forWriting: false, cancellationToken);
        var meter = new ProgressMeter(progress, $"Comparing {options.Domain}/{options.Repository}");
        using var source = options.StoreOnly ? null : new CodeArtifactSource(options.Aws, options.RequestRate, options.Store.Time, options.Logger);
        foreach (var format in options.Formats)
        {
            var home = new PackageVersionId { Domain = options.Domain, DomainOwner = options.DomainOwner, Repository = options.Repository, Format = format, Package = "", Version = "" };
            var revisions = await CheckStoreAsync(store, home, emit, meter, cancellationToken);
            if (source is not null)
                await CheckSourceAsync(store, source, home, revisions, emit, meter, cancellationToken);
        }
    }

    // By version the revisions that the store holds, newest last.
    private static async Task<Dictionary<string, List<(PackageVersionId Id, string Revision, DateTimeOffset Stored)>>> CheckStoreAsync(IObjectStore store, PackageVersionId home, Action<MavenDifference> emit, ProgressMeter meter, CancellationToken cancellationToken)
    {
        var revisions = new Dictionary<string, List<(PackageVersionId, string, DateTimeOffset)>>(StringComparer.Ordinal);
        var named = new HashSet<string>(StringComparer.Ordinal);
        var found = new Lock();
        await Parallel.ForEachAsync(
            new RevisionCatalog(store).ListRepositoryAsync(home.RepositoryKey, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Min(store.Abilities.Parallelism, 32), CancellationToken = cancellationToken },
            async (manifest, token) =>
            {
                lock (found)
                {
                    if (!revisions.TryGetValue(manifest.Id.Path, out var known))
                        revisions[manifest.Id.Path] = known = [];
                    known.Add((manifest.Id, manifest.Revision, manifest.Stored));
                    named.UnionWith(manifest.Assets.Select(asset => asset.Key));
                }

                foreach (var asset in manifest.Assets)
                {
                    if (await StoredAssetCheck.ProblemAsync(store, asset, token) is { } problem)
                        emit(Difference(manifest.Id, problem.Kind, problem.Reason) with { Asset = asset.Name, Key = asset.Key });
                }

                meter.Finish(manifest.Id.ToString());
            });
        await foreach (var item in store.ListAsync(home.RepositoryKey, cancellationToken))
        {
            if (!named.Contains(item.Key))
                emit(Difference(home, MavenDifferenceKind.Extra, "No manifest names it: an interrupted run stored it, or another program did.") with { Package = null, Version = null, Key = item.Key });
        }

        foreach (var known in revisions.Values)
            known.Sort((a, b) => a.Item3.CompareTo(b.Item3));
        return revisions;
    }

    private static async Task CheckSourceAsync(IObjectStore store, CodeArtifactSource source, PackageVersionId home, Dictionary<string, List<(PackageVersionId Id, string Revision, DateTimeOffset Stored)>> revisions, Action<MavenDifference> emit, ProgressMeter meter, CancellationToken cancellationToken)
    {
        await foreach (var version in ListAsync(source, home, cancellationToken))
        {
            var isStored = revisions.Remove(version.Id.Path, out var known);
            switch (version.Status)
            {
                case "Published" or "Unlisted" when !isStored:
                    emit(Difference(version.Id, MavenDifferenceKind.Missing, $"It is {version.Status}, and was not backed up."));
                    break;
                case "Published" or "Unlisted" when !known!.Exists(revision => revision.Revision == version.Revision) && !await HoldsAsync(store, source, version.Id, cancellationToken):
                    emit(Difference(version.Id, MavenDifferenceKind.Changed, "The repository has other assets than were backed up."));
                    break;
                case "Disposed" or "Deleted" when isStored:
                    emit(Difference(version.Id, MavenDifferenceKind.DeletedAtSource, $"It is {version.Status} at the source."));
                    break;
                default:
                    break;
            }

            meter.Finish(version.Id.ToString());
        }

        foreach (var known in revisions.Values)
            emit(Difference(known[^1].Id, MavenDifferenceKind.DeletedAtSource, "The repository no longer has it."));
    }

    // What was published again, by a restore for example, has a new revision and perhaps the same bytes.
    private static async Task<bool> HoldsAsync(IObjectStore store, CodeArtifactSource source, PackageVersionId id, CancellationToken cancellationToken)
    {
        if (await source.FindAssetsAsync(id, cancellationToken) is not { } now)
            return false;
        var hashes = Published(now.Assets.Select(asset => (asset.Name, asset.Hashes?.GetValueOrDefault(AssetHashes.Sha256))));
        await foreach (var stored in new RevisionCatalog(store).ListVersionAsync(id, cancellationToken))
        {
            if (Published(stored.Assets.Select(asset => (asset.Name, asset.Sha256))).SetEquals(hashes))
                return true;
        }

        return false;

        // The metadata is the service's own, and tells when it wrote it.
        static HashSet<(string, string?)> Published(IEnumerable<(string Name, string? Sha256)> assets) =>
            [.. assets.Where(asset => asset.Name != MavenMetadata.FileName).Select(asset => (asset.Name, asset.Sha256?.ToLowerInvariant()))];
    }

    private static async IAsyncEnumerable<ListedVersion> ListAsync(CodeArtifactSource source, PackageVersionId home, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var package in source.Client.ListPackagesAsync(new() { Repository = home.RepositoryReference, Format = home.Format }, cancellationToken))
        {
            await foreach (var version in source.VersionsAsync(home with { Namespace = package.Namespace, Package = package.Package! }, cancellationToken))
                yield return version;
        }
    }

    private static MavenDifference Difference(PackageVersionId id, MavenDifferenceKind kind, string reason) => new()
    {
        Difference = kind,
        Domain = id.Domain,
        Repository = id.Repository,
        Package = id.PackageName,
        Version = id.Version,
        Reason = reason,
    };
}
