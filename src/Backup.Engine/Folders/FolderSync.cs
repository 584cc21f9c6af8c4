namespace Backup.Engine.Folders;

/// <summary>Brings a store up to date with folders: scan, plan, upload, delete, commit.</summary>
public static class FolderSync
{
    /// <summary>Syncs each folder in turn. A bad option ends the run with an exception; a bad folder or file is a result.</summary>
    public static IAsyncEnumerable<FolderSyncOutput> RunAsync(FolderSyncOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
