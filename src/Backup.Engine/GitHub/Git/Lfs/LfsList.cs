using System.Text.Json;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>The list of a repository's LFS objects: JSON lines, in the order of their ids.</summary>
internal static class LfsList
{
    /// <summary>Reads a list.</summary>
    public static async Task<Dictionary<string, LfsEntry>> ReadAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        var entries = new Dictionary<string, LfsEntry>(StringComparer.Ordinal);
        await using var content = await store.ReadAsync(key, null, cancellationToken);
        using var reader = new StreamReader(content.Stream);
        try
        {
            while (await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                if (JsonSerializer.Deserialize(line, LfsJson.Default.LfsEntry) is { } entry && LfsPointer.IsOid(entry.Oid))
                    entries[entry.Oid] = entry;
            }
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.Corrupt, $"'{key}' is damaged.", "Use another generation.", exception);
        }

        return entries;
    }

    /// <summary>Stores a list.</summary>
    public static async Task<StoredObject> WriteAsync(IObjectStore store, string key, IEnumerable<LfsEntry> entries, CancellationToken cancellationToken)
    {
        using var lines = new MemoryStream();
        foreach (var entry in entries.OrderBy(entry => entry.Oid, StringComparer.Ordinal))
        {
            lines.Write(JsonSerializer.SerializeToUtf8Bytes(entry, LfsJson.Default.LfsEntry));
            lines.WriteByte((byte)'\n');
        }

        lines.Position = 0;
        return await store.WriteAsync(key, lines, new() { Length = lines.Length, ContentType = "application/jsonl" }, cancellationToken);
    }
}
