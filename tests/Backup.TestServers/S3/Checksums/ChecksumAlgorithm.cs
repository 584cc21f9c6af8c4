using System.Security.Cryptography;

namespace Backup.TestServers.S3.Checksums;

/// <summary>The five checksums S3 speaks, and which multipart types each may have.</summary>
internal sealed record ChecksumAlgorithm(string Name, int Length, bool FullObject, bool Composite, Func<Checksum> Create)
{
    public const string HeaderPrefix = "x-amz-checksum-";

    public static readonly ChecksumAlgorithm Crc64Nvme = new("CRC64NVME", 8, FullObject: true, Composite: false, () => Checksum.Of(ReflectedCrc.Crc64Nvme));

    public static readonly IReadOnlyList<ChecksumAlgorithm> All =
    [
        new("CRC32", 4, FullObject: true, Composite: true, () => Checksum.Of(ReflectedCrc.Crc32)),
        new("CRC32C", 4, FullObject: true, Composite: true, () => Checksum.Of(ReflectedCrc.Crc32C)),
        Crc64Nvme,
        new("SHA1", 20, FullObject: false, Composite: true, () => Checksum.Of(HashAlgorithmName.SHA1)),
        new("SHA256", 32, FullObject: false, Composite: true, () => Checksum.Of(HashAlgorithmName.SHA256)),
    ];

    public string Header { get; } = HeaderPrefix + Name.ToLowerInvariant();

    /// <summary>The element in XML: ChecksumCRC64NVME, ChecksumSHA256…</summary>
    public string Element { get; } = "Checksum" + Name;

    public string DefaultType => Composite ? "COMPOSITE" : "FULL_OBJECT";

    public static ChecksumAlgorithm? Find(string name) => All.FirstOrDefault(a => a.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    public static ChecksumAlgorithm? FindHeader(string header) => All.FirstOrDefault(a => a.Header.Equals(header, StringComparison.OrdinalIgnoreCase));

    public bool IsWellFormed(string base64)
    {
        Span<byte> bytes = stackalloc byte[64];
        return base64.Length <= 64 && Convert.TryFromBase64String(base64, bytes, out var length) && length == Length;
    }

    /// <summary>The checksum of the parts' checksums, as a multipart COMPOSITE has it: base64-N.</summary>
    public string Compose(IReadOnlyList<string> partValues)
    {
        using var checksum = Create();
        foreach (var value in partValues)
            checksum.Append(Convert.FromBase64String(value));
        return $"{Convert.ToBase64String(checksum.Finish())}-{partValues.Count}";
    }
}

/// <summary>A checksum as an object or part keeps it.</summary>
internal sealed record StoredChecksum(ChecksumAlgorithm Algorithm, string Value, string Type);
