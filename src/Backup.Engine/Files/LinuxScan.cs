using System.Runtime.InteropServices;
using System.Text;

namespace Backup.Engine.Files;

/// <summary>
/// One walk over a tree on Linux. A directory's names lie side by side as bytes and are sorted there; the only things
/// allocated for a file are its entry and its path.
/// </summary>
internal sealed unsafe class LinuxScan(int root, string rootPath, bool follow, PathFilter? filter, Action<string, BackupException> onProblem)
{
    private const int DirectoryType = 4;
    private const int FileType = 8;
    private const int LinkType = 10;

    private readonly List<Level> _levels = [];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private byte[] _path = new byte[4096];

    /// <summary>Walks. A scan runs once.</summary>
    public IEnumerable<FileEntry> Run(CancellationToken cancellationToken)
    {
        var depth = -1;
        try
        {
            if (OpenRoot() is { } failure)
                throw failure;
            depth = 0;
            while (depth >= 0)
            {
                var level = _levels[depth];
                if (level.Next == level.Count)
                {
                    level.Close();
                    depth--;
                    continue;
                }

                cancellationToken.ThrowIfCancellationRequested();
                var name = level.Names[level.Next++];
                if (Describe(level, name, out var identity) is not { } entry)
                    continue;

                yield return entry;
                if (entry.Kind == FileEntryKind.Directory && Enter(depth, level, name, entry.Path, identity))
                    depth++;
            }
        }
        finally
        {
            for (; depth >= 0; depth--)
                _levels[depth].Close();
        }
    }

    private BackupException? OpenRoot()
    {
        var descriptor = LinuxFileTree.Open(root, "."u8, Libc.DirectoryOnly);
        if (descriptor < 0)
            return Libc.LastFailure("listed", rootPath);

        var level = new Level();
        _levels.Add(level);
        Libc.FileStatus status;
        fixed (byte* dot = ".\0"u8)
            _ = Libc.Stat(descriptor, dot, 0, Libc.FileStatus.Basic, &status);
        level.Open(descriptor, 0, (status.Device, status.Inode), LinuxFileTree.HasLastingInodes(descriptor));
        var errno = ReadNames(0, level, "");
        if (errno == 0)
            return null;
        level.Close();
        return Libc.Failure(errno, "listed", rootPath);
    }

    private bool Enter(int depth, Level parent, Name name, string path, (ulong Device, ulong Inode) identity)
    {
        int descriptor;
        fixed (byte* bytes = parent.At(name.Native))
            descriptor = Libc.Open(parent.Descriptor, bytes, Libc.CloseOnExec | Libc.DirectoryOnly | (name.IsFollowed ? 0 : Libc.NoFollow), 0);
        if (descriptor < 0)
        {
            Report(Marshal.GetLastPInvokeError(), "listed", path);
            return false;
        }

        if (_levels.Count == depth + 1)
            _levels.Add(new Level());
        var level = _levels[depth + 1];
        var lasting = identity.Device == parent.Identity.Device ? parent.HasLastingInodes : LinuxFileTree.HasLastingInodes(descriptor);
        level.Open(descriptor, parent.PathLength + name.EncodedLength, identity, lasting);
        SetPath(parent, name);
        var errno = ReadNames(depth + 1, level, path);
        if (errno != 0)
            Report(errno, "listed", path);
        return true;
    }

    private FileEntry? Describe(Level level, Name name, out (ulong Device, ulong Inode) identity)
    {
        identity = default;
        var path = SetPath(level, name);
        if (filter is not null && !filter.Includes(path))
            return null;

        Libc.FileStatus status;
        fixed (byte* bytes = level.At(name.Native))
        {
            if (Libc.Stat(level.Descriptor, bytes, Libc.AtNoAutomount | (name.IsFollowed ? 0 : Libc.AtSymlinkNoFollow), Libc.FileStatus.Basic, &status) != 0)
            {
                Report(Marshal.GetLastPInvokeError(), "read", path);
                return null;
            }
        }

        if (status.Kind == FileEntryKind.Directory != path.EndsWith('/'))
        {
            onProblem(path, new BackupException(FailureKind.ChangedWhileRead, $"'{Path.Join(rootPath, path)}' became something else while its folder was listed.", "It is taken up again by the next run."));
            return null;
        }

        identity = (status.Device, status.Inode);
        try
        {
            var native = level.At(name.Native);
            native = native[..native.IndexOf((byte)0)];
            return LinuxFileTree.Describe(level.Descriptor, native, path, path, status, level.HasLastingInodes);
        }
        catch (BackupException exception)
        {
            onProblem(path, exception);
            return null;
        }
    }

    /// <summary>Reads and sorts the names of the directory that the level has open; 0, or the errno that ended it early.</summary>
    private int ReadNames(int depth, Level level, string path)
    {
        while (true)
        {
            var length = Libc.GetDirectoryEntries(level.Descriptor, _buffer);
            if (length < 0)
            {
                level.Sort();
                return Marshal.GetLastPInvokeError();
            }

            if (length == 0)
            {
                level.Sort();
                return 0;
            }

            // struct linux_dirent64: inode 8, offset 8, length 2, type 1, name and a zero byte.
            for (var at = 0; at < length; at += MemoryMarshal.Read<ushort>(_buffer.AsSpan(at + 16)))
            {
                var name = _buffer.AsSpan(at + 19);
                name = name[..name.IndexOf((byte)0)];
                if (name is [(byte)'.'] or [(byte)'.', (byte)'.'])
                    continue;
                var type = _buffer[at + 18];
                var followed = false;
                if (type is not (DirectoryType or FileType) && (type == 0 || (type == LinkType && follow)))
                    (type, followed) = Resolve(depth, level, name, path);
                level.Add(name, type == DirectoryType, followed);
            }
        }
    }

    /// <summary>What a name is, where the directory does not say or what it links to counts.</summary>
    private (byte Type, bool Followed) Resolve(int depth, Level level, ReadOnlySpan<byte> name, string path)
    {
        Libc.FileStatus status;
        fixed (byte* bytes = name)
        {
            if (Libc.Stat(level.Descriptor, bytes, Libc.AtNoAutomount | Libc.AtSymlinkNoFollow, Libc.FileStatus.Basic, &status) != 0)
                return (FileType, false);
            if (status.Kind != FileEntryKind.Symlink || !follow)
                return (status.Kind == FileEntryKind.Directory ? (byte)DirectoryType : (byte)FileType, false);
            if (Libc.Stat(level.Descriptor, bytes, Libc.AtNoAutomount, Libc.FileStatus.Basic, &status) != 0)
                return (LinkType, false);
        }

        if (status.Kind != FileEntryKind.Directory)
            return (FileType, true);
        for (var above = 0; above <= depth; above++)
        {
            if (_levels[above].Identity != (status.Device, status.Inode))
                continue;
            var link = path + PathEncoding.Encode(name);
            onProblem(link, new BackupException(FailureKind.NotSupported, $"'{Path.Join(rootPath, link)}' links to a folder above itself and is kept as a link."));
            return (LinkType, false);
        }

        return (DirectoryType, true);
    }

    private void Report(int errno, string doing, string path)
    {
        // What is gone between the listing and the look was deleted in time.
        if (errno != Libc.NoEntry)
            onProblem(path, Libc.Failure(errno, doing, Path.Join(rootPath, path)));
    }

    private string SetPath(Level level, Name name)
    {
        var length = level.PathLength + name.EncodedLength;
        if (length > _path.Length)
            Array.Resize(ref _path, length * 2);
        level.Encoded(name).CopyTo(_path.AsSpan(level.PathLength));
        return Encoding.UTF8.GetString(_path, 0, length);
    }

    /// <summary>A name and its encoding, by their places in the directory's blocks.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Name(int Native, int Encoded, ushort EncodedLength, bool IsFollowed);

    /// <summary>One directory on the way down. The objects are reused by the next directory of the same depth.</summary>
    private sealed class Level
    {
        // Names fill blocks instead of one growing array: growing would need three times the memory of a huge directory's names.
        private const int BlockBits = 14;
        private const int BlockSize = 1 << BlockBits;
        private const int KeptBlocks = 16;
        private const int KeptNames = 1 << 14;

        private readonly List<byte[]> _blocks = [];
        private int _end;
        private Comparison<Name>? _order;

        public Name[] Names { get; private set; } = new Name[64];

        public int Count { get; private set; }

        public int Next { get; set; }

        public int Descriptor { get; private set; } = -1;

        /// <summary>Bytes of the encoded path up to and with the last slash.</summary>
        public int PathLength { get; private set; }

        public (ulong Device, ulong Inode) Identity { get; private set; }

        public bool HasLastingInodes { get; private set; }

        public void Open(int descriptor, int pathLength, (ulong Device, ulong Inode) identity, bool hasLastingInodes)
        {
            (Descriptor, PathLength, Identity, HasLastingInodes) = (descriptor, pathLength, identity, hasLastingInodes);
            (Count, Next, _end) = (0, 0, 0);
        }

        public void Close()
        {
            if (Descriptor >= 0)
                _ = Libc.Close(Descriptor);
            Descriptor = -1;

            // What one huge directory needed is not kept for the small ones after it.
            if (_blocks.Count > KeptBlocks)
                _blocks.RemoveRange(KeptBlocks, _blocks.Count - KeptBlocks);
            if (Names.Length > KeptNames)
                Names = new Name[64];
        }

        /// <summary>The bytes from a place on, to the end of its block.</summary>
        public Span<byte> At(int place) => _blocks[place >> BlockBits].AsSpan(place & (BlockSize - 1));

        public ReadOnlySpan<byte> Encoded(Name name) => At(name.Encoded)[..name.EncodedLength];

        public void Add(ReadOnlySpan<byte> name, bool isDirectory, bool isFollowed)
        {
            var most = (name.Length * (1 + PathEncoding.MaxGrowth)) + 2;
            if ((_end & (BlockSize - 1)) + most > BlockSize)
                _end = (_end | (BlockSize - 1)) + 1;
            if (_end >> BlockBits == _blocks.Count)
                _blocks.Add(new byte[BlockSize]);
            if (Count == Names.Length)
            {
                var larger = new Name[Count * 2];
                Names.CopyTo(larger, 0);
                Names = larger;
            }

            var native = _end;
            var free = At(native);
            name.CopyTo(free);
            free[name.Length] = 0;
            free = free[(name.Length + 1)..];
            _end += name.Length + 1;

            // A plain file's name is its own encoding; a directory's needs its slash, which the native name must not have.
            if (!isDirectory && PathEncoding.IsPlain(name))
            {
                Names[Count++] = new(native, native, (ushort)name.Length, isFollowed);
                return;
            }

            var length = PathEncoding.Encode(name, free);
            if (isDirectory)
                free[length++] = (byte)'/';
            Names[Count++] = new(native, _end, (ushort)length, isFollowed);
            _end += length;
        }

        public void Sort()
        {
            _order ??= (x, y) => Encoded(x).SequenceCompareTo(Encoded(y));
            Names.AsSpan(0, Count).Sort(_order);
        }
    }
}
