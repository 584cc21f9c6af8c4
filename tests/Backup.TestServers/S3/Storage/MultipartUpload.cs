using Backup.TestServers.S3.Checksums;

namespace Backup.TestServers.S3.Storage;

/// <summary>An upload that is open.</summary>
internal sealed class MultipartUpload
{
    public required string UploadId { get; init; }

    public required string Key { get; init; }

    public required DateTime Initiated { get; init; }

    public required string StorageClass { get; init; }

    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Tags { get; init; } = [];

    /// <summary>Null where the endpoint knows no checksums.</summary>
    public ChecksumAlgorithm? Algorithm { get; init; }

    public string ChecksumType { get; init; } = "FULL_OBJECT";

    /// <summary>False: S3 chose CRC64NVME itself.</summary>
    public bool AlgorithmWasAsked { get; init; }

    public SortedDictionary<int, UploadedPart> Parts { get; } = [];

    /// <summary>How often each part was stored, so that a test sees what was sent again.</summary>
    public Dictionary<int, int> PartUploads { get; } = [];
}
