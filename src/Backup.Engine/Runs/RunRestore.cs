using Backup.Engine.Files;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Runs;

/// <summary>What <see cref="RunRestore"/> does.</summary>
public sealed record RunRestoreOptions : RestoreOptions
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The directory to write the run's items into.</summary>
    public required string Destination { get; init; }
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
                await new RunRestorer(store, manifest, Path.GetFullPath(options.Destination), options, emit, progress).RunAsync(token);
            },
            cancellationToken);
    }
}
