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
        return location.IsS3
            ? S3ObjectStore.Open(location, options)
            : await DirectoryObjectStore.OpenAsync(location, cancellationToken: cancellationToken);
    }
}
