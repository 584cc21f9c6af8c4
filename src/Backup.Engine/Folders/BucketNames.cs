using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Stores;

namespace Backup.Engine.Folders;

/// <summary>
/// The bucket of a folder, where each folder has one of its own. It depends on the prefix and the folder alone, never on the other folders,
/// so that adding or dropping one moves nothing.
/// </summary>
internal static class BucketNames
{
    private const int MaxLength = 63;
    private const int HashDigits = 10;

    // Room for the hash and a few letters of the folder.
    private const int MaxPrefix = 40;

    /// <summary>
    /// The prefix and the folder's path in lower case with hyphens for separators: <c>/data/photos</c> gives <c>{prefix}data-photos</c>.
    /// Where that loses anything (other characters, capitals, length) ten digits of the path's SHA-256 follow, so that no two folders share a bucket.
    /// </summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for a prefix that no bucket can begin with.</exception>
    public static string For(string prefix, string folder)
    {
        CheckPrefix(prefix);
        var path = folder.Replace('\\', '/').Trim('/');
        var slug = new StringBuilder(path.Length);
        foreach (var c in path)
            slug.Append(char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-');
        var name = prefix + slug;
        var isExact = path.Length > 0 && path.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '/') && !path.Contains("//", StringComparison.Ordinal);
        if (!isExact || name.Length > MaxLength)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..HashDigits];
            // The end of a path tells more than its beginning.
            var room = MaxLength - prefix.Length - HashDigits - 1;
            var readable = slug.ToString().Trim('-');
            readable = (readable.Length > room ? readable[^room..] : readable).Trim('-');
            name = readable.Length == 0 ? prefix + hash : $"{prefix}{readable}-{hash}";
        }

        return StoreLocation.ForBucket(name).Bucket!;
    }

    private static void CheckPrefix(string prefix)
    {
        if (prefix.Length is 0 or > MaxPrefix || !char.IsAsciiLetterOrDigit(prefix[0]) || prefix.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
            throw new BackupException(FailureKind.InvalidInput, $"'{prefix}' is no beginning of a bucket name.", $"Give 1 to {MaxPrefix} of a-z, 0-9 and hyphens, beginning with a letter or digit: bucket names are global, so take one that is yours alone.");
    }
}
