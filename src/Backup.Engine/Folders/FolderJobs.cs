using Backup.Engine.Stores;

namespace Backup.Engine.Folders;

/// <summary>One folder and where it goes; or one that cannot be backed up, and why.</summary>
/// <param name="Folder">The folder, as an absolute path.</param>
/// <param name="Location">Where it goes.</param>
/// <param name="Failure">Why it cannot, or null.</param>
internal sealed record FolderJob(string Folder, StoreLocation Location, BackupException? Failure = null);

/// <summary>Turns paths, roots and a configuration into jobs.</summary>
internal static class FolderJobs
{
    private static readonly StringComparer PathComparer = OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>The jobs, in the order they were named; a root's children by name.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>: no folder, no destination, two folders that overlap, a destination within a folder.</exception>
    public static IReadOnlyList<FolderJob> Resolve(FolderSyncOptions options)
    {
        var folders = options.Paths.Select(Full).ToList();
        var failed = new List<(string Root, BackupException Failure)>();
        foreach (var root in options.Roots.Select(Full))
        {
            try
            {
                folders.AddRange(ChildrenOf(root));
            }
            catch (BackupException exception)
            {
                failed.Add((root, exception));
            }
        }

        folders = [.. folders.Distinct(PathComparer)];
        if (folders.Count + failed.Count == 0)
            throw new BackupException(FailureKind.InvalidInput, "No folder was given.", "Give -Path, -Root or -ConfigFile.");
        CheckOverlaps(folders);
        List<FolderJob> jobs =
        [
            .. failed.Select(root => new FolderJob(root.Root, LocationOf(root.Root, options), root.Failure)),
            .. folders.Select(folder => new FolderJob(folder, LocationOf(folder, options))),
        ];
        CheckDestinations(jobs, FolderPaths.CacheDirectory(options.CachePath));
        return jobs;
    }

    private static List<string> ChildrenOf(string root)
    {
        List<string> children;
        try
        {
            children = [.. Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupException.From(exception).Kind, $"The root '{root}' cannot be read: {exception.Message}", "Is the disk mounted?", exception);
        }

        // Nothing to back up looks like success, and is what an unmounted disk looks like.
        return children.Count > 0 ? children : throw new BackupException(FailureKind.NotFound, $"The root '{root}' has no folders.", "Is the disk mounted? Otherwise leave this root out.");
    }

    private static StoreLocation LocationOf(string folder, FolderSyncOptions options)
    {
        if (options.Buckets?.FirstOrDefault(pair => PathComparer.Equals(Full(pair.Key), folder)).Value is { } bucket)
            return StoreLocation.ForBucket(bucket);
        if (options.Destination is { } destination)
            return destination;
        return options.BucketPrefix is { } prefix
            ? StoreLocation.ForBucket(BucketNames.For(prefix, folder))
            : throw new BackupException(FailureKind.InvalidInput, $"No destination was given for '{folder}'.", "Give -Destination for one place, or -BucketPrefix for a bucket a folder.");
    }

    private static void CheckOverlaps(List<string> folders)
    {
        foreach (var folder in folders)
        {
            if (folders.Find(other => !ReferenceEquals(other, folder) && FolderPaths.IsWithin(other, folder)) is { } inner)
                throw new BackupException(FailureKind.InvalidInput, $"The folders '{folder}' and '{inner}' overlap.", "Give the outer one alone: what is in it is backed up with it.");
        }
    }

    private static void CheckDestinations(List<FolderJob> jobs, string caches)
    {
        if (jobs.Exists(job => PathComparer.Equals(job.Folder, caches)))
            throw new BackupException(FailureKind.InvalidInput, $"The folder '{caches}' is where the caches are.", "Give another -CachePath; a directory below the folder is fine, and is left out of the backup.");
        if (jobs.Find(job => !job.Location.IsS3 && FolderPaths.IsWithin(FolderPaths.Real(job.Folder), FolderPaths.Real(job.Location.Directory))) is { } inner)
            throw new BackupException(FailureKind.InvalidInput, $"The folder '{inner.Folder}' is inside its own destination '{inner.Location}'.", "Give a destination elsewhere.");
        if (jobs.Find(job => !job.Location.IsS3 && FolderPaths.IsWithin(FolderPaths.Real(job.Location.Directory), FolderPaths.Real(job.Folder))) is { } job)
            throw new BackupException(FailureKind.InvalidInput, $"The destination '{job.Location}' is inside the folder '{job.Folder}'.", "A backup must not hold itself: give a destination elsewhere.");
    }

    private static string Full(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}
