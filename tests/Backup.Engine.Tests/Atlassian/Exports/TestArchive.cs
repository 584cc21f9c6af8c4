using System.IO.Compression;
using System.Text;
using Backup.Engine.Atlassian.Exports;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Tests.Atlassian.Exports;

/// <summary>How an entry is written.</summary>
public enum Sizes
{
    /// <summary>In the header.</summary>
    Before,

    /// <summary>Behind the data, 32 bits, with signature.</summary>
    Signed32,

    /// <summary>Behind the data, 64 bits, with signature.</summary>
    Signed64,

    /// <summary>Behind the data, 32 bits.</summary>
    Unsigned32,

    /// <summary>Behind the data, 64 bits.</summary>
    Unsigned64,
}

/// <summary>An entry of a test's archive.</summary>
public sealed record TestEntry(string Name, byte[] Content, bool Deflate = true, Sizes Sizes = Sizes.Before, bool Zip64 = false, ushort Flags = 0, ushort? Method = null);

/// <summary>Writes archives in every form that the format allows, and remembers what each byte is.</summary>
internal sealed class TestArchive
{
    private readonly MemoryStream _file = new();
    private readonly List<(long Start, string What)> _parts = [];
    private readonly List<(TestEntry Entry, long Offset, uint Crc, long Compressed)> _entries = [];

    public byte[] Bytes => _file.ToArray();

    public List<(long Start, string What)> Parts => _parts;

    public static byte[] Of(params IEnumerable<TestEntry> entries) => Build(entries).Bytes;

    public static TestArchive Build(IEnumerable<TestEntry> entries, bool zip64End = false, Func<int, int>? directoryOrder = null, string comment = "")
    {
        var archive = new TestArchive();
        foreach (var entry in entries)
            archive.Add(entry);
        archive.End(zip64End, directoryOrder ?? (index => index), comment);
        return archive;
    }

    public static async Task<ExportReport> VerifyAsync(byte[] bytes, Func<int, int>? chunk = null)
    {
        await using var verifier = new ExportVerifier();
        for (var (at, round) = (0, 0); at < bytes.Length; round++)
        {
            var length = Math.Min(chunk?.Invoke(round) ?? bytes.Length, bytes.Length - at);
            await verifier.WriteAsync(bytes.AsMemory(at, length));
            at += length;
        }

        return await verifier.CompleteAsync();
    }

    /// <summary>What the byte at an offset is.</summary>
    public string At(long offset) => _parts.Last(part => part.Start <= offset).What;

    private void Add(TestEntry entry)
    {
        var (offset, crc) = (_file.Position, Crc32.Hash(entry.Content));
        var data = entry.Deflate ? Deflate(entry.Content) : entry.Content;
        var streamed = entry.Sizes != Sizes.Before;
        Header("local", 0x04034b50, entry, crc, data.Length, central: false);
        Part("local name", Encoding.UTF8.GetBytes(entry.Name));
        if (entry.Zip64)
        {
            Part("local zip64", U16(1), U16(16), U64(streamed ? 0 : entry.Content.Length), U64(streamed ? 0 : data.Length));
        }

        Part("local other extra", U16(0x5455), U16(5), [3, 1, 2, 3, 4]);
        Part(entry.Deflate ? "deflated data" : "stored data", data);
        if (entry.Sizes is Sizes.Signed32 or Sizes.Signed64)
            Part("descriptor signature", U32(0x08074b50));
        if (streamed)
            Part("descriptor crc", U32(crc));
        if (entry.Sizes is Sizes.Signed32 or Sizes.Unsigned32)
            Part("descriptor sizes", U32((uint)data.Length), U32((uint)entry.Content.Length));
        if (entry.Sizes is Sizes.Signed64 or Sizes.Unsigned64)
            Part("descriptor sizes", U64(data.Length), U64(entry.Content.Length));
        _entries.Add((entry, offset, crc, data.Length));
    }

    private void End(bool zip64, Func<int, int> order, string comment)
    {
        var start = _file.Position;
        for (var i = 0; i < _entries.Count; i++)
        {
            var (entry, offset, crc, compressed) = _entries[order(i)];
            Header("central", 0x02014b50, entry, crc, compressed, central: true);
            Part("central comment length", U16(1));
            Part("central disk", U16(0));
            Part("central internal attributes", U16(0));
            Part("central external attributes", U32(0));
            Part("central offset", U32(entry.Zip64 ? uint.MaxValue : (uint)offset));
            Part("central name", Encoding.UTF8.GetBytes(entry.Name));
            if (entry.Zip64)
                Part("central zip64", U16(1), U16(24), U64(entry.Content.Length), U64(compressed), U64(offset));
            Part("central other extra", U16(0x5455), U16(5), [3, 1, 2, 3, 4]);
            Part("central comment", "c"u8.ToArray());
        }

        var end = _file.Position;
        if (zip64)
        {
            Part("zip64 end signature", U32(0x06064b50));
            Part("zip64 end length", U64(44));
            Part("zip64 end versions", U16(45), U16(45));
            Part("zip64 end disks", U64(0));
            Part("zip64 end counts", U64(_entries.Count), U64(_entries.Count));
            Part("zip64 end place", U64(end - start), U64(start));
            Part("zip64 locator", U32(0x07064b50), U32(0), U64(end), U32(1));
        }

        Part("end signature", U32(0x06054b50));
        Part("end disks", U32(0));
        Part("end counts", U16(zip64 ? 0xFFFF : _entries.Count), U16(zip64 ? 0xFFFF : _entries.Count));
        Part("end place", U32(zip64 ? uint.MaxValue : (uint)(end - start)), U32(zip64 ? uint.MaxValue : (uint)start));
        Part("end comment length", U16(comment.Length));
        Part("end comment", Encoding.ASCII.GetBytes(comment));
    }

    private void Header(string which, uint signature, TestEntry entry, uint crc, long compressed, bool central)
    {
        var behind = entry.Sizes != Sizes.Before && !central;
        Part($"{which} signature", U32(signature));
        if (central)
            Part("central version made by", U16(20));
        Part($"{which} version needed", U16(entry.Zip64 ? 45 : 20));
        Part($"{which} flags", U16(entry.Flags | (entry.Sizes == Sizes.Before ? 0x0800 : 0x0808)));
        Part($"{which} method", U16(entry.Method ?? (entry.Deflate ? 8 : 0)));
        Part($"{which} time", U16(0x1234), U16(0x5678));
        Part($"{which} crc", U32(behind ? 0 : crc));
        Part(
            $"{which} sizes",
            U32(entry.Zip64 ? uint.MaxValue : behind ? 0 : (uint)compressed),
            U32(entry.Zip64 ? uint.MaxValue : behind ? 0 : (uint)entry.Content.Length));
        Part($"{which} name length", U16(Encoding.UTF8.GetByteCount(entry.Name)));
        Part($"{which} extra length", U16(9 + (entry.Zip64 ? central ? 28 : 20 : 0)));
    }

    private void Part(string what, params ReadOnlySpan<byte[]> values)
    {
        _parts.Add((_file.Position, what));
        foreach (var value in values)
            _file.Write(value);
    }

    private static byte[] Deflate(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var deflate = new DeflateStream(memory, CompressionLevel.Optimal))
            deflate.Write(content);
        // .NET writes nothing at all for nothing; others write an empty block.
        return content.Length == 0 ? [3, 0] : memory.ToArray();
    }

    private static byte[] U16(int value) => BitConverter.GetBytes((ushort)value);

    private static byte[] U32(uint value) => BitConverter.GetBytes(value);

    private static byte[] U64(long value) => BitConverter.GetBytes(value);
}
