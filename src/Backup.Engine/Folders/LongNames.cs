using System.Text;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Folders;

/// <summary>
/// The full names of objects whose key had to be shortened, each in an object <c>_catalog/names/{the hash that ends the key}</c>:
/// without them such a file could only be named by an inventory.
/// </summary>
internal static class LongNames
{
    private const string Prefix = "_catalog/names/";
    private const int HashDigits = 64;

    /// <summary>Keeps the full name. It goes first, so that no object is ever without one.</summary>
    public static async Task WriteAsync(IObjectStore store, string key, string fullName, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(fullName);
        await store.WriteAsync(Prefix + key[^HashDigits..], new MemoryStream(bytes), new() { Length = bytes.Length, StorageClass = RunCatalog.HotClass(store), ContentType = "text/plain; charset=utf-8" }, cancellationToken);
    }

    /// <summary>The full name of a shortened key, or null where it was never kept.</summary>
    public static async Task<string?> ReadAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        try
        {
            await using var content = await store.ReadAsync(Prefix + key[^HashDigits..], null, cancellationToken);
            using var reader = new StreamReader(content.Stream, Encoding.UTF8);
            return await reader.ReadToEndAsync(cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            return null;
        }
    }
}
