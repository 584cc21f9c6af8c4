using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>What <see cref="GitHubBackup"/> does.</summary>
public sealed record GitHubBackupOptions
{
    /// <summary>Which repositories, where <see cref="Repositories"/> are not given.</summary>
    public GitHubListOptions List { get; init; } = new();

    /// <summary>Repositories that were listed already; null lists them.</summary>
    public IReadOnlyList<GitHubRepository>? Repositories { get; init; }

    /// <summary>Where the backup goes.</summary>
    public required StoreLocation Destination { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>The storage class of bundles, LFS objects, archives and assets; null for the store's own default. Records and descriptions stay readable at once.</summary>
    public string? StorageClass { get; init; }

    /// <summary>What is backed up.</summary>
    public GitHubContent Content { get; init; } = GitHubContent.Default;

    /// <summary>How old a whole pass may be: then all records are read again, and refs are compared whatever the listing says.</summary>
    public TimeSpan FullEvery { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Which runs of an account are kept, or null for all.</summary>
    public Retention? Keep { get; init; }

    /// <summary>A folder that keeps a mirror of each repository between runs, or null.</summary>
    public string? MirrorPath { get; init; }

    /// <summary>A folder for what is needed for a moment, or null for a temporary one.</summary>
    public string? WorkPath { get; init; }

    /// <summary>How many repositories at once.</summary>
    public int ThrottleLimit { get; init; } = 8;

    /// <summary>How long a server may be silent while git data is read.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A Microsoft Teams Workflows webhook that is told of errors, or null. Its address is a secret.</summary>
    public SecretUri? Webhook { get; init; }

    /// <summary>Say what would be fetched, and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
