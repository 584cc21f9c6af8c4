using System.Text;

namespace Backup.Engine.Stores.S3;

/// <summary>The encodings of S3's wire format.</summary>
internal static class S3Encoding
{
    private const string Rfc2047Prefix = "=?UTF-8?B?";
    private const string Rfc2047Suffix = "?=";

    /// <summary>A key as a path: everything but unreserved characters and slashes is percent-encoded.</summary>
    public static string Path(string key) => Encode(key, keepSlash: true);

    /// <summary>A sorted canonical query string.</summary>
    public static string Query(List<(string Name, string Value)> query)
    {
        if (query.Count == 0)
            return "";
        return string.Join('&', query
            .Select(pair => (Name: Encode(pair.Name, keepSlash: false), Value: Encode(pair.Value, keepSlash: false)))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal)
            .Select(pair => $"{pair.Name}={pair.Value}"));
    }

    /// <summary>A metadata value as a header: ASCII as it is, everything else by RFC 2047, as S3 itself does it.</summary>
    public static string Metadata(string value) =>
        value.All(c => c is >= ' ' and <= '~') && !value.StartsWith(Rfc2047Prefix, StringComparison.Ordinal) && value.Trim() == value
            ? value
            : Rfc2047Prefix + Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) + Rfc2047Suffix;

    /// <summary>The inverse of <see cref="Metadata"/>. What another tool wrote in another way is given as it stands.</summary>
    public static string FromMetadata(string header)
    {
        if (!header.StartsWith(Rfc2047Prefix, StringComparison.OrdinalIgnoreCase) || !header.EndsWith(Rfc2047Suffix, StringComparison.Ordinal))
            return header;
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(header[Rfc2047Prefix.Length..^Rfc2047Suffix.Length]));
        }
        catch (FormatException)
        {
            return header;
        }
    }

    private static string Encode(string text, bool keepSlash)
    {
        if (text.All(c => IsUnreserved(c) || (keepSlash && c == '/')))
            return text;
        var encoded = new StringBuilder(text.Length * 2);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            if (b < 0x80 && (IsUnreserved(c) || (keepSlash && c == '/')))
                encoded.Append(c);
            else
                encoded.Append('%').Append(b.ToString("X2"));
        }

        return encoded.ToString();
    }

    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';
}
