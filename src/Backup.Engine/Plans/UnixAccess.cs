using System.Runtime.InteropServices;

namespace Backup.Engine.Plans;

/// <summary>What this account may do with a path, by asking the system and not by trying.</summary>
internal static partial class UnixAccess
{
    // unistd.h, of every Unix.
    private const int ExecuteOk = 1;
    private const int WriteOk = 2;

    /// <summary>Whether files may be made in a directory.</summary>
    public static bool IsWritable(string directory) => Access(directory, WriteOk | ExecuteOk) == 0;

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
