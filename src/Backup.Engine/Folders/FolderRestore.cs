using Backup.Engine.Files;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Folders;

/// <summary>What <see cref="FolderRestore"/> does.</summary>
public sealed record FolderRestoreOptions : RestoreOptions
{
    /// <summary>The folders as they were backed up (absolute paths; wildcards allowed), or null for every folder in the store.</summary>
    public IReadOnlyList<string>? Paths { get; init; }

    /// <summary>The directory to restore into, or null for the original place. With several folders each goes into its own subdirectory.</summary>
    public string? Destination { get; init; }

    /// <summary>The run to restore, or null for the newest.</summary>
    public string? RunId { get; init; }

    /// <summary>Restore the newest run that had finished at this time.</summary>
    public DateTimeOffset? At { get; init; }
}

/// <summary>Gives folders back: identical in bytes, times and modes.</summary>
public static class FolderRestore
{
    /// <summary>Restores; a file that was not simply restored is a <see cref="RestoredItem"/>, and the last result a folder is a <see cref="RestoreSummary"/>.</summary>
    public static IAsyncEnumerable<RestoreOutput> RunAsync(FolderRestoreOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<RestoreOutput>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static async Task RunAsync(FolderRestoreOptions options, Action<RestoreOutput> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var store = await ObjectStores.OpenAsync(options.From, options.Store, cancellationToken);
        await store.CheckAsync(forWriting: false, cancellationToken);
        _ = PathFilter.Create(options.Include, null);
        var runs = await FindAsync(store, options, cancellationToken);
        foreach (var run in runs)
        {
            try
            {
                await new RunRestorer(store, run, TargetOf(run, runs, options.Destination), options, emit, progress).RunAsync(cancellationToken);
            }
            catch (BackupException) when (runs.Count > 1)
            {
                // Its summary has told it; what is wrong with one run need not be wrong with the next.
            }
        }
    }

    private static async Task<List<RunManifest>> FindAsync(IObjectStore store, FolderRestoreOptions options, CancellationToken cancellationToken)
    {
        // A time without a fraction means the whole second, so that one read off a table finds its run.
        var until = options.At is { } at && at.Ticks % TimeSpan.TicksPerSecond == 0 ? at.AddTicks(TimeSpan.TicksPerSecond - 1) : options.At;
        var query = new RunQuery { System = FolderRun.System, Until = until, RunIds = options.RunId is { } id ? [id] : null, LatestOnly = options.RunId is null };
        var runs = await new RunCatalog(store).ListAsync(query, cancellationToken).ToListAsync(cancellationToken);
        if (runs.Count == 0 && options.RunId is { } unknown)
            throw NotFound($"There is no run '{unknown}' of a folder", options);
        if (options.Paths?.Select(Path.TrimEndingDirectorySeparator).ToList() is { } paths)
        {
            foreach (var path in paths)
            {
                if (!runs.Exists(run => RunCatalog.NameMatches(path, run.SourceName)))
                    throw NotFound($"There is no backup of '{path}'", options);
            }

            runs = runs.FindAll(run => paths.Any(path => RunCatalog.NameMatches(path, run.SourceName)));
        }

        return runs.Count > 0 ? runs : throw NotFound("There is no backup of a folder", options);
    }

    private static BackupException NotFound(string what, FolderRestoreOptions options) => new(
        FailureKind.NotFound,
        $"{what} in '{options.From}'{(options.At is { } at ? $" at {at:yyyy-MM-dd HH:mm:ss zzz}" : "")}.",
        "Get-BackupRun lists the runs of a destination.");

    private static string TargetOf(RunManifest run, List<RunManifest> runs, string? destination)
    {
        if (destination is null)
        {
            return Path.IsPathFullyQualified(run.SourceName)
                ? run.SourceName
                : throw new BackupException(FailureKind.InvalidInput, $"'{run.SourceName}' is no path of this system.", "Give -Destination.");
        }

        var target = Path.GetFullPath(destination);
        return runs.Count == 1 ? target : Path.Combine(target, NameOf(run.SourceName, runs.ConvertAll(other => other.SourceName)));
    }

    /// <summary>The directory's name for one of several folders that are restored side by side: its own, and where two have the same, one that tells them apart.</summary>
    public static string NameOf(string folder, IReadOnlyList<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var name = LastName(folder);
        return name.Length > 0 && folders.Count(other => LastName(other).Equals(name, StringComparison.OrdinalIgnoreCase)) == 1 ? name : CatalogSource.FromName(folder);
    }

    // The folder may be of another system: both separators are one, and what is left of a drive is no name.
    private static string LastName(string folder)
    {
        var name = folder.TrimEnd('/', '\\');
        name = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        return name is "." or ".." || name.Contains(':', StringComparison.Ordinal) ? "" : name;
    }
}
