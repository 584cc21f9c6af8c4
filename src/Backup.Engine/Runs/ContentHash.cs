using System.Buffers;
using System.Security.Cryptography;
using Backup.Engine.Stores;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Runs;

/// <summary>The hashes of a content.</summary>
/// <param name="Sha256">SHA-256, 32 bytes.</param>
/// <param name="Crc64Nvme">CRC-64/NVME in base64.</param>
/// <param name="Length">Its length in bytes.</param>
internal sealed record ContentHash(byte[] Sha256, string Crc64Nvme, long Length)
{
    private const int BufferSize = 256 << 10;

    /// <summary>Whether this is the content that an inventory names: by its SHA-256, or, where an adopted object has none, by what the store confirmed.</summary>
    public bool Matches(InventoryEntry entry)
    {
        if (Length != entry.Size)
            return false;
        if (entry.Sha256 is { } sha256)
            return Convert.ToHexStringLower(Sha256) == sha256;
        return ObjectChecksum.Parse(entry.Checksum) is not { Algorithm: ObjectChecksum.Crc64Nvme } crc || crc.Value == Crc64Nvme;
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="content">The stream.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <param name="copy">Receives what is read, or null.</param>
    public static async Task<ContentHash> ComputeAsync(Stream content, CancellationToken cancellationToken, Func<ReadOnlyMemory<byte>, ValueTask>? copy = null)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var crc = new Crc64Nvme();
        var length = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await content.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                sha256.AppendData(buffer, 0, read);
                crc.Append(buffer.AsSpan(0, read));
                length += read;
                if (copy is not null)
                    await copy(buffer.AsMemory(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return new(sha256.GetHashAndReset(), Stores.Checksums.Crc64Nvme.ToBase64(crc.Value), length);
    }
}
