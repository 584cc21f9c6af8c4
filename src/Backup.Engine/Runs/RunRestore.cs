using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>What <see cref="RunRestore"/> does.</summary>
public sealed record RunRestoreOptions
{
    /// <summary>The store that holds the run.</summary>
    public required StoreLocation From { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The directory to write the run's items into.</summary>
    public required string Destination { get; init; }

    /// <summary>Glob patterns over the items' paths; null takes everything.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>Overwrite files that are newer than, or differ from, the backup.</summary>
    public bool Force { get; init; }

    /// <summary>Say what would be done and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }
}

/// <summary>Gives a run of any system back as files.</summary>
public static class RunRestore
{
    /// <summary>Downloads and verifies every item of a run.</summary>
    public static IAsyncEnumerable<RestoreOutput> RunAsync(RunRestoreOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
