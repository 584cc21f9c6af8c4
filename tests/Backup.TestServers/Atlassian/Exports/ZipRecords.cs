using System.Buffers.Binary;
using System.Text;

namespace Backup.TestServers.Atlassian.Exports;

/// <summary>An entry of the archive.</summary>
internal sealed record ZipEntry(string Name, bool Deflated, bool Streamed, uint Crc, long Compressed, long Uncompressed, long Offset);

/// <summary>
/// Zip's records as Java's <c>ZipOutputStream</c>, which Atlassian's products write with, lays them out (APPNOTE 4.3): deflated entries have a data
/// descriptor with signature behind them, stored ones their sizes in front.
/// </summary>
internal static class ZipRecords
{
    private const ushort Time = 2 << 11;
    private const ushort Date = ((2026 - 1980) << 9) | (11 << 5) | 20;
    private const uint Elsewhere = uint.MaxValue;
    private const int Zip64EndLength = 56 + 20;

    public static byte[] Local(ZipEntry entry)
    {
        var record = Begin(0x04034b50, 20);
        Shared(record, entry, entry.Streamed ? (0, 0, 0) : (entry.Crc, (uint)entry.Compressed, (uint)entry.Uncompressed));
        U16(record, 0);
        record.Write(Encoding.UTF8.GetBytes(entry.Name));
        return record.ToArray();
    }

    public static byte[] Descriptor(ZipEntry entry)
    {
        var record = new MemoryStream();
        U32(record, 0x08074b50);
        U32(record, entry.Crc);
        U32(record, (uint)entry.Compressed);
        U32(record, (uint)entry.Uncompressed);
        return record.ToArray();
    }

    public static int CentralLength(string name, long offset) => 46 + name.Length + (offset >= Elsewhere ? 12 : 0);

    public static byte[] Central(ZipEntry entry)
    {
        var far = entry.Offset >= Elsewhere;
        var record = Begin(0x02014b50, far ? 45 : 20);
        U16(record, far ? 45 : 20);
        Shared(record, entry, (entry.Crc, (uint)entry.Compressed, (uint)entry.Uncompressed));
        U16(record, far ? 12 : 0);
        record.Write(new byte[10]);
        U32(record, far ? Elsewhere : (uint)entry.Offset);
        record.Write(Encoding.UTF8.GetBytes(entry.Name));
        if (far)
        {
            U16(record, 1);
            U16(record, 8);
            U64(record, entry.Offset);
        }

        return record.ToArray();
    }

    public static int EndLength(bool zip64) => 22 + (zip64 ? Zip64EndLength : 0);

    public static byte[] End(bool zip64, long count, long start, long length)
    {
        var record = new MemoryStream();
        if (zip64)
        {
            U32(record, 0x06064b50);
            U64(record, 44);
            U16(record, 45);
            U16(record, 45);
            U64(record, 0);
            U64(record, count);
            U64(record, count);
            U64(record, length);
            U64(record, start);
            U32(record, 0x07064b50);
            U32(record, 0);
            U64(record, start + length);
            U32(record, 1);
        }

        U32(record, 0x06054b50);
        U32(record, 0);
        U16(record, zip64 ? ushort.MaxValue : count);
        U16(record, zip64 ? ushort.MaxValue : count);
        U32(record, zip64 ? Elsewhere : (uint)length);
        U32(record, zip64 ? Elsewhere : (uint)start);
        U16(record, 0);
        return record.ToArray();
    }

    private static MemoryStream Begin(uint signature, int version)
    {
        var record = new MemoryStream();
        U32(record, signature);
        U16(record, version);
        return record;
    }

    private static void Shared(MemoryStream record, ZipEntry entry, (uint Crc, uint Compressed, uint Uncompressed) sums)
    {
        U16(record, 0x0800 | (entry.Streamed ? 8 : 0));
        U16(record, entry.Deflated ? 8 : 0);
        U16(record, Time);
        U16(record, Date);
        U32(record, sums.Crc);
        U32(record, sums.Compressed);
        U32(record, sums.Uncompressed);
        U16(record, entry.Name.Length);
    }

    private static void U16(MemoryStream record, long value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, checked((ushort)value));
        record.Write(bytes);
    }

    private static void U32(MemoryStream record, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        record.Write(bytes);
    }

    private static void U64(MemoryStream record, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        record.Write(bytes);
    }
}
