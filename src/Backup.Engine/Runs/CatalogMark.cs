using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>A small document of the catalog that says something about a run, and that nothing depends on.</summary>
internal static class CatalogMark
{
    private const long MaxSize = 64 << 10;

    /// <summary>Reads it; null where there is none, or none that can be read: what it would say is then not known.</summary>
    public static async Task<T?> ReadAsync<T>(IObjectStore store, string key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            await using var content = await store.ReadAsync(key, null, cancellationToken);
            return content.Object.Size > MaxSize ? null : await JsonSerializer.DeserializeAsync(content.Stream, type, cancellationToken);
        }
        catch (Exception exception) when (exception is JsonException or BackupException { Kind: FailureKind.NotFound or FailureKind.Corrupt })
        {
            return null;
        }
    }
}
