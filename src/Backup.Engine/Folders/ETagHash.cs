using System.Security.Cryptography;

namespace Backup.Engine.Folders;

/// <summary>
/// The entity tag that S3 gives to a content: MD5, or for a multipart upload the MD5 of the parts' MD5s, a hyphen and their number.
/// It is what an object has that another tool stored, and the part size is not told: it is found among those that tools use.
/// </summary>
internal sealed class ETagHash : IDisposable
{
    private const long MiB = 1L << 20;
    private static readonly long[] PartSizes = [8 * MiB, 5 * MiB, 16 * MiB, 15 * MiB, 10 * MiB, 32 * MiB, 50 * MiB, 64 * MiB, 100 * MiB, 128 * MiB, 256 * MiB, 512 * MiB];

    private readonly IncrementalHash _part = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly long? _partSize;
    private long _inPart;
    private int _parts;

    private ETagHash(long? partSize) => _partSize = partSize;

    /// <summary>Begins a tag of the same kind as one that is known; null where no part size gives its number of parts.</summary>
    public static ETagHash? Like(string tag, long length)
    {
        var hyphen = tag.IndexOf('-', StringComparison.Ordinal);
        if (hyphen < 0)
            return tag.Length == 32 ? new(null) : null;
        if (!int.TryParse(tag.AsSpan(hyphen + 1), out var parts))
            return null;
        var size = Array.Find(PartSizes, candidate => (length + candidate - 1) / candidate == parts);
        return size == 0 ? null : new(size);
    }

    /// <summary>Continues with <paramref name="data"/>.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (_inPart == _partSize)
                EndPart();
            var count = (int)Math.Min(data.Length, (_partSize ?? long.MaxValue) - _inPart);
            _part.AppendData(data[..count]);
            _inPart += count;
            data = data[count..];
        }
    }

    /// <summary>The tag, without quotes.</summary>
    public string Finish()
    {
        if (_partSize is null)
            return Convert.ToHexStringLower(_part.GetHashAndReset());
        EndPart();
        return $"{Convert.ToHexStringLower(_whole.GetHashAndReset())}-{_parts}";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _part.Dispose();
        _whole.Dispose();
    }

    private void EndPart()
    {
        _whole.AppendData(_part.GetHashAndReset());
        _inPart = 0;
        _parts++;
    }
}
