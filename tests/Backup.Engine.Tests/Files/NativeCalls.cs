using System.Runtime.InteropServices;
using System.Text;

namespace Backup.Engine.Tests.Files;

/// <summary>Names as bytes without the code under test.</summary>
internal static partial class NativeCalls
{
    public static void CreateFile(string directory, byte[] name)
    {
        var descriptor = Creat(Under(directory, name), 0x1A4);
        descriptor.ShouldBeGreaterThanOrEqualTo(0, Convert.ToHexString(name));
        _ = Close(descriptor);
    }

    public static void CreateDirectory(string directory, byte[] name) =>
        MkDir(Under(directory, name), 0x1ED).ShouldBe(0, Convert.ToHexString(name));

    public static void CreatePipe(string path) => MkFifo(Under(Path.GetDirectoryName(path)!, Encoding.UTF8.GetBytes(Path.GetFileName(path))), 0x1A4).ShouldBe(0);

    public static void SetMode(string path, uint mode) => ChMod([.. Encoding.UTF8.GetBytes(path), 0], mode).ShouldBe(0, path);

    /// <summary>Runs as somebody who may read nothing of root's: on this thread only, so the action must not await.</summary>
    public static T AsNobody<T>(Func<T> action)
    {
        var before = SetFsUid(65534);
        try
        {
            return action();
        }
        finally
        {
            _ = SetFsUid(before);
        }
    }

    private static byte[] Under(string directory, byte[] name) => [.. Encoding.UTF8.GetBytes(directory), (byte)'/', .. name, 0];

    [LibraryImport("libc", EntryPoint = "creat")]
    private static partial int Creat(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdir")]
    private static partial int MkDir(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "mkfifo")]
    private static partial int MkFifo(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "chmod")]
    private static partial int ChMod(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFsUid(int user);
}
