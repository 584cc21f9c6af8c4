using System.Text;
using Backup.TestServers.S3.Auth;

namespace Backup.TestServers.S3.Http;

/// <summary>
/// Writes XML as S3 does. Not an XmlWriter: S3 answers keys that XML 1.0 cannot hold with character references
/// no XmlWriter would write, and clients must cope or ask for encoding-type=url.
/// </summary>
internal sealed class S3Xml
{
    public const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    public const string Declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    private readonly StringBuilder _text = new(Declaration, 1024);
    private readonly Stack<string> _open = new();

    public static S3Xml Root(string name, bool withNamespace = true)
    {
        var xml = new S3Xml();
        xml._text.Append('<').Append(name);
        if (withNamespace)
            xml._text.Append(" xmlns=\"").Append(Namespace).Append('"');
        xml._text.Append('>');
        xml._open.Push(name);
        return xml;
    }

    public S3Xml Open(string name)
    {
        _text.Append('<').Append(name).Append('>');
        _open.Push(name);
        return this;
    }

    public S3Xml Close()
    {
        _text.Append("</").Append(_open.Pop()).Append('>');
        return this;
    }

    public S3Xml Add(string name, string? value)
    {
        if (value is null)
            return this;
        _text.Append('<').Append(name).Append('>');
        Escape(value);
        _text.Append("</").Append(name).Append('>');
        return this;
    }

    public S3Xml Add(string name, long value) => Add(name, value.ToString());

    public S3Xml Add(string name, bool value) => Add(name, value ? "true" : "false");

    public S3Xml Add(string name, DateTime value) => Add(name, value.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));

    public byte[] ToBytes()
    {
        while (_open.Count > 0)
            Close();
        return Encoding.UTF8.GetBytes(_text.ToString());
    }

    /// <summary>encoding-type=url as S3 has it: form encoding that leaves the slash.</summary>
    public static string UrlEncode(string text)
    {
        var encoded = UriText.Encode(Encoding.UTF8.GetBytes(text), keepSlash: true);
        return encoded.Replace("%20", "+", StringComparison.Ordinal).Replace("%2A", "*", StringComparison.Ordinal).Replace("~", "%7E", StringComparison.Ordinal);
    }

    private void Escape(string value)
    {
        foreach (var c in value)
        {
            _ = c switch
            {
                '&' => _text.Append("&amp;"),
                '<' => _text.Append("&lt;"),
                '>' => _text.Append("&gt;"),
                '"' => _text.Append("&quot;"),
                < ' ' and not ('\t' or '\n') or '\uFFFE' or '\uFFFF' => _text.Append("&#x").Append(((int)c).ToString("x")).Append(';'),
                _ => _text.Append(c),
            };
        }
    }
}
