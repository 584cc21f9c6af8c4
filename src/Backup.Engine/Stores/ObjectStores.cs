using Backup.Engine.Stores.S3;

namespace Backup.Engine.Stores;

/// <summary>Opens the store that a destination names.</summary>
public static class ObjectStores
{
    /// <summary>Opens a store. Nothing is written or created by opening it.</summary>
    public static Task<IObjectStore> OpenAsync(StoreLocation location, StoreOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult<IObjectStore>(S3ObjectStore.Open(location, options));
}
