namespace Backup.TestServers.Atlassian.Exports;

/// <summary>A stretch of the file, any part of which can be had without what is before it.</summary>
internal abstract class Piece(long length)
{
    public long Length => length;

    /// <summary>Writes the bytes that begin at <paramref name="offset"/> of this piece, and as many as there is room for.</summary>
    public abstract void Fill(long offset, Span<byte> into);
}

/// <summary>Bytes that are held: headers, small files.</summary>
internal sealed class Bytes(byte[] bytes) : Piece(bytes.Length)
{
    public override void Fill(long offset, Span<byte> into) => bytes.AsSpan((int)offset, into.Length).CopyTo(into);
}

/// <summary>
/// Content as deflate's stored blocks (RFC 1951, 3.2.4), which is what deflate makes of pictures and other archives: five bytes before each 65,535.
/// Its length and any part of it are known without compressing anything.
/// </summary>
internal sealed class StoredBlocks(Piece content) : Piece(content.Length + (HeaderLength * Blocks(content.Length)))
{
    private const int HeaderLength = 5;
    private const int BlockLength = ushort.MaxValue;

    public override void Fill(long offset, Span<byte> into)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        while (!into.IsEmpty)
        {
            var (block, at) = Math.DivRem(offset, HeaderLength + BlockLength);
            var length = (int)Math.Min(BlockLength, content.Length - (block * BlockLength));
            int filled;
            if (at < HeaderLength)
            {
                var isLast = (block + 1) * BlockLength >= content.Length;
                Header(header, length, isLast);
                filled = Math.Min(HeaderLength - (int)at, into.Length);
                header.Slice((int)at, filled).CopyTo(into);
            }
            else
            {
                at -= HeaderLength;
                filled = Math.Min(length - (int)at, into.Length);
                content.Fill((block * BlockLength) + at, into[..filled]);
            }

            offset += filled;
            into = into[filled..];
        }
    }

    /// <summary>A stored block's header.</summary>
    public static void Header(Span<byte> header, int length, bool isLast)
    {
        header[0] = isLast ? (byte)1 : (byte)0;
        (header[1], header[2]) = ((byte)length, (byte)(length >> 8));
        (header[3], header[4]) = ((byte)~header[1], (byte)~header[2]);
    }

    private static long Blocks(long length) => Math.Max(1, (length + BlockLength - 1) / BlockLength);
}
