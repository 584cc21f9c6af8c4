using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Folders;

/// <summary>What <see cref="FolderSync"/> does.</summary>
public sealed record FolderSyncOptions
{
    /// <summary>The folders, each an independent backup.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Folders whose direct children are each an independent backup.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [];

    /// <summary>A configuration file's content; whatever is given here goes before it.</summary>
    public SyncConfig? Config { get; init; }

    /// <summary>Where all folders go; null where each has a bucket of its own.</summary>
    public StoreLocation? Destination { get; init; }

    /// <summary>What the name of each folder's own bucket begins with (<see cref="FolderSync"/> makes the bucket at its first upload), or null.</summary>
    public string? BucketPrefix { get; init; }

    /// <summary>Existing buckets by folder: they are adopted instead of a name made from <see cref="BucketPrefix"/>.</summary>
    public IReadOnlyDictionary<string, string>? Buckets { get; init; }

    /// <summary>A Microsoft Teams Workflows webhook that is told of errors, or null. Its address is a secret.</summary>
    public SecretUri? Webhook { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>The storage class as S3 names it; null means DEEP_ARCHIVE on S3 and nothing elsewhere.</summary>
    public string? StorageClass { get; init; }

    /// <summary>The directory that holds the caches, or null for the user's own (<c>~/.local/share/AtlassianBackup/cache</c>, on Windows below <c>%LOCALAPPDATA%</c>).</summary>
    public string? CachePath { get; init; }

    /// <summary>Glob patterns relative to the folder; null takes everything.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>Glob patterns relative to the folder; what matches is left out.</summary>
    public IReadOnlyList<string>? Exclude { get; init; }

    /// <summary>Back up what symbolic links point at instead of the links.</summary>
    public bool FollowSymlink { get; init; }

    /// <summary>The share of stored files, in percent, above which deletions are refused.</summary>
    public double MaxDeletePercent { get; init; } = 10;

    /// <summary>Delete even where a guard would refuse.</summary>
    public bool Force { get; init; }

    /// <summary>Forget the cache and check the store's listing instead; only what differs is sent again.</summary>
    public bool Reset { get; init; }

    /// <summary>Say what would be done and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
