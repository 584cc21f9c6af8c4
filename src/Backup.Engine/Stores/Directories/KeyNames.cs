using System.Text;
using static System.StringComparison;

namespace Backup.Engine.Stores.Directories;

/// <summary>
/// The one reversible encoding between a key's segments and file names that are safe on Windows, Linux and macOS.
/// <c>%XX</c> (upper case) is a UTF-8 byte; a per cent sign with a lower-case letter is a marker and can never be mistaken for one.
/// </summary>
/// <param name="foldsNames">Whether the file system takes names for equal that differ in case or normalization: then A-Z and all non-ASCII are escaped too.</param>
internal sealed class KeyNames(bool foldsNames)
{
    /// <summary>The longest key in UTF-8 bytes, as S3 has it.</summary>
    public const int MaxKeyBytes = 1024;

    /// <summary>Stands for an empty segment.</summary>
    public const string Empty = "%e";

    /// <summary>Ends the name of an object's file whose plain name is taken by a directory.</summary>
    public const string FileMarker = "%f";

    /// <summary>Ends the name of a directory that holds the continuation of a segment too long for one name.</summary>
    public const string SplitMarker = "%s";

    /// <summary>The directory in the root that holds what is not an object.</summary>
    public const string Private = ".store";

    // File systems stop at 255 bytes or UTF-16 units; the markers and the sidecar's ending need room after the name.
    private const int MaxNameBytes = 240;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Refuses what no store can keep.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static void Check(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Length == 0)
            throw new BackupException(FailureKind.InvalidInput, "A key is empty.", "A key has 1 to 1,024 bytes of UTF-8.");
        if (!IsWellFormed(key))
            throw new BackupException(FailureKind.InvalidInput, $"The key '{key}' holds half of a surrogate pair, which UTF-8 cannot express.", "Rename it.");
        if (Encoding.UTF8.GetByteCount(key) is var bytes and > MaxKeyBytes)
            throw new BackupException(FailureKind.InvalidInput, $"The key '{key[..60]}…' has {bytes} bytes of UTF-8.", $"Shorten it to {MaxKeyBytes} or less.");
    }

    /// <summary>Whether every surrogate has its other half.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var consumed) != System.Buffers.OperationStatus.Done)
                return false;
            text = text[consumed..];
        }
        return true;
    }

    /// <summary>The relative path of a whole key.</summary>
    public string Path(string key)
    {
        var names = new List<string>();
        foreach (var segment in key.Split('/'))
            AddNames(names, segment, first: names.Count == 0);
        return string.Join(System.IO.Path.DirectorySeparatorChar, names);
    }

    /// <summary>The relative path of one segment: a name, or several where it is too long for one.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="first">Whether it is the key's first.</param>
    public string SegmentPath(string segment, bool first)
    {
        var names = new List<string>(1);
        AddNames(names, segment, first);
        return names.Count == 1 ? names[0] : string.Join(System.IO.Path.DirectorySeparatorChar, names);
    }

    /// <summary>What a name without its marker stands for, or null where it is no encoding of anything.</summary>
    public static string? Decode(string name)
    {
        if (name is Empty)
            return "";
        if (!name.Contains('%', Ordinal))
            return name;

        var bytes = new List<byte>(name.Length);
        Span<byte> utf8 = stackalloc byte[4];
        for (var rest = name.AsSpan(); !rest.IsEmpty;)
        {
            if (rest[0] == '%')
            {
                if (rest.Length < 3 || !char.IsAsciiHexDigitUpper(rest[1]) || !char.IsAsciiHexDigitUpper(rest[2]))
                    return null;
                bytes.Add(Convert.FromHexString(rest.Slice(1, 2))[0]);
                rest = rest[3..];
                continue;
            }
            if (Rune.DecodeFromUtf16(rest, out var rune, out var consumed) != System.Buffers.OperationStatus.Done)
                return null;
            bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
            rest = rest[consumed..];
        }

        try
        {
            return Strict.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private void AddNames(List<string> names, string segment, bool first)
    {
        if (segment.Length == 0)
        {
            names.Add(Empty);
            return;
        }

        var reserved = IsDevice(segment) || (first && segment.Equals(Private, OrdinalIgnoreCase));
        var name = new StringBuilder(segment.Length);
        var size = 0;
        var split = false;
        Span<byte> utf8 = stackalloc byte[4];
        for (var index = 0; index < segment.Length;)
        {
            var rune = Rune.GetRuneAt(segment, index);
            var isFirst = index == 0;
            index += rune.Utf16SequenceLength;
            var bytes = utf8[..rune.EncodeToUtf8(utf8)];
            var escape = IsUnsafe(rune) || (isFirst && (reserved || rune.Value == ' ')) || (index == segment.Length && rune.Value is '.' or ' ');

            var width = escape ? bytes.Length * 3 : bytes.Length;
            if (size + width > MaxNameBytes)
            {
                names.Add(name.Append(SplitMarker).ToString());
                name.Clear();
                size = 0;
                split = true;
            }
            size += width;
            if (!escape)
            {
                name.Append(rune.ToString());
                continue;
            }
            foreach (var value in bytes)
                Escape(name, value);
        }

        var last = name.ToString();
        if (split && IsDevice(last))
            last = Escape(new StringBuilder(), (byte)last[0]).Append(last, 1, last.Length - 1).ToString();
        names.Add(last);
    }

    private static StringBuilder Escape(StringBuilder name, byte value) => name.Append('%').Append(value.ToString("X2"));

    private bool IsUnsafe(Rune rune) => rune.Value switch
    {
        < 0x20 or 0x7F => true,
        '<' or '>' or ':' or '"' or '|' or '?' or '*' or '\\' or '%' => true,
        >= 'A' and <= 'Z' or >= 0x80 => foldsNames,
        _ => false,
    };

    // https://learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved with any extension and in any case,
    // the superscripts 1 to 3 count as digits.
    private static bool IsDevice(ReadOnlySpan<char> name)
    {
        var dot = name.IndexOf('.');
        var stem = (dot < 0 ? name : name[..dot]).TrimEnd(' ');
        return stem.Length switch
        {
            3 => stem.Equals("CON", OrdinalIgnoreCase) || stem.Equals("PRN", OrdinalIgnoreCase)
                || stem.Equals("AUX", OrdinalIgnoreCase) || stem.Equals("NUL", OrdinalIgnoreCase),
            4 => (stem.StartsWith("COM", OrdinalIgnoreCase) || stem.StartsWith("LPT", OrdinalIgnoreCase))
                && (char.IsAsciiDigit(stem[3]) || stem[3] is '\u00B9' or '\u00B2' or '\u00B3'),
            6 => stem.Equals("CONIN$", OrdinalIgnoreCase),
            7 => stem.Equals("CONOUT$", OrdinalIgnoreCase),
            _ => false,
        };
    }
}
