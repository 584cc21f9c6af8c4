using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Folders;

/// <summary>What <see cref="FolderRestore"/> does.</summary>
public sealed record FolderRestoreOptions
{
    /// <summary>The store that holds the backup.</summary>
    public required StoreLocation From { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>The folders as they were backed up (absolute paths; wildcards allowed), or null for every folder in the store.</summary>
    public IReadOnlyList<string>? Paths { get; init; }

    /// <summary>The directory to restore into, or null for the original place. With several folders each goes into its own subdirectory.</summary>
    public string? Destination { get; init; }

    /// <summary>The run to restore, or null for the newest.</summary>
    public string? RunId { get; init; }

    /// <summary>Restore the newest run that had finished at this time.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Glob patterns relative to the folder; null takes everything.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>How fast archived objects are wanted.</summary>
    public RestoreTier Tier { get; init; } = RestoreTier.Bulk;

    /// <summary>How many days restored copies of archived objects stay.</summary>
    public int Days { get; init; } = 7;

    /// <summary>Wait until archived objects are readable, instead of asking for them and reporting them as deferred.</summary>
    public bool Wait { get; init; }

    /// <summary>How often the state of archived objects is asked for while waiting.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Overwrite files that are newer than, or differ from, the backup.</summary>
    public bool Force { get; init; }

    /// <summary>Say what would be done and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>Gives folders back: identical in bytes, times and modes.</summary>
public static class FolderRestore
{
    /// <summary>Restores; a failed file is a <see cref="RestoredItem"/> with <see cref="Outcome.Failed"/>, and the last result a folder is a <see cref="RestoreSummary"/>.</summary>
    public static IAsyncEnumerable<RestoreOutput> RunAsync(FolderRestoreOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
