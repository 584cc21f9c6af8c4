using System.Buffers;
using System.Text;

namespace Backup.Engine.Files;

/// <summary>
/// File names as well-formed Unicode text, reversibly: keys, caches and inventories can hold any name that a file system allows.
/// </summary>
/// <remarks>
/// Ordinary names stay as they are. <c>%XX</c> (upper-case hexadecimal) stands for one byte of the name where that byte is
/// a control character (00-1F, 7F), part of invalid UTF-8 (encoded surrogates included) or of U+FFFE or U+FFFF (which XML,
/// and so an S3 listing, cannot carry), or a literal <c>%</c> that is followed by two hexadecimal digits or by <c>~</c>
/// (keys of objects mark shortened keys with <c>%~</c>, so no encoded name ever holds it).
/// On Windows a name is UTF-16 and is encoded through its UTF-8 bytes, a lone surrogate through the three bytes that UTF-8 would give it.
/// <para>
/// An encoded path is relative to its folder, separated by <c>/</c>; a directory's path ends with <c>/</c>.
/// <see cref="Utf8Order"/> is the order everywhere.
/// </para>
/// </remarks>
internal static class PathEncoding
{
    /// <summary>The most bytes that one byte of a name can become.</summary>
    public const int MaxGrowth = 3;

    private static readonly SearchValues<byte> PlainBytes =
        SearchValues.Create([.. Enumerable.Range(0x20, 0x5F).Select(i => (byte)i).Where(b => b != '%')]);

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether the name is printable ASCII without <c>%</c>, and so its own encoding. Other names may be, too.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> name) => !name.ContainsAnyExcept(PlainBytes);

    /// <summary>Encodes a name of bytes into UTF-8 and returns its length in bytes; the destination has room for <see cref="MaxGrowth"/> times the name.</summary>
    public static int Encode(ReadOnlySpan<byte> name, Span<byte> destination)
    {
        if (IsPlain(name))
        {
            name.CopyTo(destination);
            return name.Length;
        }

        var written = 0;
        while (!name.IsEmpty)
        {
            var valid = Rune.DecodeFromUtf8(name, out var rune, out var length) == OperationStatus.Done;
            if (valid && !NeedsEscape(rune, name))
            {
                name[..length].CopyTo(destination[written..]);
                written += length;
            }
            else
            {
                foreach (var b in name[..length])
                {
                    destination[written++] = (byte)'%';
                    destination[written++] = (byte)"0123456789ABCDEF"[b >> 4];
                    destination[written++] = (byte)"0123456789ABCDEF"[b & 15];
                }
            }

            name = name[length..];
        }

        return written;
    }

    /// <summary>Encodes a name, or a link's target, of bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> name)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(name.Length * MaxGrowth);
        try
        {
            return Encoding.UTF8.GetString(buffer.AsSpan(0, Encode(name, buffer)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Encodes a name of UTF-16 units, as Windows and .NET have it.</summary>
    public static string Encode(string name) => Encode(Wtf8(name));

    /// <summary>The name's bytes, or null where the text is not what <see cref="Encode(ReadOnlySpan{byte})"/> writes.</summary>
    public static byte[]? TryDecode(ReadOnlySpan<char> encoded)
    {
        byte[] bytes;
        try
        {
            bytes = new byte[Strict.GetByteCount(encoded)];
            Strict.GetBytes(encoded, bytes);
        }
        catch (EncoderFallbackException)
        {
            return null;
        }

        if (IsPlain(bytes))
            return bytes;

        var name = new byte[bytes.Length];
        var length = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            var escaped = bytes[i] == '%' && i + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]);
            name[length++] = escaped ? (byte)((HexValue(bytes[i + 1]) << 4) | HexValue(bytes[i + 2])) : bytes[i];
            if (escaped)
                i += 2;
        }

        // One name has one encoding: whatever else decodes to it (lower-case digits, needless escapes, "%2F") was not written by us.
        Array.Resize(ref name, length);
        var again = new byte[length * MaxGrowth];
        return again.AsSpan(0, Encode(name, again)).SequenceEqual(bytes) ? name : null;
    }

    /// <summary>The name as UTF-16, or null where the text is not an encoded name or UTF-16 has no such name.</summary>
    public static string? TryDecodeToString(ReadOnlySpan<char> encoded) => TryDecode(encoded) is { } bytes ? FromWtf8(bytes) : null;

    /// <summary>The names along an encoded path, each as bytes.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where the path could lead out of its folder or is not an encoded path.</exception>
    public static byte[][] DecodePath(string path)
    {
        var segments = (path.EndsWith('/') ? path[..^1] : path).Split('/');
        var names = new byte[segments.Length][];
        for (var i = 0; i < segments.Length; i++)
        {
            var name = TryDecode(segments[i]);
            if (name is null or [] or [(byte)'.'] or [(byte)'.', (byte)'.'] || name.AsSpan().ContainsAny((byte)'/', (byte)0))
                throw new BackupException(FailureKind.InvalidInput, $"'{path}' is refused: it is not a path inside a folder.", "The inventory or the store holds a path that no backup wrote; do not trust it.");
            names[i] = name;
        }

        return names;
    }

    private static bool NeedsEscape(Rune rune, ReadOnlySpan<byte> rest) => rune.Value switch
    {
        < 0x20 or 0x7F or 0xFFFE or 0xFFFF => true,
        '%' => rest.Length > 1 && (rest[1] == '~' || (rest.Length > 2 && char.IsAsciiHexDigit((char)rest[1]) && char.IsAsciiHexDigit((char)rest[2]))),
        _ => false,
    };

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static byte[] Wtf8(string name)
    {
        var bytes = new byte[name.Length * 3];
        var length = 0;
        for (var i = 0; i < name.Length;)
        {
            if (Rune.TryGetRuneAt(name, i, out var rune))
            {
                length += rune.EncodeToUtf8(bytes.AsSpan(length));
                i += rune.Utf16SequenceLength;
            }
            else
            {
                bytes[length++] = (byte)(0xE0 | (name[i] >> 12));
                bytes[length++] = (byte)(0x80 | ((name[i] >> 6) & 0x3F));
                bytes[length++] = (byte)(0x80 | (name[i] & 0x3F));
                i++;
            }
        }

        return bytes[..length];
    }

    private static string? FromWtf8(ReadOnlySpan<byte> bytes)
    {
        var name = new StringBuilder(bytes.Length);
        var source = bytes;
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var length) == OperationStatus.Done)
            {
                name.Append(rune.ToString());
            }
            else if (bytes is [0xED, >= 0xA0 and <= 0xBF, >= 0x80 and <= 0xBF, ..])
            {
                name.Append((char)(0xD000 | ((bytes[1] & 0x3F) << 6) | (bytes[2] & 0x3F)));
                length = 3;
            }
            else
            {
                return null;
            }

            bytes = bytes[length..];
        }

        // A high and a low surrogate that were encoded apart would come back as one character, which has another encoding.
        var text = name.ToString();
        return Wtf8(text).AsSpan().SequenceEqual(source) ? text : null;
    }
}
