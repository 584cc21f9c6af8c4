using System.Buffers.Binary;
using System.Text;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// What a local header and its twin in the central directory both say of an entry. Layouts are those of PKWARE's APPNOTE 6.3.10,
/// sections 4.3.7 (local), 4.3.12 (central) and 4.5.3 (zip64).
/// </summary>
internal readonly record struct ZipHeader
{
    public const uint LocalSignature = 0x04034b50;
    public const uint CentralSignature = 0x02014b50;
    public const int LocalLength = 30;
    public const int CentralLength = 46;

    private const int Zip64Extra = 1;
    private const uint InExtra = uint.MaxValue;
    private const int MostName = 300;

    public ushort Flags { get; private init; }

    public ushort Method { get; private init; }

    public uint Crc { get; private init; }

    public long Compressed { get; private init; }

    public long Uncompressed { get; private init; }

    /// <summary>The name for messages and rules: cut where it is absurdly long, without control characters.</summary>
    public string Name { get; private init; }

    /// <summary>Of the central directory: where it says the local header is.</summary>
    public long Offset { get; private init; }

    /// <summary>Of the central directory: the volume.</summary>
    public int Disk { get; private init; }

    /// <summary>CRC-32 of the name, flags, method and time, which have to be the same in both headers.</summary>
    public uint Identity { get; private init; }

    public bool HasDescriptor => (Flags & 0x0008) != 0;

    // Bit 0: the entry; bit 6: strongly; bit 13: the headers themselves are masked.
    public bool IsEncrypted => (Flags & 0x2041) != 0;

    public bool IsPatch => (Flags & 0x0020) != 0;

    /// <summary>The length of the names and extra fields that follow a local header's fixed part.</summary>
    public static int LocalRest(ReadOnlySpan<byte> header) => U16(header, 26) + U16(header, 28);

    /// <summary>The length of the name, extra fields and comment that follow a central header's fixed part.</summary>
    public static int CentralRest(ReadOnlySpan<byte> header) => U16(header, 28) + U16(header, 30) + U16(header, 32);

    /// <summary>Reads a local header whose fixed part and rest are in one piece.</summary>
    public static ZipHeader ReadLocal(ReadOnlySpan<byte> record)
    {
        var extra = Zip64(record.Slice(LocalLength + U16(record, 26), U16(record, 28)));
        var (compressed, uncompressed) = ((long)U32(record, 18), (long)U32(record, 22));
        // A local header has both lengths there, though only one of them needs it.
        if (extra.Length >= 16)
            (uncompressed, compressed) = (uncompressed == InExtra ? I64(extra, 0) : uncompressed, compressed == InExtra ? I64(extra, 8) : compressed);
        return Common(record[6..14], record.Slice(LocalLength, U16(record, 26))) with { Crc = U32(record, 14), Compressed = compressed, Uncompressed = uncompressed };
    }

    /// <summary>Reads a header of the central directory whose fixed part and rest are in one piece.</summary>
    public static ZipHeader ReadCentral(ReadOnlySpan<byte> record)
    {
        var extra = Zip64(record.Slice(CentralLength + U16(record, 28), U16(record, 30)));
        var (compressed, uncompressed, offset) = ((long)U32(record, 20), (long)U32(record, 24), (long)U32(record, 42));
        // Here only those are there that need it, in this order.
        Replace(ref uncompressed, ref extra);
        Replace(ref compressed, ref extra);
        Replace(ref offset, ref extra);
        return Common(record[8..16], record.Slice(CentralLength, U16(record, 28))) with
        {
            Crc = U32(record, 16),
            Compressed = compressed,
            Uncompressed = uncompressed,
            Offset = offset,
            Disk = U16(record, 34),
        };
    }

    private static string Legible(string name)
    {
        if (name.Length > MostName)
            name = $"{name.AsSpan(0, MostName)}…";
        return name.Any(char.IsControl) ? string.Concat(name.Select(letter => char.IsControl(letter) ? '?' : letter)) : name;
    }

    private static void Replace(ref long value, ref ReadOnlySpan<byte> extra)
    {
        if (value != InExtra || extra.Length < 8)
            return;
        value = I64(extra, 0);
        extra = extra[8..];
    }

    // Flags, method, time and date are next to each other in both.
    private static ZipHeader Common(ReadOnlySpan<byte> fields, ReadOnlySpan<byte> name) => new()
    {
        Flags = U16(fields, 0),
        Method = U16(fields, 2),
        Name = Legible(Encoding.UTF8.GetString(name)),
        Identity = Crc32.Combine(Crc32.Hash(fields), Crc32.Hash(name), name.Length),
    };

    // Only where all fields fill the space to its end: a wrong length anywhere puts what comes behind it out of step.
    private static ReadOnlySpan<byte> Zip64(ReadOnlySpan<byte> extra)
    {
        ReadOnlySpan<byte> found = [];
        while (extra.Length >= 4)
        {
            var length = U16(extra, 2);
            if (length > extra.Length - 4)
                return [];
            if (U16(extra, 0) == Zip64Extra)
                found = extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }

        return extra.IsEmpty ? found : [];
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
