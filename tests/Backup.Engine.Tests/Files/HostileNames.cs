using System.Text;

namespace Backup.Engine.Tests.Files;

/// <summary>
/// Names as bytes. The classes are those of rclone's FsEncoding test (control characters, dots, punctuation, leading and
/// trailing space, line breaks, tabs, tilde, invalid UTF-8, percent codes) and the kinds of the Big List of Naughty Strings.
/// </summary>
internal static class HostileNames
{
    public static IReadOnlyList<byte[]> All { get; } =
    [
        .. Enumerable.Range(1, 255).Where(b => b != '/' && b != '.').Select(b => new[] { (byte)b }),
        .. new[]
        {
            "...", "..a", ".a", "a.", "a..", " leading", "trailing ", "\u00a0nbsp\u00a0", "leading\rCR", "LF\n", "\tHT", "VT\v", "DEL\x7f", "~tilde", "tilde~", "%~", "a%~b", "%", "%%", "%%25", "%2", "%25", "%2F", "%2f", "%00",
            "test%46.txt", "100%", "50% off", "%7", "%G1", "%\u0001", "!\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~", "\\back\\slash", "C:", "a:b", "NUL", "con.txt", "_catalog", "%5Fcatalog",
            "Ω≈ç√∫˜µ≤≥÷", "田中さんにあげて下さい", "👾 🙇 💁🏽", "مُنَاقَشَةُ", "\u202etest\u202e", "\u200b", "\ufeffBOM", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗", "café", "cafe\u0301", "\ufffd", "\ufffe", "\uffff", "\U0001ffff", "\U0010ffff", "\ue000", "\ud7ff", "\u0085", "\u2028",
            "`touch x`", "$(touch x)", "'; DROP TABLE files; --", "<script>alert(0)</script>", "-rf", "--help", "a?b*c|d", "INF", "null", "&amp;", "{0}", "..%2f..%2fetc", new string('a', 255), new string('%', 255), new string('\u0001', 255), string.Concat(Enumerable.Repeat("é", 127)),
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC0, 0x80], [0xC3], [0xC3, 0x28], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F], [(byte)'%', 0xFF], [(byte)'%', (byte)'4', 0xFF], [(byte)'a', 0x80, (byte)'b'],
        [0xC3, 0xA9, 0xFF, (byte)'%', (byte)'4', (byte)'1'],
    ];
}
