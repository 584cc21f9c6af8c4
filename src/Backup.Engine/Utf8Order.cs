namespace Backup.Engine;

/// <summary>
/// The order of strings by their UTF-8 bytes: that of S3's listings and of SQLite (BINARY), and so the order of keys and paths everywhere.
/// A directory's path ends with <c>/</c>, so <c>a.txt</c> &lt; <c>a/</c> &lt; <c>a/b</c> &lt; <c>a0</c>.
/// </summary>
internal sealed class Utf8Order : IComparer<string>
{
    /// <summary>The one instance.</summary>
    public static Utf8Order Instance { get; } = new();

    /// <summary>Compares two well-formed strings by their UTF-8 bytes.</summary>
    public static int Compare(ReadOnlySpan<char> x, ReadOnlySpan<char> y)
    {
        var common = x.CommonPrefixLength(y);
        if (common == x.Length || common == y.Length)
            return x.Length - y.Length;

        // UTF-16 puts surrogates (U+10000 and above) before U+E000-U+FFFF, UTF-8 after.
        var (a, b) = (x[common], y[common]);
        return a >= 0xD800 && b >= 0xD800 ? Rank(a) - Rank(b) : a - b;
    }

    /// <inheritdoc/>
    public int Compare(string? x, string? y) => Compare(x.AsSpan(), y.AsSpan());

    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x2000 : c - 0x800;
}
