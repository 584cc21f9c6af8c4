using System.Globalization;
using System.Text;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>What stands in history in place of a large file (git-lfs, docs/spec.md).</summary>
/// <param name="Oid">SHA-256 of the file, 64 lower-case hexadecimal digits.</param>
/// <param name="Size">Its size in bytes.</param>
internal sealed record LfsPointer(string Oid, long Size)
{
    /// <summary>A pointer is smaller than this.</summary>
    public const int MaxSize = 1024;

    /// <summary>No pointer is smaller: a version, an id of 76 bytes, a size.</summary>
    public const int MinSize = 110;

    private const int HashDigits = 64;
    private const string Hash = "sha256:";

    // Names that the format had before it was called this.
    private static readonly string[] Versions = ["https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1", "http://git-media.io/v/2"];

    /// <summary>Reads a pointer; null where the bytes are none.</summary>
    public static LfsPointer? TryParse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= MaxSize || !bytes.StartsWith("version "u8))
            return null;
        string? oid = null;
        long? size = null;
        var isFirst = true;
        foreach (var line in Encoding.UTF8.GetString(bytes).Split('\n'))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            var (key, value) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..].TrimEnd('\r'));
            if (isFirst && !(key == "version" && Versions.Contains(value, StringComparer.Ordinal)))
                return null;
            isFirst = false;
            if (key == "oid" && value.StartsWith(Hash, StringComparison.Ordinal))
                oid = value[Hash.Length..];
            else if (key == "size" && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                size = number;
        }

        return IsOid(oid) && size is { } known ? new(oid!, known) : null;
    }

    /// <summary>Whether it is the name of an object, and so can be part of a key and of a path.</summary>
    public static bool IsOid(string? text) => text is { Length: HashDigits } && text.All(char.IsAsciiHexDigitLower);
}
