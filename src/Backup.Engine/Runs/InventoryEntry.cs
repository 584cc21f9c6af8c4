using System.Text.Json.Serialization;

namespace Backup.Engine.Runs;

/// <summary>What an inventory's path is.</summary>
public enum InventoryEntryType
{
    /// <summary>A file or object, with content in the store.</summary>
    File = 1,

    /// <summary>A directory; its path ends with a slash.</summary>
    Directory,

    /// <summary>A symbolic link: its target is all there is of it.</summary>
    Symlink,

    /// <summary>Gone since an earlier segment.</summary>
    Deleted,
}

/// <summary>One line of an inventory. What is null is not written.</summary>
public sealed record InventoryEntry
{
    /// <summary>The path within the source, in the source's documented encoding.</summary>
    public required string Path { get; init; }

    /// <summary>What it is.</summary>
    public required InventoryEntryType Type { get; init; }

    /// <summary>The object's key, relative to the store's location.</summary>
    public string? Key { get; init; }

    /// <summary>Size in bytes.</summary>
    public long Size { get; init; }

    /// <summary>SHA-256 of the content, 64 lower-case hexadecimal digits.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The checksum that the store confirmed, as <see cref="Stores.ObjectChecksum"/> writes it.</summary>
    public string? Checksum { get; init; }

    /// <summary>The store's version id.</summary>
    public string? Version { get; init; }

    /// <summary>The storage class.</summary>
    [JsonPropertyName("class")]
    public string? StorageClass { get; init; }

    /// <summary>When it was modified, in UTC, to 100 ns.</summary>
    public DateTime? Mtime { get; init; }

    /// <summary>Unix permission bits, in octal.</summary>
    public string? Mode { get; init; }

    /// <summary>Where a link points.</summary>
    public string? Target { get; init; }

    /// <summary>What is wrong with the content, where it was not whole when it was stored and is only kept to be looked at; else null.</summary>
    public string? Damage { get; init; }

    /// <summary>Facts that belong to the system.</summary>
    public IReadOnlyDictionary<string, string>? Properties { get; init; }

    /// <summary>The octal digits of permission bits.</summary>
    internal static string? FormatMode(int? bits) => bits is { } mode ? "0" + Convert.ToString(mode, 8) : null;

    /// <summary>Permission bits (07777) from octal digits; null for anything else.</summary>
    internal static int? ParseMode(string? octal) =>
        octal is { Length: > 0 and <= 7 } && octal.All(c => c is >= '0' and <= '7') ? Convert.ToInt32(octal, 8) & 0xFFF : null;
}
