using System.Globalization;
using System.Text;
using System.Xml;

namespace Backup.Engine.Stores.S3;

/// <summary>The XML that S3 takes and gives for keys.</summary>
internal static class XmlText
{
    /// <summary>Whether XML 1.0 can hold a text at all, even escaped.</summary>
    public static bool CanHold(string text) => text.All(c => c is '\t' or '\n' or '\r' || (c >= ' ' && c < '\uFFFE'));

    /// <summary>Text with everything escaped that XML has a meaning for, carriage returns and other control characters included.</summary>
    public static string Escape(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && text.AsSpan().IndexOfAny("<>&\"'") < 0)
            return text;
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            _ = c switch
            {
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '&' => escaped.Append("&amp;"),
                < ' ' => escaped.Append("&#").Append(((int)c).ToString(CultureInfo.InvariantCulture)).Append(';'),
                _ => escaped.Append(c),
            };
        }

        return escaped.ToString();
    }

    /// <summary>The objects that a DeleteObjects answer says were not deleted.</summary>
    public static IEnumerable<(string Key, string Code, string? Message)> DeleteErrors(string xml)
    {
        using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CheckCharacters = false });
        while (reader.ReadToFollowing("Error"))
        {
            using var error = reader.ReadSubtree();
            string? key = null, code = null, message = null, name = null;
            while (error.Read())
            {
                if (error.NodeType == XmlNodeType.Element)
                    name = error.LocalName;
                else if (error.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace)
                    _ = name switch { "Key" => key = error.Value, "Code" => code = error.Value, "Message" => message = error.Value, _ => null };
            }

            if (key is not null)
                yield return (key, code ?? "InternalError", message);
        }
    }
}
