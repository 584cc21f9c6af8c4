using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Files;

namespace Backup.Engine.Folders;

/// <summary>
/// The keys of one folder's objects: the file's absolute path without the leading separator, each segment encoded
/// (<see cref="PathEncoding"/>), so that a restore to the original place is possible from the key alone.
/// </summary>
/// <remarks>
/// <c>/data/x</c> gives <c>data/x/</c>, <c>C:\Data</c> gives <c>C/Data/</c>, <c>\\server\share\x</c> gives <c>UNC/server/share/x/</c>.
/// A first segment <c>_catalog</c> becomes <c>%5Fcatalog</c>: that name belongs to the runs' manifests.
/// A key that would exceed <see cref="MaxBytes"/> is cut at a character and ends with <c>%~</c> and the SHA-256 of the full key
/// in hexadecimal; its path is found in the inventory only. Such keys are not in the order of their paths.
/// </remarks>
internal sealed class ObjectKeys
{
    /// <summary>The longest key that S3 takes, in UTF-8 bytes, the store's prefix included.</summary>
    public const int MaxBytes = 1024;

    private const string Catalog = "_catalog";
    private const string EscapedCatalog = "%5Fcatalog";
    private const string ShortMark = "%~";
    private const int HashDigits = 64;

    private readonly int _room;

    /// <summary>The keys of a folder in a store.</summary>
    /// <param name="folder">The folder's absolute path, as Unix or Windows writes it.</param>
    /// <param name="prefixBytes">The length of the store's own prefix in UTF-8 bytes.</param>
    public ObjectKeys(string folder, int prefixBytes = 0)
    {
        Root = RootOf(folder);
        _room = MaxBytes - prefixBytes;
    }

    /// <summary>What every key that is not shortened begins with: empty, or ending with <c>/</c>. Not escaped, see <see cref="ListPrefix"/>.</summary>
    public string Root { get; }

    /// <summary>What every key of this folder begins with, shortened ones included, as a listing is asked for it.</summary>
    public string ListPrefix => Encoding.UTF8.GetByteCount(Root) < _room - HashDigits - ShortMark.Length ? Escape(Root) : "";

    /// <summary>The key of an encoded relative path.</summary>
    public string Key(string path)
    {
        var key = Escape(Root + path);
        if (key.Length * 3 <= _room || Encoding.UTF8.GetByteCount(key) <= _room)
            return key;

        var full = Encoding.UTF8.GetBytes(key);
        var kept = _room - ShortMark.Length - HashDigits;
        while ((full[kept] & 0xC0) == 0x80)
            kept--;
        return Encoding.UTF8.GetString(full, 0, kept) + ShortMark + Convert.ToHexStringLower(SHA256.HashData(full));
    }

    /// <summary>The encoded relative path of a key of this folder; false for a shortened key and for any other key.</summary>
    public bool TryGetPath(string key, [NotNullWhen(true)] out string? path)
    {
        var full = Unescape(key);
        path = !IsShortened(key) && full.Length > Root.Length && full.StartsWith(Root, StringComparison.Ordinal) ? full[Root.Length..] : null;
        // The catalog begins as a folder at the root would, and is none.
        if (path is not null && Key(path) != key)
            path = null;
        return path is not null;
    }

    /// <summary>Whether the key lost the end of its path.</summary>
    public static bool IsShortened(string key) =>
        key.Length >= ShortMark.Length + HashDigits && key.AsSpan(key.Length - HashDigits - ShortMark.Length).StartsWith(ShortMark);

    private static string RootOf(string folder)
    {
        if (folder.StartsWith('/'))
            return Join(folder.Split('/'));

        var path = folder.Replace('/', '\\');
        if (path.StartsWith(@"\\?\UNC\", StringComparison.OrdinalIgnoreCase))
            path = @"\\" + path[8..];
        else if (path.StartsWith(@"\\?\", StringComparison.Ordinal))
            path = path[4..];

        if (path.StartsWith(@"\\", StringComparison.Ordinal))
            return "UNC/" + Join(path.Split('\\'));
        if (path is [_, ':', ..] && char.IsAsciiLetter(path[0]))
            return char.ToUpperInvariant(path[0]) + "/" + Join(path[2..].Split('\\'));
        throw new BackupException(FailureKind.InvalidInput, $"'{folder}' is not an absolute path.", "Give the folder's full path.");
    }

    private static string Join(string[] names) =>
        string.Concat(names.Where(name => name.Length > 0).Select(name => PathEncoding.Encode(name) + "/"));

    private static string Escape(string key) => HasFirst(key, Catalog) ? EscapedCatalog + key[Catalog.Length..] : key;

    private static string Unescape(string key) => HasFirst(key, EscapedCatalog) ? Catalog + key[EscapedCatalog.Length..] : key;

    private static bool HasFirst(string key, string segment) =>
        key.StartsWith(segment, StringComparison.Ordinal) && (key.Length == segment.Length || key[segment.Length] == '/');
}
