using System.Diagnostics;
using Backup.Engine.Aws;
using Backup.Engine.Aws.CodeArtifact;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>What became of one version, the manifest of its revision where the store holds it, and how many assets were sent for it.</summary>
internal sealed record VersionOutcome(PackageVersionResult Result, RevisionManifest? Manifest, int Sent = 0);

/// <summary>Backs one version up: every asset of its current revision, verified by every hash the service gives, then the revision's manifest.</summary>
internal sealed class VersionBackup(IObjectStore store, CodeArtifactSource source, MavenBackupOptions options, ProgressMeter? meter = null)
{
    private const int Attempts = 4;

    private readonly RevisionCatalog _catalog = new(store);

    /// <summary>Nothing of the repository is in the store yet, so there is nothing to look for first.</summary>
    public bool IsFresh { get; init; }

    /// <summary>Of a revision that was backed up before, see whether the store still has all of it, and store again what it has not.</summary>
    public bool Repairs { get; init; }

    /// <summary>Backs a version up that was found in a listing or a description.</summary>
    public async Task<VersionOutcome> RunAsync(ListedVersion version, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var outcome = await TryAsync(version, cancellationToken);
                return outcome with { Result = outcome.Result with { Duration = clock.Elapsed, WhatIf = options.WhatIf } };
            }
            catch (BackupException exception) when (attempt < Attempts && MayPass(exception))
            {
                options.Logger?.LogDebug("{Version}, attempt {Attempt}: {Reason}", version.Id, attempt, exception.Message);
                // It moved on: its revision and perhaps its status are others now.
                if (exception.Kind is FailureKind.ChangedWhileRead or FailureKind.AlreadyExists)
                    version = await source.DescribeAsync(version.Id, cancellationToken) is { } now ? version with { Status = now.Status ?? version.Status, Revision = now.Revision } : version with { Status = "Deleted" };
            }
        }
    }

    /// <summary>Notes that a version is gone from the source. What is stored of it stays.</summary>
    public async Task<VersionOutcome> NoteGoneAsync(PackageVersionId id, string? revision, string status, CancellationToken cancellationToken)
    {
        if (!options.WhatIf)
            await _catalog.NoteGoneAsync(id, revision, status, options.Store.Time.GetUtcNow(), cancellationToken);
        return new(Result(id, Outcome.Skipped, status, revision) with { Reason = $"It is {status.ToLowerInvariant()} at the source. What is stored of it stays.", WhatIf = options.WhatIf }, null);
    }

    private static bool MayPass(BackupException exception) => exception.Kind is
        FailureKind.ChangedWhileRead or FailureKind.ChecksumMismatch or FailureKind.LengthMismatch or FailureKind.TimedOut or FailureKind.Unavailable
        || exception is AwsServiceException { ErrorCode: "ConflictException" };

    private async Task<VersionOutcome> TryAsync(ListedVersion version, CancellationToken cancellationToken)
    {
        var (id, status) = (version.Id, version.Status);
        switch (status)
        {
            case "Published" or "Unlisted":
                break;
            case "Unfinished":
                return new(Result(id, Outcome.Deferred, status, version.Revision) with { Reason = "It is not finished: its publisher has not said that it is whole. It is backed up once it is published." }, null);
            case "Archived":
                options.Logger?.LogWarning("{Version} is archived, and cannot be downloaded until its status is set back.", id);
                return new(Result(id, Outcome.Skipped, status, version.Revision) with { Reason = "It is archived, and cannot be downloaded.", Advice = "Set its status to Unlisted, and back it up again." }, null);
            default:
                return await NoteGoneAsync(id, version.Revision, status, cancellationToken);
        }

        if (!IsFresh && version.Revision is { } known && await _catalog.FindAsync(id, known, cancellationToken) is { } stored)
            return await AdoptAsync(stored, status, cancellationToken);
        var assets = await source.FindAssetsAsync(id, cancellationToken);
        if (assets is null)
            return await NoteGoneAsync(id, version.Revision, "Deleted", cancellationToken);
        if (version.Revision is { } listed && assets.Revision != listed)
        {
            if (await _catalog.FindAsync(id, assets.Revision, cancellationToken) is { } other)
                return await AdoptAsync(other, status, cancellationToken);
            options.Logger?.LogDebug("{Version} has moved on from revision {Listed} to {Revision}.", id, listed, assets.Revision);
        }

        return await StoreAsync(id, status, assets, cancellationToken);
    }

    private async Task<VersionOutcome> AdoptAsync(RevisionManifest stored, string status, CancellationToken cancellationToken)
    {
        if (Repairs && await DamagedAsync(stored, cancellationToken) is { Count: > 0 } damaged)
            return await RepairAsync(stored, damaged, status, cancellationToken);
        var changed = !options.WhatIf && await _catalog.NoteStatusAsync(stored, status, options.Store.Time.GetUtcNow(), cancellationToken);
        var result = Result(stored.Id, changed ? Outcome.Completed : Outcome.Unchanged, status, stored.Revision) with { Assets = stored.Assets.Count, Reason = changed ? $"Its status is {status} now." : null };
        return new(result, stored with { Status = status });
    }

    private async Task<IReadOnlyList<StoredAsset>> DamagedAsync(RevisionManifest stored, CancellationToken cancellationToken)
    {
        var damaged = new List<StoredAsset>();
        foreach (var asset in stored.Assets)
        {
            if (await StoredAssetCheck.ProblemAsync(store, asset, cancellationToken) is not { } problem)
                continue;
            options.Logger?.LogWarning("{Asset} of {Version}: {Problem}", asset.Name, stored.Id, problem.Reason);
            damaged.Add(asset);
        }

        return damaged;
    }

    private async Task<VersionOutcome> RepairAsync(RevisionManifest stored, IReadOnlyList<StoredAsset> damaged, string status, CancellationToken cancellationToken)
    {
        var result = Result(stored.Id, Outcome.Completed, status, stored.Revision) with
        {
            Assets = stored.Assets.Count,
            Bytes = damaged.Sum(asset => asset.Size),
            Reason = damaged.Count == 1 ? "1 asset was missing or damaged in the store, and was stored again." : $"{damaged.Count} assets were missing or damaged in the store, and were stored again.",
        };
        if (options.WhatIf)
            return new(result with { Outcome = Outcome.Skipped, Reason = "WhatIf: nothing was written." }, null);
        var repaired = new Dictionary<StoredAsset, StoredAsset>();
        foreach (var asset in damaged)
        {
            // Over what is there: it is not what this key is for.
            var sent = await DownloadAsync(stored.Id, stored.Revision, asset.Name, asset.Key, asset.Size, asset.Sha256!, asset.Hashes, onlyIfAbsent: false, cancellationToken);
            repaired[asset] = Stored(asset.Name, asset.Hashes, sent);
        }

        await _catalog.NoteStatusAsync(stored, status, options.Store.Time.GetUtcNow(), cancellationToken);
        stored = stored with { Assets = [.. stored.Assets.Select(asset => repaired.GetValueOrDefault(asset, asset))] };
        await _catalog.ReplaceAsync(stored, cancellationToken);
        return new(result, stored with { Status = status }, damaged.Count);
    }

    private async Task<VersionOutcome> StoreAsync(PackageVersionId id, string status, RevisionAssets revision, CancellationToken cancellationToken)
    {
        var bytes = revision.Assets.Sum(asset => asset.Size ?? 0);
        var result = Result(id, Outcome.Completed, status, revision.Revision) with { Assets = revision.Assets.Count, Bytes = bytes };
        if (options.WhatIf)
            return new(result with { Outcome = Outcome.Skipped, Reason = "WhatIf: nothing was written." }, null);

        var stored = new (StoredAsset Asset, bool Sent)[revision.Assets.Count];
        // An earlier run that was cut off here left some of them, and an earlier revision its own.
        var there = IsFresh ? [] : await KeysAsync(id, cancellationToken);
        await Parallel.ForEachAsync(
            revision.Assets.Index(),
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken },
            async (item, token) => stored[item.Index] = await StoreAsync(id, revision.Revision, item.Item, there, token));
        var manifest = new RevisionManifest
        {
            Domain = id.Domain,
            DomainOwner = id.DomainOwner,
            Repository = id.Repository,
            PackageFormat = id.Format,
            Namespace = id.Namespace,
            Package = id.Package,
            Version = id.Version,
            Revision = revision.Revision,
            Status = status,
            Stored = options.Store.Time.GetUtcNow(),
            Assets = [.. stored.Select(one => one.Asset)],
        };
        manifest = await _catalog.CommitAsync(manifest, cancellationToken);
        return new(result with { Bytes = stored.Where(one => one.Sent).Sum(one => one.Asset.Size) }, manifest, stored.Count(one => one.Sent));
    }

    private async Task<HashSet<string>> KeysAsync(PackageVersionId id, CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var item in store.ListAsync(id.Key, cancellationToken))
            keys.Add(item.Key);
        return keys;
    }

    private async Task<(StoredAsset Asset, bool Sent)> StoreAsync(PackageVersionId id, string revision, AssetSummary asset, HashSet<string> present, CancellationToken cancellationToken)
    {
        var hashes = asset.Hashes ?? new Dictionary<string, string>(StringComparer.Ordinal);
        var sha256 = hashes.GetValueOrDefault(AssetHashes.Sha256)?.ToLowerInvariant()
            ?? throw new BackupException(FailureKind.Corrupt, $"CodeArtifact gives no SHA-256 of {asset.Name} of {id}.", "It cannot be proven, so it is not backed up.");
        var size = asset.Size ?? throw new BackupException(FailureKind.Corrupt, $"CodeArtifact gives no size of {asset.Name} of {id}.", "It cannot be proven, so it is not backed up.");
        // A version that was deleted and published again may have other bytes under the same name; neither of them is lost.
        var key = id.Key + asset.Name;
        foreach (var candidate in (string[])[key, $"{id.Key}.revisions/{sha256[..16]}/{asset.Name}"])
        {
            if (present.Contains(candidate) && await store.HeadAsync(candidate, null, cancellationToken) is { } there)
            {
                if (await IsSameAsync(there, size, sha256, cancellationToken))
                    return (Stored(asset.Name, hashes, there), false);
                continue;
            }

            try
            {
                return (Stored(asset.Name, hashes, await DownloadAsync(id, revision, asset.Name, candidate, size, sha256, hashes, onlyIfAbsent: true, cancellationToken)), true);
            }
            catch (BackupException exception) when (exception is not AwsServiceException && exception.Kind == FailureKind.AlreadyExists)
            {
                if (await store.HeadAsync(candidate, null, cancellationToken) is { } other && await IsSameAsync(other, size, sha256, cancellationToken))
                    return (Stored(asset.Name, hashes, other), false);
            }
        }

        throw new BackupException(FailureKind.Corrupt, $"The store holds other bytes under both names of {asset.Name} of {id}.", "Verify the store with Test-BackupRun -Deep.");
    }

    private async Task<StoredObject> DownloadAsync(PackageVersionId id, string revision, string name, string key, long size, string sha256, IReadOnlyDictionary<string, string> hashes, bool onlyIfAbsent, CancellationToken cancellationToken)
    {
        await using var asset = await source.Client.GetPackageVersionAssetAsync(id.Reference, id.Version, name, revision, cancellationToken);
        await using var verified = new VerifiedStream(asset.Asset.Content, $"{name} of {id}", size, hashes, meter);
        return await store.WriteAsync(
            key,
            verified,
            new() { Length = size, ExpectedSha256 = sha256, OnlyIfAbsent = onlyIfAbsent, LookFirst = false, StorageClass = options.StorageClass },
            cancellationToken);
    }

    // What the sample stored has no hash beside it, and is read.
    private async Task<bool> IsSameAsync(StoredObject stored, long size, string sha256, CancellationToken cancellationToken)
    {
        if (stored.Size != size)
            return false;
        if (stored.Sha256 is { } known)
            return known.Equals(sha256, StringComparison.OrdinalIgnoreCase);
        if (stored.Archive != ArchiveState.Readable)
            throw new BackupException(FailureKind.Archived, $"'{stored.Key}' is in the store already, and archived: whether it is the same cannot be told.", "Restore it from the archive, then run again.");
        await using var content = await store.ReadAsync(stored.Key, null, cancellationToken);
        return Convert.ToHexStringLower((await ContentHash.ComputeAsync(content.Stream, cancellationToken)).Sha256) == sha256;
    }

    private static StoredAsset Stored(string name, IReadOnlyDictionary<string, string> hashes, StoredObject stored) => new()
    {
        Name = name,
        Key = stored.Key,
        Size = stored.Size,
        Hashes = hashes,
        Checksum = stored.Checksum?.ToString(),
        VersionId = stored.VersionId,
        StorageClass = stored.StorageClass,
    };

    private static PackageVersionResult Result(PackageVersionId id, Outcome outcome, string status, string? revision) => new()
    {
        Domain = id.Domain,
        Repository = id.Repository,
        Format = id.Format,
        Package = id.PackageName,
        Version = id.Version,
        Revision = revision,
        Status = status,
        Outcome = outcome,
    };
}
