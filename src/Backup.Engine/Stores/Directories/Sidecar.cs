using System.Text.Json;
using System.Text.Json.Serialization;

namespace Backup.Engine.Stores.Directories;

/// <summary>What is known of an object beyond its bytes, kept in a small file of its own.</summary>
internal sealed record Sidecar
{
    /// <summary>The key, for whoever reads the file.</summary>
    public required string Key { get; init; }

    /// <summary>The version.</summary>
    public required string VersionId { get; init; }

    /// <summary>The data file's size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>The data file's last write as the file system tells it, in 100 ns since the year 1, UTC.</summary>
    public required long DataTicks { get; init; }

    /// <summary>SHA-256 in lower-case hexadecimal digits, or null where nobody computed it.</summary>
    public string? Sha256 { get; init; }

    /// <summary>CRC-64/NVME in base64, as read back from the disk, or null where nobody computed it.</summary>
    public string? Crc64Nvme { get; init; }

    /// <summary>When the object was stored, UTC.</summary>
    public DateTimeOffset Stored { get; init; }

    /// <summary>The media type, or null.</summary>
    public string? ContentType { get; init; }

    /// <summary>The user's metadata, or null for none.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether it was written for that very file. Two files of one key differ in their last write, which the store sets itself.</summary>
    public bool IsFor(long size, DateTime lastWriteUtc) => Size == size && DataTicks == lastWriteUtc.Ticks;

    /// <summary>Reads a sidecar; null where there is none or it is not whole.</summary>
    public static Sidecar? TryRead(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            return JsonSerializer.Deserialize(stream, SidecarJson.Default.Sidecar);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes a new file.</summary>
    public void Write(string path, bool flush)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 4096);
        JsonSerializer.Serialize(stream, this, SidecarJson.Default.Sidecar);
        stream.Flush(flush);
    }
}

/// <summary>What <c>.store/format.json</c> says of the whole store.</summary>
/// <param name="Format">The layout's number.</param>
/// <param name="FoldsNames">Whether names are escaped for a file system that folds case or normalization.</param>
internal sealed record StoreFormat(int Format, bool FoldsNames)
{
    /// <summary>The layout that this code reads and writes.</summary>
    public const int Current = 1;
}

/// <summary>The JSON of a directory store.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(Sidecar))]
[JsonSerializable(typeof(StoreFormat))]
internal sealed partial class SidecarJson : JsonSerializerContext;
