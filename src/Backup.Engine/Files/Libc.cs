using System.Runtime.InteropServices;

namespace Backup.Engine.Files;

/// <summary>The calls of Linux that take a name as bytes relative to an open directory. The numbers are those of x86-64 and arm64.</summary>
internal static unsafe partial class Libc
{
    public const int AtCurrent = -100;
    public const int AtSymlinkNoFollow = 0x100;
    public const int AtNoAutomount = 0x800;
    public const int AtEmptyPath = 0x1000;

    public const int WriteOnly = 1;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NoTerminal = 0x100;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int NotADirectory = 20;
    public const int IsADirectory = 21;
    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;
    public const int TooManyLinks = 40;
    public const int QuotaExceeded = 122;

    public const int TypeMask = 0xF000;
    public const int TypeDirectory = 0x4000;
    public const int TypeFile = 0x8000;
    public const int TypeLink = 0xA000;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static readonly int DirectoryOnly = IsArm ? 0x4000 : 0x10000;
    public static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    private static readonly nint GetDirectoryEntriesNumber = IsArm ? 61 : 217;

    /// <summary>Reads directory entries; the number of bytes, 0 at the end, -1 with errno.</summary>
    public static long GetDirectoryEntries(int directory, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
            return Syscall(GetDirectoryEntriesNumber, directory, start, (nuint)buffer.Length);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint directory, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static partial int Open(int directory, byte* name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int Stat(int directory, byte* name, int flags, uint mask, FileStatus* status);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    public static partial nint ReadLink(int directory, byte* name, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int CreateDirectory(int directory, byte* name, uint mode);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    public static partial int CreateLink(byte* target, int directory, byte* name);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    public static partial int Rename(int fromDirectory, byte* from, int toDirectory, byte* to);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int Remove(int directory, byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    public static partial int SetTimes(int directory, byte* name, TimeSpec* accessedAndModified, int flags);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    public static partial int SetTimes(int descriptor, TimeSpec* accessedAndModified);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    public static partial int SetMode(int descriptor, uint mode);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncVolume(int descriptor);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    public static partial int StatVolume(int descriptor, VolumeStatus* status);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    public static partial int Advise(int descriptor, long offset, long length, int advice);

    /// <summary>The failure that the last call left behind.</summary>
    public static BackupException LastFailure(string doing, string displayPath) => Failure(Marshal.GetLastPInvokeError(), doing, displayPath);

    /// <summary>The failure that an errno stands for.</summary>
    public static BackupException Failure(int errno, string doing, string displayPath)
    {
        var message = $"'{displayPath}' cannot be {doing}: {Marshal.GetPInvokeErrorMessage(errno)}.";
        return errno switch
        {
            NoEntry or NotADirectory => new(FailureKind.NotFound, message),
            AccessDenied or NotPermitted or ReadOnlyFileSystem => new(FailureKind.PermissionDenied, message, "Run with an account that may do this, or exclude it."),
            NoSpace or QuotaExceeded => new(FailureKind.NoSpace, message, "Free space on that volume, then run again."),
            Exists or IsADirectory => new(FailureKind.AlreadyExists, message),
            _ => new(FailureKind.Unknown, message),
        };
    }

    /// <summary>UTC ticks as seconds and nanoseconds; the access time is left alone.</summary>
    public static void Times(long modifiedTicks, TimeSpec* accessedAndModified)
    {
        const long omit = (1 << 30) - 2;
        var ticks = modifiedTicks - DateTime.UnixEpoch.Ticks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        if (rest < 0)
            (seconds, rest) = (seconds - 1, rest + TimeSpan.TicksPerSecond);
        accessedAndModified[0] = new TimeSpec { Nanoseconds = omit };
        accessedAndModified[1] = new TimeSpec { Seconds = seconds, Nanoseconds = rest * 100 };
    }

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>struct statx_timestamp.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileTime
    {
        public long Seconds;
        public uint Nanoseconds;
        public int Reserved;

        /// <summary>UTC ticks of 100 ns, rounded down, held within what a DateTime can be.</summary>
        public readonly long Ticks
        {
            get
            {
                var seconds = Math.Clamp(Seconds, -DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerSecond, (DateTime.MaxValue.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond);
                return DateTime.UnixEpoch.Ticks + (seconds * TimeSpan.TicksPerSecond) + (Nanoseconds / 100);
            }
        }
    }

    /// <summary>struct statx, the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct FileStatus
    {
        /// <summary>STATX_BASIC_STATS.</summary>
        public const uint Basic = 0x7FF;

        /// <summary>STATX_MNT_ID.</summary>
        public const uint WithMount = 0x1000;

        [FieldOffset(0)] public uint Mask;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public long Size;
        [FieldOffset(96)] public FileTime Changed;
        [FieldOffset(112)] public FileTime Modified;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
        [FieldOffset(144)] public ulong Mount;

        /// <summary>Where the inode's number is valid.</summary>
        public readonly ulong Device => ((ulong)DeviceMajor << 32) | DeviceMinor;

        /// <summary>The file type of <see cref="Mode"/>.</summary>
        public readonly FileEntryKind Kind => (Mode & TypeMask) switch
        {
            TypeFile => FileEntryKind.File,
            TypeDirectory => FileEntryKind.Directory,
            TypeLink => FileEntryKind.Symlink,
            _ => FileEntryKind.Other,
        };
    }

    /// <summary>The beginning of struct statfs; there is room for the rest.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct VolumeStatus
    {
        [FieldOffset(0)] public long Type;
        [FieldOffset(56)] public ulong Id;

        /// <summary>Whether inode numbers outlast a mount: those of FUSE, SMB, 9p and VirtualBox shares are made up as files are met.</summary>
        public readonly bool HasLastingInodes => (uint)Type is not (0x65735546 or 0xFF534D42 or 0xFE534D42 or 0x517B or 0x01021997 or 0x786F4256);
    }
}
