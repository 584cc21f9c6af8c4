using Backup.TestServers.S3.Checksums;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Body;

/// <summary>A body that was read to its end and found to be what the request said.</summary>
internal sealed record ReceivedBody(Blob Content, long Length, string ETag, ClaimedChecksum? Claimed, IReadOnlyDictionary<ChecksumAlgorithm, string> Checksums)
{
    /// <summary>The body's own checksum, whoever asked for it.</summary>
    public string? ChecksumOf(ChecksumAlgorithm algorithm) => Checksums.GetValueOrDefault(algorithm);

    /// <summary>What an object of this body keeps: the checksum claimed, else the CRC64NVME that S3 adds.</summary>
    public StoredChecksum? AsObjectChecksum()
    {
        var algorithm = Claimed?.Algorithm ?? ChecksumAlgorithm.Crc64Nvme;
        return ChecksumOf(algorithm) is { } value ? new StoredChecksum(algorithm, value, "FULL_OBJECT") : null;
    }
}
