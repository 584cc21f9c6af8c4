using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Backup.Engine.Files;

/// <summary>
/// The tree on Linux: names are bytes, times have nanoseconds, and every step goes from an open directory to a name in it,
/// so that no path is ever too long and no link can be swapped in on the way.
/// </summary>
internal sealed unsafe class LinuxFileTree : FileTree
{
    private readonly int _root;
    private Volume? _volume;

    public LinuxFileTree(string root, bool followSymlinks)
        : base(root, followSymlinks)
    {
        _root = Open(Libc.AtCurrent, Encoding.UTF8.GetBytes(root), Libc.PathOnly | Libc.DirectoryOnly);
        if (_root < 0)
            throw Libc.LastFailure("opened", root);
    }

    /// <summary>Whether this machine is one whose numbers <see cref="Libc"/> knows.</summary>
    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public override RootIdentity Identity => RootIdentity.OfLinux(_root);

    public override IEnumerable<FileEntry> Scan(PathFilter? filter, Action<string, BackupException> onProblem, CancellationToken cancellationToken = default)
    {
        // A walk of its own each time the result is enumerated: an empty second time would read as an emptied folder.
        foreach (var entry in new LinuxScan(_root, Root, FollowSymlinks, filter, onProblem).Run(cancellationToken))
            yield return entry;
    }

    public override SourceFile OpenRead(string path)
    {
        using var parent = OpenParent(path, create: false, FollowSymlinks, out var name);

        // Non-blocking, or a pipe that took the file's place since the scan would hold this thread until somebody writes into it.
        var file = Open(parent.Number, name, Libc.NonBlocking | Libc.NoTerminal | (FollowSymlinks ? 0 : Libc.NoFollow));
        if (file < 0)
            throw Blocked("read", path);

        var handle = new SafeFileHandle(file, ownsHandle: true);
        try
        {
            return new SourceFile(handle, path, Display(path), Describe);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public override FileEntry? TryStat(string path)
    {
        try
        {
            using var parent = OpenParent(path, create: false, FollowSymlinks, out var name);
            Libc.FileStatus status;
            fixed (byte* bytes = Terminated(name))
            {
                if (Libc.Stat(parent.Number, bytes, FollowSymlinks ? 0 : Libc.AtSymlinkNoFollow, Libc.FileStatus.Basic, &status) != 0)
                    throw Libc.LastFailure("read", Display(path));
            }

            return Describe(parent.Number, name, path, Display(path), status, HasLastingInodes(parent.Number));
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            return null;
        }
    }

    public override void CreateDirectory(string path)
    {
        using var parent = OpenParent(path, create: true, follow: false, out var name);
        using var directory = new Descriptor(OpenDirectory(parent.Number, name, create: true, follow: false));
        if (directory.Number < 0)
            throw Blocked("created", path);
    }

    public override TargetFile CreateFile(string path)
    {
        if (path.EndsWith('/'))
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' is a directory's path.");

        var parent = OpenParent(path, create: true, follow: false, out var name);
        var temp = Encoding.ASCII.GetBytes(TemporaryName());
        var file = Open(parent.Number, temp, Libc.WriteOnly | Libc.Create | Libc.Exclusive | Libc.NoFollow, 0x1B6);
        if (file >= 0)
            return new LinuxTarget(this, path, parent, name, temp, new FileStream(new SafeFileHandle(file, ownsHandle: true), FileAccess.Write, bufferSize: 0));

        var failure = Libc.LastFailure("written", Display(path));
        parent.Dispose();
        throw failure;
    }

    public override void CreateSymlink(string path, string target, long? modifiedTicks = null)
    {
        var bytes = PathEncoding.TryDecode(target);
        if (bytes is null or [] || bytes.AsSpan().Contains((byte)0))
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' is refused: '{target}' is not a link's target.");

        using var parent = OpenParent(path, create: true, follow: false, out var name);
        var temp = Encoding.ASCII.GetBytes(TemporaryName());
        fixed (byte* from = Terminated(bytes), link = Terminated(temp), to = Terminated(name))
        {
            if (Libc.CreateLink(from, parent.Number, link) != 0)
                throw Libc.LastFailure("created", Display(path));
            var times = stackalloc Libc.TimeSpec[2];
            if (modifiedTicks is { } ticks)
            {
                Libc.Times(ticks, times);
                _ = Libc.SetTimes(parent.Number, link, times, Libc.AtSymlinkNoFollow);
            }

            if (Libc.Rename(parent.Number, link, parent.Number, to) == 0)
                return;
            var failure = Libc.LastFailure("created", Display(path));
            _ = Libc.Remove(parent.Number, link, 0);
            throw failure;
        }
    }

    public override void SetTimes(string path, long modifiedTicks)
    {
        using var parent = OpenParent(path, create: false, follow: false, out var name);
        var times = stackalloc Libc.TimeSpec[2];
        Libc.Times(modifiedTicks, times);
        fixed (byte* bytes = Terminated(name))
        {
            if (Libc.SetTimes(parent.Number, bytes, times, Libc.AtSymlinkNoFollow) != 0)
                throw Libc.LastFailure("given its time", Display(path));
        }
    }

    public override void SetMode(string path, int mode)
    {
        using var parent = OpenParent(path, create: false, follow: false, out var name);
        using var item = new Descriptor(Open(parent.Number, name, Libc.NonBlocking | Libc.NoTerminal | Libc.NoFollow));
        if (item.Number < 0 || Libc.SetMode(item.Number, Restorable(mode, path.EndsWith('/'))) != 0)
            throw Libc.LastFailure("given its mode", Display(path));
    }

    public override void DeleteFile(string path)
    {
        using var parent = OpenParent(path, create: false, follow: false, out var name);
        fixed (byte* bytes = Terminated(name))
        {
            if (Libc.Remove(parent.Number, bytes, 0) != 0 && Marshal.GetLastPInvokeError() != Libc.NoEntry)
                throw Libc.LastFailure("removed", Display(path));
        }
    }

    public override void Sync()
    {
        using var root = new Descriptor(OpenDirectory(_root, "."u8.ToArray(), create: false, follow: false));
        if (root.Number < 0 || Libc.SyncVolume(root.Number) != 0)
            throw Libc.LastFailure("flushed to disk", Root);
    }

    /// <summary>The entry that a status describes. The name is needed to read a link.</summary>
    internal static FileEntry Describe(int parent, ReadOnlySpan<byte> name, string path, string display, Libc.FileStatus status, bool hasLastingInodes) => new()
    {
        Path = path,
        Kind = status.Kind,
        Size = status.Kind == FileEntryKind.File ? status.Size : 0,
        ModifiedTicks = status.Modified.Ticks,
        ChangedTicks = status.Changed.Ticks,
        FileId = hasLastingInodes ? (long)status.Inode : null,
        Mode = status.Mode & 0xFFF,
        LinkTarget = status.Kind == FileEntryKind.Symlink ? ReadLink(parent, name, display) : null,
    };

    /// <summary>Whether the numbers of files there can be compared with those of an earlier run.</summary>
    internal static bool HasLastingInodes(int descriptor)
    {
        Libc.VolumeStatus volume;
        return Libc.StatVolume(descriptor, &volume) == 0 && volume.HasLastingInodes;
    }

    /// <summary>Opens a name, which need not end with a zero byte; -1 with errno.</summary>
    internal static int Open(int parent, ReadOnlySpan<byte> name, int flags, uint mode = 0)
    {
        fixed (byte* bytes = Terminated(name))
            return Libc.Open(parent, bytes, flags | Libc.CloseOnExec, mode);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _ = Libc.Close(_root);
    }

    private FileEntry Describe(SafeFileHandle handle, string path)
    {
        Libc.FileStatus status;
        var descriptor = (int)handle.DangerousGetHandle();
        fixed (byte* empty = "\0"u8)
        {
            if (Libc.Stat(descriptor, empty, Libc.AtEmptyPath, Libc.FileStatus.Basic, &status) != 0)
                throw Libc.LastFailure("read", path);
        }

        // Most files are on the device of the one before.
        var volume = _volume;
        if (volume is null || volume.Device != status.Device)
            _volume = volume = new(status.Device, HasLastingInodes(descriptor));
        return Describe(descriptor, default, path, path, status, volume.HasLastingInodes);
    }

    private static string ReadLink(int parent, ReadOnlySpan<byte> name, string display)
    {
        Span<byte> target = stackalloc byte[4096];
        fixed (byte* bytes = Terminated(name), start = target)
        {
            var length = Libc.ReadLink(parent, bytes, start, (nuint)target.Length);
            return length >= 0 ? PathEncoding.Encode(target[..(int)length]) : throw Libc.LastFailure("read", display);
        }
    }

    private static uint Restorable(int mode, bool isDirectory) => (uint)mode & (isDirectory ? 0xFFFu : 0x3FFu);

    private static byte[] Terminated(ReadOnlySpan<byte> name) => [.. name, 0];

    private static int OpenDirectory(int parent, byte[] name, bool create, bool follow)
    {
        var flags = Libc.DirectoryOnly | (follow ? 0 : Libc.NoFollow);
        var directory = Open(parent, name, flags);
        if (directory >= 0 || !create || Marshal.GetLastPInvokeError() != Libc.NoEntry)
            return directory;

        fixed (byte* bytes = Terminated(name))
            _ = Libc.CreateDirectory(parent, bytes, 0x1FF);
        return Open(parent, name, flags);
    }

    private Descriptor OpenParent(string path, bool create, bool follow, out byte[] name)
    {
        var names = PathEncoding.DecodePath(path);
        name = names[^1];
        var parent = names.Length == 1 ? OpenDirectory(_root, "."u8.ToArray(), create: false, follow: false) : _root;
        for (var i = 0; i < names.Length - 1 && parent >= 0; i++)
        {
            var child = OpenDirectory(parent, names[i], create, follow);
            var errno = Marshal.GetLastPInvokeError();
            if (parent != _root)
                _ = Libc.Close(parent);
            Marshal.SetLastPInvokeError(errno);
            parent = child;
        }

        return parent >= 0 ? new Descriptor(parent) : throw Blocked(create ? "written" : "read", path);
    }

    private BackupException Blocked(string doing, string path) => Marshal.GetLastPInvokeError() is Libc.NotADirectory or Libc.TooManyLinks && !FollowSymlinks
        ? new BackupException(FailureKind.NotFound, $"'{Display(path)}' cannot be {doing}: a file or a symbolic link stands where a directory should be.", "Restore to another place, or remove what stands there.")
        : Libc.LastFailure(doing, Display(path));

    private sealed record Volume(ulong Device, bool HasLastingInodes);

    /// <summary>An open file descriptor.</summary>
    private sealed class Descriptor(int number) : IDisposable
    {
        public int Number { get; private set; } = number;

        public void Dispose()
        {
            if (Number >= 0)
                _ = Libc.Close(Number);
            Number = -1;
        }
    }

    private sealed class LinuxTarget(LinuxFileTree tree, string path, Descriptor parent, byte[] name, byte[] temp, FileStream stream) : TargetFile(stream)
    {
        protected override void Finish(long? modifiedTicks, int? mode)
        {
            var file = (int)Stream.SafeFileHandle.DangerousGetHandle();
            if (mode is { } bits && Libc.SetMode(file, Restorable(bits, isDirectory: false)) != 0)
                throw Libc.LastFailure("given its mode", tree.Display(path));
            if (modifiedTicks is { } ticks)
            {
                var times = stackalloc Libc.TimeSpec[2];
                Libc.Times(ticks, times);
                if (Libc.SetTimes(file, times) != 0)
                    throw Libc.LastFailure("given its time", tree.Display(path));
            }

            fixed (byte* from = Terminated(temp), to = Terminated(name))
            {
                if (Libc.Rename(parent.Number, from, parent.Number, to) != 0)
                    throw Libc.LastFailure("written", tree.Display(path));
            }
        }

        protected override void Discard()
        {
            fixed (byte* bytes = Terminated(temp))
                _ = Libc.Remove(parent.Number, bytes, 0);
        }

        protected override void Close() => parent.Dispose();
    }
}
