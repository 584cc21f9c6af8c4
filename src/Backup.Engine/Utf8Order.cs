namespace Backup.Engine;

/// <summary>The order of strings by their UTF-8 bytes: that of S3's listings and of SQLite.</summary>
internal sealed class Utf8Order : IComparer<string>
{
    /// <summary>The one instance.</summary>
    public static Utf8Order Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
            return x is null ? y is null ? 0 : -1 : 1;
        var common = x.AsSpan().CommonPrefixLength(y);
        if (common == x.Length || common == y.Length)
            return x.Length.CompareTo(y.Length);
        var (a, b) = (x[common], y[common]);
        // UTF-16 puts surrogates, which stand for the highest code points, before U+E000.
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b)
            : char.IsSurrogate(a) ? (b >= '\uE000' ? 1 : a.CompareTo(b))
            : (a >= '\uE000' ? -1 : a.CompareTo(b));
    }
}
