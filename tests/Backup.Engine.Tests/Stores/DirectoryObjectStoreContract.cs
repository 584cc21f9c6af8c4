using Backup.Engine.Stores;
using Backup.Engine.Stores.Directories;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Stores;

/// <summary>The contract over a directory, with names as this file system has them.</summary>
public class DirectoryObjectStoreContract : ObjectStoreContract
{
    private readonly TemporaryDirectory _directory = new();

    // The directory's own block size: where its loops begin a second round.
    protected override int PartSize => 1 << 20;

    protected virtual DirectoryStoreOptions Options => new() { FlushToDisk = false };

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override async Task<IObjectStore> OpenStoreAsync() =>
        await DirectoryObjectStore.OpenAsync(StoreLocation.ForDirectory(Directory.CreateDirectory(_directory.Combine("store")).FullName), Options);

    protected override Task<int> CountOrphansAsync()
    {
        var temporary = DirectoryLayout.TemporaryRoot(_directory.Combine("store"));
        return Task.FromResult(Directory.Exists(temporary)
            ? Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories).Count(f => Path.GetFileName(f) != DirectoryWorkspace.LockName)
            : 0);
    }
}

/// <summary>The contract over a directory whose names are made for Windows and macOS.</summary>
public sealed class FoldingDirectoryObjectStoreContract : DirectoryObjectStoreContract
{
    protected override DirectoryStoreOptions Options => new() { FlushToDisk = false, FoldsNames = true };
}
