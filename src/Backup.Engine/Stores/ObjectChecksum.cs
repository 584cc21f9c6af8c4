namespace Backup.Engine.Stores;

/// <summary>
/// A checksum and the proof it stands for. It is written <c>algorithm:value</c> in manifests and caches.
/// </summary>
/// <param name="Algorithm">
/// <c>crc64nvme</c>: CRC-64/NVME of the whole object in base64, as S3 verified it on arrival, or as read back from a directory.
/// <c>md5</c>: MD5 in hexadecimal that the store computed itself (an ETag); for a multipart upload followed by <c>-parts</c>.
/// <c>signed-sha256</c>: SHA-256 in hexadecimal that was part of the request's signature, where the store offers nothing more.
/// </param>
/// <param name="Value">The value, in the form that belongs to the algorithm.</param>
public sealed record ObjectChecksum(string Algorithm, string Value)
{
    /// <summary>CRC-64/NVME.</summary>
    public const string Crc64Nvme = "crc64nvme";

    /// <summary>MD5 as an entity tag.</summary>
    public const string Md5 = "md5";

    /// <summary>SHA-256 in the request's signature.</summary>
    public const string SignedSha256 = "signed-sha256";

    /// <summary>Reads what <see cref="ToString"/> wrote; null for null.</summary>
    public static ObjectChecksum? Parse(string? text)
    {
        if (text is null)
            return null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            ? new(text[..colon], text[(colon + 1)..])
            : throw new FormatException($"'{text}' is not algorithm:value.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Algorithm}:{Value}";
}
