using System.Text;

namespace Backup.TestServers.S3.Auth;

/// <summary>Percent-encoding as SigV4 defines it, on bytes, so that nothing is normalised on the way.</summary>
internal static class UriText
{
    private const string Hex = "0123456789ABCDEF";

    public static byte[] Decode(ReadOnlySpan<char> text, bool plusIsSpace)
    {
        var utf8 = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var length = Encoding.UTF8.GetBytes(text, utf8);
        var written = 0;
        for (var i = 0; i < length; i++)
        {
            var value = utf8[i];
            if (value is (byte)'%' && i + 2 < length && Nibble(utf8[i + 1]) is var high and >= 0 && Nibble(utf8[i + 2]) is var low and >= 0)
            {
                value = (byte)((high << 4) | low);
                i += 2;
            }
            else if (plusIsSpace && value is (byte)'+')
            {
                value = (byte)' ';
            }

            utf8[written++] = value;
        }

        return utf8[..written];
    }

    public static string Encode(ReadOnlySpan<byte> bytes, bool keepSlash)
    {
        var text = new StringBuilder(bytes.Length + 16);
        foreach (var value in bytes)
        {
            if (char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~' || (keepSlash && value is (byte)'/'))
                text.Append((char)value);
            else
                text.Append('%').Append(Hex[value >> 4]).Append(Hex[value & 15]);
        }

        return text.ToString();
    }

    private static int Nibble(byte value) => value switch
    {
        >= (byte)'0' and <= (byte)'9' => value - '0',
        >= (byte)'A' and <= (byte)'F' => value - 'A' + 10,
        >= (byte)'a' and <= (byte)'f' => value - 'a' + 10,
        _ => -1,
    };
}
