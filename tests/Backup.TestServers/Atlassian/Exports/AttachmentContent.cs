using System.Text;

namespace Backup.TestServers.Atlassian.Exports;

/// <summary>
/// An attachment: a line that is its own, then blocks of noise, picked from a few by attachment and position. So any part is at hand, and the checksum is
/// combined from the blocks'.
/// </summary>
internal sealed class AttachmentContent(NoiseBlocks noise, int number, long length) : Piece(length)
{
    /// <summary>No attachment is shorter than its own line.</summary>
    public const int Least = 64;

    private readonly byte[] _line = Encoding.ASCII.GetBytes($"Attachment {number} of {length} bytes".PadRight(Least - 1) + "\n");

    public override void Fill(long offset, Span<byte> into)
    {
        if (offset < Least)
        {
            var line = _line.AsSpan((int)offset, Math.Min(Least - (int)offset, into.Length));
            line.CopyTo(into);
            into = into[line.Length..];
            offset += line.Length;
        }

        while (!into.IsEmpty)
        {
            var (index, at) = Math.DivRem(offset - Least, NoiseBlocks.BlockLength);
            var part = noise.Block(number, index).AsSpan((int)at, Math.Min(NoiseBlocks.BlockLength - (int)at, into.Length));
            part.CopyTo(into);
            into = into[part.Length..];
            offset += part.Length;
        }
    }

    /// <summary>CRC-32 of all of it.</summary>
    public uint Crc()
    {
        var crc = Crc32Combination.Of(_line);
        var (blocks, rest) = Math.DivRem(Length - Least, NoiseBlocks.BlockLength);
        for (var index = 0L; index < blocks; index++)
            crc = Crc32Combination.Combine(crc, noise.Crc(number, index), noise.Shift);
        return rest == 0 ? crc : Crc32Combination.Combine(crc, Crc32Combination.Of(noise.Block(number, blocks).AsSpan(0, (int)rest)), Crc32Combination.Shift(rest));
    }
}

/// <summary>A few blocks of bytes that do not compress.</summary>
internal sealed class NoiseBlocks
{
    public const int BlockLength = 128 * 1024;
    private const int Count = 32;

    private readonly byte[][] _blocks = new byte[Count][];
    private readonly uint[] _crcs = new uint[Count];

    public NoiseBlocks(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < Count; i++)
        {
            _blocks[i] = new byte[BlockLength];
            random.NextBytes(_blocks[i]);
            _crcs[i] = Crc32Combination.Of(_blocks[i]);
        }
    }

    /// <summary>What puts a block behind a checksum.</summary>
    public uint Shift { get; } = Crc32Combination.Shift(BlockLength);

    public byte[] Block(int attachment, long index) => _blocks[Pick(attachment, index)];

    public uint Crc(int attachment, long index) => _crcs[Pick(attachment, index)];

    private static int Pick(int attachment, long index) => (int)(((((ulong)attachment << 32) + (ulong)index) * 0x9E3779B97F4A7C15) >> 59);
}
