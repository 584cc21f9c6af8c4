using Backup.Engine.Files;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

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

    /// <summary>Overwrite files that are newer than the backup.</summary>
    public bool Force { get; init; }

    /// <summary>Say what would be done and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>Gives a run of any system back as files.</summary>
public static class RunRestore
{
    /// <summary>Downloads and verifies every item of a run. The last result is the <see cref="RestoreSummary"/>.</summary>
    public static IAsyncEnumerable<RestoreOutput> RunAsync(RunRestoreOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<RestoreOutput>(
            async (emit, token) =>
            {
                await using var store = await ObjectStores.OpenAsync(options.From, options.Store, token);
                await store.CheckAsync(forWriting: false, token);
                var manifest = await new RunCatalog(store).ListAsync(new() { RunIds = [options.RunId] }, token).FirstOrDefaultAsync(token)
                    ?? throw new BackupException(FailureKind.NotFound, $"There is no run '{options.RunId}' in '{options.From}'.", "Get-BackupRun lists the runs of a destination.");
                var settings = new RestoreSettings
                {
                    Filter = PathFilter.Create(options.Include, null),
                    Force = options.Force,
                    WhatIf = options.WhatIf,
                    Time = options.Store.Time,
                    Logger = options.Logger,
                };
                await new RunRestorer(store, manifest, Path.GetFullPath(options.Destination), settings, emit, progress).RunAsync(token);
            },
            cancellationToken);
    }
}
