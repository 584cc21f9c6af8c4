using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Backup.Engine.GitHub.Git;

/// <summary>The objects of a pack: an <c>.idx</c> file of version 2 (gitformat-pack(5)), as git writes it since 2008.</summary>
internal sealed class PackIndex : IDisposable
{
    private const uint Magic = 0xFF744F63;
    private const int Header = 8;
    private const int Fanout = 256 * sizeof(uint);

    private readonly SafeFileHandle _file;
    private readonly uint[] _upTo = new uint[256];
    private readonly int _width;

    private PackIndex(SafeFileHandle file, ObjectFormat format)
    {
        _file = file;
        _width = format.HexLength / 2;
        Span<byte> head = stackalloc byte[Header + Fanout];
        if (RandomAccess.Read(file, head, 0) != head.Length || BinaryPrimitives.ReadUInt32BigEndian(head) != Magic || BinaryPrimitives.ReadUInt32BigEndian(head[4..]) != 2)
            throw new BackupException(FailureKind.Corrupt, "The index of a pack is damaged.", "Remove the mirror; it is made again.");
        for (var i = 0; i < _upTo.Length; i++)
            _upTo[i] = BinaryPrimitives.ReadUInt32BigEndian(head[(Header + (i * sizeof(uint)))..]);
    }

    /// <summary>How many objects there are.</summary>
    public long Count => _upTo[^1];

    /// <summary>Opens an index.</summary>
    public static PackIndex Open(string path, ObjectFormat format)
    {
        var file = File.OpenHandle(path, options: FileOptions.RandomAccess);
        try
        {
            return new(file, format);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether the pack has this object.</summary>
    public bool Contains(ReadOnlySpan<byte> id)
    {
        var (low, high) = (id[0] == 0 ? 0L : _upTo[id[0] - 1], (long)_upTo[id[0]]);
        Span<byte> found = stackalloc byte[_width];
        while (low < high)
        {
            var middle = (low + high) / 2;
            Read(middle, found);
            var order = found.SequenceCompareTo(id);
            if (order == 0)
                return true;
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }

        return false;
    }

    /// <summary>All objects, in the order of their ids.</summary>
    public IEnumerable<string> Ids()
    {
        const int Block = 1024;
        var buffer = new byte[Block * _width];
        for (var first = 0L; first < Count; first += Block)
        {
            var count = (int)Math.Min(Block, Count - first);
            Read(first, buffer.AsSpan(0, count * _width));
            for (var i = 0; i < count; i++)
                yield return Convert.ToHexStringLower(buffer, i * _width, _width);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Read(long position, Span<byte> to)
    {
        if (RandomAccess.Read(_file, to, Header + Fanout + (position * _width)) != to.Length)
            throw new BackupException(FailureKind.Corrupt, "The index of a pack is cut.", "Remove the mirror; it is made again.");
    }
}
