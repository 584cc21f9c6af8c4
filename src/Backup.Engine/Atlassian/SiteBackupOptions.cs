using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Atlassian;

/// <summary>What <see cref="SiteBackup"/> does.</summary>
public sealed record SiteBackupOptions
{
    /// <summary>What is exported.</summary>
    public required AtlassianProduct Product { get; init; }

    /// <summary>The sites, each an independent backup.</summary>
    public IReadOnlyList<AtlassianSite> Sites { get; init; } = [];

    /// <summary>The user's e-mail address.</summary>
    public required string User { get; init; }

    /// <summary>A classic API token of that user.</summary>
    public required ApiToken ApiToken { get; init; }

    /// <summary>Where the exports go.</summary>
    public required StoreLocation Destination { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>The storage class as S3 names it, or null for the store's default.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Whether attachments are exported too.</summary>
    public bool IncludeAttachments { get; init; } = true;

    /// <summary>An export that is younger than this is taken instead of a new one, or null for always a new one.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>The time between two questions about the export's progress.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the export may take to be made.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Which runs are kept, or null for all of them.</summary>
    public Retention? Keep { get; init; }

    /// <summary>A Microsoft Teams Workflows webhook that is told of errors, or null. Its address is a secret.</summary>
    public SecretUri? Webhook { get; init; }

    /// <summary>Say what would be done, and change nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>How long no byte of a download may arrive before it is resumed.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The first wait before a request or a download is tried again; it doubles from there.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
