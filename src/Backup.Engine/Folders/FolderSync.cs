using Backup.Engine.Files;
using Backup.Engine.Stores;

namespace Backup.Engine.Folders;

/// <summary>Brings a store up to date with folders: scan, plan, upload, delete, commit.</summary>
public static class FolderSync
{
    /// <summary>Syncs each folder in turn. A bad option ends the run with an exception; a bad folder or file is a result.</summary>
    public static IAsyncEnumerable<FolderSyncOutput> RunAsync(FolderSyncOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<FolderSyncOutput>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static async Task RunAsync(FolderSyncOptions options, Action<FolderSyncOutput> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var folders = options.Paths.Select(path => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))).ToList();
        CheckOverlaps(folders, options.Destination);
        _ = PathFilter.Create(options.Include, options.Exclude);
        if (options.MaxDeletePercent is not (>= 0 and <= 100))
            throw new BackupException(FailureKind.InvalidInput, $"{options.MaxDeletePercent} is not a percentage for MaxDeletePercent.", "Give a number from 0 to 100.");
        if (options.StorageClass is { } name)
            options = options with { StorageClass = StorageClasses.Parse(name) };
        else if (options.Destination.IsS3)
            options = options with { StorageClass = StorageClasses.Default };

        await using var store = await ObjectStores.OpenAsync(options.Destination, options.Store, cancellationToken);
        foreach (var folder in folders)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await new FolderRun(folder, store, options, emit, progress).RunAsync(cancellationToken);
        }
    }

    private static void CheckOverlaps(List<string> folders, StoreLocation destination)
    {
        foreach (var folder in folders)
        {
            if (folders.Find(other => !ReferenceEquals(other, folder) && FolderPaths.IsWithin(other, folder)) is { } inner)
                throw new BackupException(FailureKind.InvalidInput, $"The folders '{folder}' and '{inner}' overlap.", "Give the outer one alone: what is in it is backed up with it.");
            if (!destination.IsS3 && FolderPaths.IsWithin(FolderPaths.Real(destination.Directory), FolderPaths.Real(folder)))
                throw new BackupException(FailureKind.InvalidInput, $"The destination '{destination}' is inside the folder '{folder}'.", "A backup must not hold itself: give a destination elsewhere.");
        }
    }
}
