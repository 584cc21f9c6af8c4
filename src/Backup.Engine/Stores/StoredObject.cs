namespace Backup.Engine.Stores;

/// <summary>An object as the store describes it.</summary>
public sealed record StoredObject
{
    /// <summary>The key, relative to the store's location.</summary>
    public required string Key { get; init; }

    /// <summary>Size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>SHA-256 of the content as 64 lower-case hexadecimal digits, or null where the store does not know it.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The checksum that the store itself holds or confirmed, or null where it was not asked for.</summary>
    public ObjectChecksum? Checksum { get; init; }

    /// <summary>The entity tag without quotes, or null.</summary>
    public string? ETag { get; init; }

    /// <summary>The version, or null where the store keeps none.</summary>
    public string? VersionId { get; init; }

    /// <summary>The storage class as S3 names it, or null where the store has none.</summary>
    public string? StorageClass { get; init; }

    /// <summary>When it was stored, in UTC.</summary>
    public DateTimeOffset LastModified { get; init; }

    /// <summary>Whether it can be read now.</summary>
    public ArchiveState Archive { get; init; } = ArchiveState.Readable;

    /// <summary>Until when S3 Object Lock keeps this version from being removed, in UTC; null where it does not, or was not asked.</summary>
    public DateTimeOffset? LockedUntil { get; init; }

    /// <summary>The metadata that it was written with; keys are lower case. Empty where it was not asked for.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = Empty;

    private static readonly IReadOnlyDictionary<string, string> Empty = new Dictionary<string, string>(StringComparer.Ordinal);
}
