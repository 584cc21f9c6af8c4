using Backup.TestServers.S3.Checksums;

namespace Backup.TestServers.S3.Storage;

/// <summary>One version of a key: an object or a delete marker.</summary>
internal sealed class ObjectVersion
{
    public const string NullId = "null";

    public required string Key { get; init; }

    public string VersionId { get; set; } = NullId;

    public bool IsDeleteMarker { get; init; }

    public required DateTime LastModified { get; init; }

    public Blob Content { get; init; } = Blob.Empty;

    public string ETag { get; init; } = "";

    public string StorageClass { get; init; } = "STANDARD";

    public StoredChecksum? Checksum { get; init; }

    public IReadOnlyList<UploadedPart> Parts { get; init; } = [];

    /// <summary>Headers given back on GET and HEAD: content type, user metadata, encryption, object lock.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public IReadOnlyList<KeyValuePair<string, string>> Tags { get; set; } = [];

    public RestoredCopy? Restore { get; set; }

    public bool IsArchived => StorageClass is "GLACIER" or "DEEP_ARCHIVE";

    public string QuotedETag => $"\"{ETag}\"";
}

/// <summary>A restore in progress until Ready, and its copy until Expires.</summary>
internal sealed record RestoredCopy(DateTime Ready, DateTime Expires);

/// <summary>A part of an upload, and of the object made of it.</summary>
internal sealed record UploadedPart(int Number, long Size, string ETag, string? Checksum, bool ChecksumWasSent, DateTime LastModified, Blob Content);
