using Backup.Engine.Files;

namespace Backup.Engine.Folders;

/// <summary>What the cache knows of one path: how it looked, and what the store confirmed of it.</summary>
/// <param name="Entry">How it looked when it was stored.</param>
internal sealed record CacheRow(FileEntry Entry)
{
    /// <summary>The encoded path.</summary>
    public string Path => Entry.Path;

    /// <summary>SHA-256 of the content, 32 bytes; null where it is not known yet or there is no content.</summary>
    public byte[]? Sha256 { get; init; }

    /// <summary>The checksum that the store confirmed, as <see cref="Stores.ObjectChecksum"/> writes it.</summary>
    public string? Checksum { get; init; }

    /// <summary>The store's version id.</summary>
    public string? Version { get; init; }

    /// <summary>The storage class it was written with.</summary>
    public string? StorageClass { get; init; }

    /// <summary>When it was stored, in UTC ticks of 100 ns.</summary>
    public long? StoredAtTicks { get; init; }
}
