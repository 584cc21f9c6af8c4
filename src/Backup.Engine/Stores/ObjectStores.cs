using Backup.Engine.Stores.Directories;
using Backup.Engine.Stores.S3;

namespace Backup.Engine.Stores;

/// <summary>Opens the store that a destination names.</summary>
public static class ObjectStores
{
    /// <summary>Opens a store. Nothing is written or created by opening it.</summary>
    public static async Task<IObjectStore> OpenAsync(StoreLocation location, StoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(location);
        if (!location.IsS3 && (options?.ServerSideEncryption ?? options?.KmsKeyId ?? options?.ObjectLockMode) is { } wish)
            throw new BackupException(FailureKind.InvalidInput, $"'{location}' is a directory: it can neither encrypt nor lock what it holds ('{wish}').", "Leave that out, or use S3.");
        return location.IsS3
            ? S3ObjectStore.Open(location, options)
            : await DirectoryObjectStore.OpenAsync(location, cancellationToken: cancellationToken);
    }
}
