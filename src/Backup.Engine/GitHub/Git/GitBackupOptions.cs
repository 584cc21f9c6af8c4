using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub.Git;

/// <summary>How the histories of repositories are backed up.</summary>
internal sealed record GitBackupOptions
{
    /// <summary>A folder for what is needed for a moment. What is made there is removed again.</summary>
    public required string WorkPath { get; init; }

    /// <summary>A folder that keeps a mirror of each repository between runs, or null: then what a new bundle leans on is read from the store.</summary>
    public string? MirrorPath { get; init; }

    /// <summary>git's path, or null to look for it in PATH.</summary>
    public string? GitPath { get; init; }

    /// <summary>How many bundles a chain may have before the next one is full.</summary>
    public int MaxChain { get; init; } = 50;

    /// <summary>The storage class of bundles and LFS objects, or null for the store's default. Descriptions of generations are never archived.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Which refs of pull requests are kept.</summary>
    public PullRefs PullRefs { get; init; }

    /// <summary>How long a server may be silent.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>One history to back up.</summary>
internal sealed record GitBackupRequest
{
    /// <summary>Where it is.</summary>
    public required GitRemote Remote { get; init; }

    /// <summary>The repository's name, for people: <c>owner/name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The repository's id: it names the mirror.</summary>
    public required long Id { get; init; }

    /// <summary>Its folder in the store, see <see cref="RepositoryKeys.Folder"/>.</summary>
    public required string Folder { get; init; }

    /// <summary>The name of the new generation: <c>yyyyMMddTHHmmssZ</c>, and whatever follows it.</summary>
    public required string Generation { get; init; }

    /// <summary>The repository, or its wiki.</summary>
    public GitPart Part { get; init; }

    /// <summary>What is known of its newest generation, or null: then the store is asked.</summary>
    public GitState? Previous { get; init; }

    /// <summary>Its refs, where they were asked for already.</summary>
    public RefAdvertisement? Advertised { get; init; }

    /// <summary>Whether LFS objects are fetched.</summary>
    public bool Lfs { get; init; } = true;

    /// <summary>Whether all of it is stored again, whatever is there already.</summary>
    public bool Full { get; init; }

    /// <summary>Receives bytes as they are stored.</summary>
    public IProgress<long>? Progress { get; init; }
}

/// <summary>What is known of a history's newest generation. Small, and enough to see that nothing has changed.</summary>
/// <param name="Digest">SHA-256 over HEAD and all refs.</param>
/// <param name="Generation">Its newest generation.</param>
/// <param name="ManifestKey">The key of that one's description.</param>
/// <param name="LfsMissing">LFS objects that the server did not give; null where they were not looked for.</param>
internal sealed record GitState(string Digest, string Generation, string ManifestKey, long? LfsMissing)
{
    /// <summary>Whether there is nothing to do while the digest stays the same. What was missing is asked for again.</summary>
    public bool IsComplete(bool lfs) => !lfs || LfsMissing == 0;
}

/// <summary>What became of one history.</summary>
internal sealed record GitBackupResult
{
    /// <summary><see cref="Outcome.Completed"/>, or <see cref="Outcome.Unchanged"/> where nothing was stored.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>What to give back at the next run.</summary>
    public required GitState State { get; init; }

    /// <summary>The generation.</summary>
    public required GitGeneration Generation { get; init; }

    /// <summary>All keys that this generation is restored from, besides LFS objects: a retention has to keep them. Some are of older generations.</summary>
    public IEnumerable<string> Keys => [State.ManifestKey, .. Generation.Bundles.Select(bundle => bundle.Key), .. Generation.Lfs?.Key is { } list ? [list] : Array.Empty<string>()];

    /// <summary>Whether the repository has no ref.</summary>
    public bool IsEmpty => Generation.Refs.Count == 0;

    /// <summary>All objects that were stored.</summary>
    public IReadOnlyList<StoredObject> Stored { get; init; } = [];

    /// <summary>LFS objects that the server did not give.</summary>
    public IReadOnlyList<RunFailure> Problems { get; init; } = [];

    /// <summary>Git objects that were stored.</summary>
    public long Objects { get; init; }

    /// <summary>Bytes that were stored.</summary>
    public long BytesStored => Stored.Sum(item => item.Size);
}
