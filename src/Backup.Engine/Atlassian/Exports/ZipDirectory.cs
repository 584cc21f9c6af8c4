using System.Collections;
using System.Runtime.InteropServices;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// The entries that were read, to be held against the central directory in whatever order that has them. 32 bytes an entry: a million entries are 32 MB.
/// </summary>
internal sealed class ZipDirectory
{
    private readonly List<Entry> _entries = [];
    private BitArray _seen = new(0);
    private int _next;

    /// <summary>Entries read, or headers of the central directory once that has begun: in the end they are the same.</summary>
    public int Count => _entries.Count;

    /// <summary>Remembers an entry whose data was read.</summary>
    public void Add(ZipHeader header, long offset, long compressed, long uncompressed, uint crc) =>
        _entries.Add(new(offset, compressed, uncompressed, crc, header.Identity));

    /// <summary>Holds one header of the central directory against its entry.</summary>
    public void Match(ZipHeader header, long at)
    {
        if (_seen.Length < Count)
            _seen = new BitArray(Count);
        var index = Find(header.Offset);
        if (index < 0)
            throw Mismatch($"gives offset {header.Offset}, where no entry begins");
        if (_seen[index])
            throw Mismatch("is there twice");
        _seen[index] = true;
        _next = index + 1;

        var entry = _entries[index];
        if (header.Disk != 0)
            throw new ExportProblemException(ExportProblemKind.Unsupported, at, header.Name, $"The central directory puts '{header.Name}' on another volume (offset {at}): archives of several volumes are not read.");
        if (header.Identity != entry.Identity)
            throw Mismatch("differs from the local header in name, flags, method or time");
        if (header.Crc != entry.Crc)
            throw Mismatch($"has CRC-32 {header.Crc:x8}, the data has {entry.Crc:x8}");
        if (header.Compressed != entry.Compressed || header.Uncompressed != entry.Uncompressed)
            throw Mismatch($"has sizes {header.Compressed} and {header.Uncompressed}, the data has {entry.Compressed} and {entry.Uncompressed}");

        ExportProblemException Mismatch(string how) =>
            new(ExportProblemKind.RecordMismatch, at, header.Name, $"The central directory's record of '{header.Name}' at offset {at} {how}.");
    }

    /// <summary>How many of the entries the central directory named.</summary>
    public int Matched
    {
        get
        {
            var matched = 0;
            for (var i = 0; i < _seen.Length; i++)
                matched += _seen[i] ? 1 : 0;
            return matched;
        }
    }

    // Nearly always it is the next one; otherwise the offsets are in order, as the entries were read.
    private int Find(long offset)
    {
        var entries = CollectionsMarshal.AsSpan(_entries);
        if (_next < entries.Length && entries[_next].Offset == offset)
            return _next;
        var (low, high) = (0, entries.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (entries[middle].Offset == offset)
                return middle;
            if (entries[middle].Offset < offset)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return -1;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Entry(long Offset, long Compressed, long Uncompressed, uint Crc, uint Identity);
}
