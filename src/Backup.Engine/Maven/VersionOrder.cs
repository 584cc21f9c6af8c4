using System.Globalization;

namespace Backup.Engine.Maven;

/// <summary>
/// The order of Maven's versions, near enough for which one is the latest: numbers by value, qualifiers before their release
/// (https://maven.apache.org/pom.html#version-order-specification). Builds of a snapshot come in the order they were made, and before the snapshot itself.
/// </summary>
internal sealed class VersionOrder : IComparer<string>
{
    private static readonly string[] Qualifiers = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

    public static VersionOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var (a, b) = (Tokens(x ?? ""), Tokens(y ?? ""));
        for (var i = 0; i < Math.Max(a.Count, b.Count); i++)
        {
            if (CompareTokens(i < a.Count ? a[i] : null, i < b.Count ? b[i] : null) is var order and not 0)
                return order;
        }

        return string.CompareOrdinal(x, y);
    }

    private static int CompareTokens(string? a, string? b)
    {
        var (aIsNumber, bIsNumber) = (IsNumber(a), IsNumber(b));
        if (aIsNumber && bIsNumber)
            return CompareNumbers(a!, b!);
        if (aIsNumber || bIsNumber)
        {
            // A number is later than a qualifier and than nothing, but for zero, which is nothing.
            var (number, other) = aIsNumber ? (a!, b) : (b!, a);
            var order = other is null && number.All(c => c == '0') ? 0 : 1;
            return aIsNumber ? order : -order;
        }

        return Rank(a) is var rankA && Rank(b) is var rankB && rankA != rankB
            ? rankA.CompareTo(rankB)
            : string.Compare(a ?? "", b ?? "", StringComparison.OrdinalIgnoreCase);
    }

    private static int CompareNumbers(string a, string b)
    {
        var (x, y) = (a.TrimStart('0'), b.TrimStart('0'));
        return x.Length != y.Length ? x.Length.CompareTo(y.Length) : string.CompareOrdinal(x, y);
    }

    private static int Rank(string? qualifier) => (qualifier?.ToLowerInvariant() ?? "") switch
    {
        "a" => 0,
        "b" => 1,
        "m" => 2,
        "cr" => 3,
        "final" or "ga" or "release" => 5,
        var name => Array.IndexOf(Qualifiers, name) is >= 0 and var known ? known : Qualifiers.Length,
    };

    private static bool IsNumber(string? token) => token is { Length: > 0 } && char.IsAsciiDigit(token[0]);

    // Split at dots and hyphens, and between letters and digits.
    private static List<string> Tokens(string version)
    {
        var tokens = new List<string>();
        var start = 0;
        for (var i = 0; i <= version.Length; i++)
        {
            var isEnd = i == version.Length || version[i] is '.' or '-' or '_' or '+';
            if (isEnd || (i > start && char.IsAsciiDigit(version[i]) != char.IsAsciiDigit(version[i - 1])))
            {
                if (i > start)
                    tokens.Add(version[start..i]);
                start = isEnd ? i + 1 : i;
            }
        }

        while (tokens.Count > 1 && IsNumber(tokens[^1]) && int.TryParse(tokens[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last == 0)
            tokens.RemoveAt(tokens.Count - 1);
        return tokens;
    }
}
