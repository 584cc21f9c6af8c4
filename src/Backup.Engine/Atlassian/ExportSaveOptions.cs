using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Atlassian;

/// <summary>What <see cref="ExportSave"/> does.</summary>
public sealed record ExportSaveOptions
{
    /// <summary>Files, and folders whose zip files are meant.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The site that they were exported from.</summary>
    public required AtlassianSite Site { get; init; }

    /// <summary>What was exported; null where each file is to tell it itself.</summary>
    public AtlassianProduct? Product { get; init; }

    /// <summary>Where the exports go.</summary>
    public required StoreLocation Destination { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>The storage class as S3 names it, or null for the store's default.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Which runs are kept, or null for all of them.</summary>
    public Retention? Keep { get; init; }

    /// <summary>Goes on looking into the folders until it is cancelled, or until <see cref="Timeout"/>.</summary>
    public bool Watch { get; init; }

    /// <summary>The time between two looks. A file is taken once it has been the same at two of them.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long it watches; null for ever.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>A Microsoft Teams Workflows webhook that is told of errors, or null. Its address is a secret.</summary>
    public SecretUri? Webhook { get; init; }

    /// <summary>Say what would be done, and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
