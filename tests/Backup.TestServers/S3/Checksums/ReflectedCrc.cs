using System.Buffers.Binary;

namespace Backup.TestServers.S3.Checksums;

/// <summary>A reflected CRC of up to 64 bits, eight bytes a step (slice-by-8), all ones in and out.</summary>
internal sealed class ReflectedCrc
{
    public static readonly ReflectedCrc Crc32 = new(0xEDB88320, 32);
    public static readonly ReflectedCrc Crc32C = new(0x82F63B78, 32);
    public static readonly ReflectedCrc Crc64Nvme = new(0x9A6C9329AC4BC9B5, 64);

    private readonly ulong[] _table = new ulong[8 * 256];
    private readonly ulong _ones;

    private ReflectedCrc(ulong polynomial, int width)
    {
        Width = width;
        _ones = ulong.MaxValue >> (64 - width);
        for (var value = 0; value < 256; value++)
        {
            var crc = (ulong)value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) is 0 ? crc >> 1 : (crc >> 1) ^ polynomial;
            _table[value] = crc;
        }

        for (var slice = 1; slice < 8; slice++)
        {
            for (var value = 0; value < 256; value++)
            {
                var before = _table[((slice - 1) * 256) + value];
                _table[(slice * 256) + value] = (before >> 8) ^ _table[(int)(before & 0xFF)];
            }
        }
    }

    public int Width { get; }

    public ulong Start() => _ones;

    public ulong Finish(ulong state) => state ^ _ones;

    public ulong Append(ulong state, ReadOnlySpan<byte> data)
    {
        var table = _table.AsSpan();
        while (data.Length >= 8)
        {
            state ^= BinaryPrimitives.ReadUInt64LittleEndian(data);
            state = table[0x700 + (int)(state & 0xFF)]
                ^ table[0x600 + (int)((state >> 8) & 0xFF)]
                ^ table[0x500 + (int)((state >> 16) & 0xFF)]
                ^ table[0x400 + (int)((state >> 24) & 0xFF)]
                ^ table[0x300 + (int)((state >> 32) & 0xFF)]
                ^ table[0x200 + (int)((state >> 40) & 0xFF)]
                ^ table[0x100 + (int)((state >> 48) & 0xFF)]
                ^ table[(int)(state >> 56)];
            data = data[8..];
        }

        foreach (var value in data)
            state = (state >> 8) ^ table[(int)((state ^ value) & 0xFF)];
        return state;
    }
}
