using System.Security.Cryptography;
using System.Text;

namespace Backup.Engine.Runs;

/// <summary>A source's name as part of a key: readable, and never the same for two sources.</summary>
internal static class CatalogSource
{
    private const int MaxReadable = 40;
    private const int HashDigits = 8;

    /// <summary>Letters, digits and hyphens of the name's end, which tells more than its beginning, and 8 digits of its SHA-256.</summary>
    public static string FromName(string name)
    {
        var readable = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c))
                readable.Append(char.ToLowerInvariant(c));
            else if (readable.Length > 0 && readable[^1] != '-')
                readable.Append('-');
        }

        var slug = readable.ToString().TrimEnd('-');
        if (slug.Length > MaxReadable)
            slug = slug[^MaxReadable..].TrimStart('-');
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..HashDigits];
        return slug.Length == 0 ? hash : $"{slug}-{hash}";
    }
}
