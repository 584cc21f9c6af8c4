namespace Backup.Engine.Folders;

/// <summary>
/// The order of paths everywhere: by their UTF-8 bytes, as SQLite (BINARY) and S3 listings have it.
/// A directory's path ends with <c>/</c>, so <c>a.txt</c> &lt; <c>a/</c> &lt; <c>a/b</c> &lt; <c>a0</c>.
/// </summary>
internal sealed class PathOrder : IComparer<string>
{
    /// <summary>The one instance.</summary>
    public static PathOrder Instance { get; } = new();

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
