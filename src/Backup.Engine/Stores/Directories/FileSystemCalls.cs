using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Backup.Engine.Stores.Directories;

/// <summary>What a store needs of a file system that .NET does not offer: hard links, an atomic move that never replaces, and flushing of directories.</summary>
internal static partial class FileSystemCalls
{
    private const int Exists = 17;
    private const int WindowsExists = 183;
    private const int CurrentDirectory = -100;
    private const uint NoReplace = 1;
    private const int DontNeed = 4;

    /// <summary>How an attempt ended that the file system may not support.</summary>
    internal enum Attempt
    {
        /// <summary>Done.</summary>
        Done,

        /// <summary>The new name is taken.</summary>
        Taken,

        /// <summary>Not done, for whatever reason: the slower way will say why, if it fails too.</summary>
        Failed,
    }

    /// <summary>Gives a file a second name.</summary>
    public static Attempt TryLink(string existing, string name)
    {
        if (OperatingSystem.IsWindows())
            return CreateHardLink(name, existing, 0) ? Attempt.Done : Result(WindowsExists);
        return Link(existing, name) == 0 ? Attempt.Done : Result(Exists);
    }

    /// <summary>Moves a file within a file system unless the new name is taken; false where it is. Atomic wherever the file system can.</summary>
    public static bool MoveIfAbsent(string from, string to)
    {
        if (!OperatingSystem.IsWindows())
        {
            // File.Move looks first and renames then, which lets two writers win.
            switch (TryLink(from, to))
            {
                case Attempt.Done:
                    File.Delete(from);
                    return true;
                case Attempt.Taken:
                    return false;
            }
            switch (TryRenameNoReplace(from, to))
            {
                case Attempt.Done:
                    return true;
                case Attempt.Taken:
                    return false;
            }
        }

        try
        {
            File.Move(from, to, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(to) || Directory.Exists(to))
        {
            return false;
        }
    }

    /// <summary>Makes the names in a directory survive a loss of power. Best effort: not every system or file system has it.</summary>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(path, 0);
        if (descriptor < 0)
            return;
        _ = Fsync(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>Drops a flushed file from the page cache, so that the next read asks the disk. Best effort, Linux only.</summary>
    public static void DropFromCache(SafeFileHandle handle)
    {
        if (OperatingSystem.IsLinux())
            _ = Advise(handle, 0, 0, DontNeed);
    }

    /// <summary>Has a part of a file written to the disk while more comes, so that a flush in the end finds little to do. Best effort, Linux only.</summary>
    public static void StartWriting(SafeFileHandle handle, long offset, long length)
    {
        // What is not written yet, the system begins to write when it is told that nobody needs it.
        if (OperatingSystem.IsLinux())
            _ = Advise(handle, offset, length, DontNeed);
    }

    private static Attempt TryRenameNoReplace(string from, string to)
    {
        if (!OperatingSystem.IsLinux())
            return Attempt.Failed;
        try
        {
            return RenameAt(CurrentDirectory, from, CurrentDirectory, to, NoReplace) == 0 ? Attempt.Done : Result(Exists);
        }
        catch (EntryPointNotFoundException)
        {
            return Attempt.Failed;
        }
    }

    private static Attempt Result(int taken) => Marshal.GetLastPInvokeError() == taken ? Attempt.Taken : Attempt.Failed;

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", StringMarshalling = StringMarshalling.Utf16, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial bool CreateHardLink(string name, string existing, nint security);

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RenameAt(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(SafeFileHandle handle, long offset, long length, int advice);
}
