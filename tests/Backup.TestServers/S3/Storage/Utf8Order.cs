namespace Backup.TestServers.S3.Storage;

/// <summary>S3 lists keys by their UTF-8 bytes; .NET's ordinal order differs where surrogates meet U+E000 and above.</summary>
internal sealed class Utf8Order : IComparer<string>
{
    public static readonly Utf8Order Instance = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
            return string.CompareOrdinal(x, y);
        var common = x.AsSpan().CommonPrefixLength(y);
        if (common == x.Length || common == y.Length)
            return x.Length.CompareTo(y.Length);
        var (a, b) = (x[common], y[common]);
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : Weight(a).CompareTo(Weight(b));
    }

    private static int Weight(char c) => char.IsSurrogate(c) ? 0x10000 : c;
}
