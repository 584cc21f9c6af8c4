using System.Buffers.Binary;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// The record behind an entry whose sizes were not known when its header was written (APPNOTE 4.3.9): CRC-32, compressed and
/// uncompressed size, of 32 or of 64 bits each, with or without a signature before them. Nothing says which of the four it is,
/// nor, where the data is deflated, where exactly it begins; the data itself does, as only one reading agrees with it.
/// </summary>
internal static class DataDescriptor
{
    public const uint Signature = 0x08074b50;
    public const int MostBytes = 24;

    /// <summary>Finds the descriptor that agrees with the data.</summary>
    /// <param name="window">Bytes of the file.</param>
    /// <param name="last">The last index in them at which the descriptor may begin.</param>
    /// <param name="before">Compressed bytes of the entry before the window.</param>
    /// <param name="crc">CRC-32 of the data.</param>
    /// <param name="size">The data's length, uncompressed.</param>
    /// <returns>Where it begins and how long it is, or null.</returns>
    public static (int Start, int Length)? Find(ReadOnlySpan<byte> window, int last, long before, uint crc, long size)
    {
        Span<byte> wanted = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(wanted, crc);
        for (var at = 0; at <= last + 4; at++)
        {
            var next = window[Math.Min(at, window.Length)..].IndexOf(wanted);
            if (next < 0)
                return null;
            at += next;
            if (at >= 4 && at - 4 <= last && U32(window, at - 4) == Signature && Sizes(window, at + 4, before + at - 4, size) is > 0 and var signed)
                return (at - 4, 8 + signed);
            if (at <= last && Sizes(window, at + 4, before + at, size) is > 0 and var unsigned)
                return (at, 4 + unsigned);
        }

        return null;
    }

    /// <summary>Says what is wrong where none agrees: the one that has a signature and all but one field right.</summary>
    public static ExportProblemException Disagreement(ReadOnlySpan<byte> window, int last, long before, uint crc, long size, string name, long data)
    {
        for (var at = 0; at <= last && at + 16 <= window.Length; at++)
        {
            var next = window[at..].IndexOf("PK\x07\x08"u8);
            if (next < 0)
                break;
            at += next;
            if (at > last || at + 16 > window.Length)
                break;
            var (statedCrc, compressed, uncompressed) = (U32(window, at + 4), U32(window, at + 8), U32(window, at + 12));
            if (at + 24 <= window.Length && U64(window, at + 8) == (ulong)(before + at))
                uncompressed = U32(window, at + 16);
            if (compressed == (uint)(before + at))
            {
                return statedCrc != crc
                    ? Checksum(name, data, crc, statedCrc)
                    : new(ExportProblemKind.SizeMismatch, data, name, $"The data of '{name}' at offset {data} is {size} bytes long, not {uncompressed} as its data descriptor says.");
            }

            if (statedCrc == crc && uncompressed == (uint)size)
                return new(ExportProblemKind.RecordMismatch, data + before + at, name, $"The data descriptor of '{name}' gives another compressed size than its data has.");
        }

        return new(
            ExportProblemKind.ChecksumMismatch,
            data,
            name,
            $"The data of '{name}' at offset {data} came to {size} bytes with CRC-32 {crc:x8}, and no data descriptor behind it agrees.");
    }

    /// <summary>Whether a descriptor with a signature begins here whose sizes are this one, for stored data.</summary>
    public static bool HasSizes(ReadOnlySpan<byte> window, long size) => Sizes(window, 8, size, size) > 0;

    public static ExportProblemException Checksum(string name, long data, uint actual, uint stated) =>
        new(ExportProblemKind.ChecksumMismatch, data, name, $"The data of '{name}' at offset {data} has CRC-32 {actual:x8}, not {stated:x8} as was recorded.");

    // 64 bits first: behind 32-bit sizes comes a signature, which cannot be the upper half of a size.
    private static int Sizes(ReadOnlySpan<byte> window, int at, long compressed, long uncompressed)
    {
        if (at + 16 <= window.Length && U64(window, at) == (ulong)compressed && U64(window, at + 8) == (ulong)uncompressed)
            return 16;
        return at + 8 <= window.Length && U32(window, at) == compressed && U32(window, at + 4) == uncompressed ? 8 : 0;
    }

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}
