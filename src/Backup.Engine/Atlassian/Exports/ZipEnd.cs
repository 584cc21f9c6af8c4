using System.Buffers.Binary;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>The records after the central directory (APPNOTE 4.3.14 to 4.3.16), held against what was read.</summary>
/// <param name="source">The archive, at the first of them.</param>
/// <param name="count">Entries that were read.</param>
/// <param name="start">Where the central directory began.</param>
internal sealed class ZipEnd(ZipSource source, long count, long start)
{
    public const uint Signature = 0x06054b50;
    public const uint Zip64Signature = 0x06064b50;
    private const uint LocatorSignature = 0x07064b50;
    private const int MostExtensible = 64 * 1024;

    private readonly long _size = source.Position - start;
    private bool _zip64;

    /// <summary>Reads to the end of the file.</summary>
    public async ValueTask ReadAsync(uint signature)
    {
        if (signature == Zip64Signature)
        {
            await Zip64Async();
            signature = BinaryPrimitives.ReadUInt32LittleEndian((await source.TakeAsync(4)).Span);
            if (signature != Signature)
                throw Wrong(ExportProblemKind.RecordMismatch, source.Position - 4, "the end record does not follow the zip64 locator");
        }
        else
        {
            source.Advance(4);
        }

        var at = source.Position - 4;
        var comment = Check((await source.TakeAsync(18)).Span, at);
        await source.TakeAsync(comment);

        var after = new byte[1];
        if (await source.PeekAsync(after) != 0)
            throw Wrong(ExportProblemKind.UnexpectedData, source.Position, "there are bytes after the archive's end");
    }

    private async ValueTask Zip64Async()
    {
        _zip64 = true;
        var at = source.Position;
        var length = Check64((await source.TakeAsync(56)).Span, at);
        // An extensible data sector, which no one is known to write, follows the fields.
        await source.TakeAsync(length - 44);
        CheckLocator((await source.TakeAsync(20)).Span, at);
    }

    private int Check64(ReadOnlySpan<byte> record, long at)
    {
        var length = BinaryPrimitives.ReadInt64LittleEndian(record[4..]);
        if (length is < 44 or > MostExtensible)
            throw Wrong(ExportProblemKind.RecordMismatch, at, $"the zip64 end record says that it is {length} bytes long");
        if ((BinaryPrimitives.ReadUInt32LittleEndian(record[16..]) | BinaryPrimitives.ReadUInt32LittleEndian(record[20..])) != 0)
            throw SeveralVolumes(at);
        Same(at, "entries on this volume", BinaryPrimitives.ReadInt64LittleEndian(record[24..]), count, null);
        Same(at, "entries", BinaryPrimitives.ReadInt64LittleEndian(record[32..]), count, null);
        Same(at, "bytes of central directory", BinaryPrimitives.ReadInt64LittleEndian(record[40..]), _size, null);
        Same(at, "as the central directory's offset", BinaryPrimitives.ReadInt64LittleEndian(record[48..]), start, null);
        return (int)length;
    }

    private void CheckLocator(ReadOnlySpan<byte> record, long zip64)
    {
        var at = source.Position - 20;
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != LocatorSignature)
            throw Wrong(ExportProblemKind.RecordMismatch, at, "the zip64 locator does not follow the zip64 end record");
        if (BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(record[16..]) != 1)
            throw SeveralVolumes(at);
        Same(at, "as the zip64 end record's offset", BinaryPrimitives.ReadInt64LittleEndian(record[8..]), zip64, null);
    }

    private int Check(ReadOnlySpan<byte> record, long at)
    {
        if ((BinaryPrimitives.ReadUInt16LittleEndian(record) is not (0 or ushort.MaxValue)) || (BinaryPrimitives.ReadUInt16LittleEndian(record[2..]) is not (0 or ushort.MaxValue)))
            throw SeveralVolumes(at);
        Same(at, "entries on this volume", BinaryPrimitives.ReadUInt16LittleEndian(record[4..]), count, ushort.MaxValue);
        Same(at, "entries", BinaryPrimitives.ReadUInt16LittleEndian(record[6..]), count, ushort.MaxValue);
        Same(at, "bytes of central directory", BinaryPrimitives.ReadUInt32LittleEndian(record[8..]), _size, uint.MaxValue);
        Same(at, "as the central directory's offset", BinaryPrimitives.ReadUInt32LittleEndian(record[12..]), start, uint.MaxValue);
        return BinaryPrimitives.ReadUInt16LittleEndian(record[16..]);
    }

    // A field of all ones says: see the zip64 record, which has been checked by then.
    private void Same(long at, string what, long stated, long actual, long? elsewhere)
    {
        if (stated != actual && !(_zip64 && stated == elsewhere))
            throw Wrong(ExportProblemKind.RecordMismatch, at, $"the end record gives {stated} {what}, there is {actual}");
    }

    private static ExportProblemException SeveralVolumes(long at) =>
        Wrong(ExportProblemKind.Unsupported, at, "the end record speaks of several volumes, which are not read");

    private static ExportProblemException Wrong(ExportProblemKind kind, long at, string how) => new(kind, at, null, $"At offset {at}, {how}.");
}
