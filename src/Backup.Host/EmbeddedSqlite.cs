using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Backup.Host;

/// <summary>
/// The native SQLite of the published file, which has it inside as a resource. On Linux it is loaded from memory, so that a read-only system
/// without a writable or executable /tmp will do; elsewhere from a temporary file. Nothing happens before a folder's cache is opened.
/// </summary>
internal static partial class EmbeddedSqlite
{
    private const string Library = "e_sqlite3";

    // The runtime asks once for each function that is called. A second copy would know nothing of what the first was told.
    private static readonly Lazy<nint> Handle = new(Load);

    /// <summary>Answers for the library where the runtime finds no file of it. Where nothing is embedded it does nothing.</summary>
    public static void Register() => AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => name == Library ? Handle.Value : 0;

    private static nint Load()
    {
        using var content = typeof(EmbeddedSqlite).Assembly.GetManifestResourceStream(Library);
        if (content is null)
            return 0;
        return OperatingSystem.IsLinux() && LoadFromMemory(content) is var handle and not 0 ? handle : LoadFromFile(content);
    }

    private static nint LoadFromMemory(Stream content)
    {
        using var file = new Microsoft.Win32.SafeHandles.SafeFileHandle(CreateMemoryFile(Library, 0), ownsHandle: true);
        if (file.IsInvalid)
            return 0;
        using (var stream = new FileStream(file, FileAccess.Write, bufferSize: 0))
        {
            content.CopyTo(stream);
            // It is mapped by then, and needs no descriptor any more.
            return NativeLibrary.TryLoad($"/proc/self/fd/{file.DangerousGetHandle()}", out var handle) ? handle : 0;
        }
    }

    private static nint LoadFromFile(Stream content)
    {
        content.Position = 0;
        var directory = Directory.CreateTempSubdirectory("AtlassianBackup-");
        try
        {
            var path = Path.Combine(directory.FullName, OperatingSystem.IsWindows() ? Library + ".dll" : Library);
            using (var file = File.Create(path))
                content.CopyTo(file);
            return NativeLibrary.Load(path);
        }
        finally
        {
            // Windows keeps what is loaded; there the file stays.
            if (!OperatingSystem.IsWindows())
                directory.Delete(recursive: true);
        }
    }

    // memfd_create(2)
    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemoryFile(string name, uint flags);
}
