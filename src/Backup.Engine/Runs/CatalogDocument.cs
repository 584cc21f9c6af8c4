using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>Small JSON documents beside the backups: always in a class that can be read at once.</summary>
internal static class CatalogDocument
{
    /// <summary>Writes one.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.AlreadyExists"/> with <paramref name="onlyIfAbsent"/>.</exception>
    public static Task<StoredObject> WriteAsync<T>(IObjectStore store, string key, T value, JsonTypeInfo<T> type, bool onlyIfAbsent, CancellationToken cancellationToken, bool lookFirst = true)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        return store.WriteAsync(
            key,
            new MemoryStream(bytes),
            new() { Length = bytes.Length, StorageClass = RunCatalog.HotClass(store), OnlyIfAbsent = onlyIfAbsent, LookFirst = lookFirst, ContentType = "application/json" },
            cancellationToken);
    }
}
