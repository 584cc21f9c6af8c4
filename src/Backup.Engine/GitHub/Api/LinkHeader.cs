namespace Backup.Engine.GitHub;

/// <summary>The Link header (RFC 8288).</summary>
internal static class LinkHeader
{
    /// <summary>The target with <c>rel="next"</c>, or null.</summary>
    public static string? Next(string header)
    {
        for (var position = 0; position < header.Length;)
        {
            var open = header.IndexOf('<', position);
            var close = open < 0 ? -1 : header.IndexOf('>', open);
            if (close < 0)
                return null;
            // Commas separate links, and may be within an address as well: the next link begins with its bracket.
            var end = header.IndexOf('<', close);
            var parameters = header[(close + 1)..(end < 0 ? header.Length : end)];
            if (IsNext(parameters))
                return header[(open + 1)..close];
            position = end < 0 ? header.Length : end;
        }

        return null;
    }

    private static bool IsNext(string parameters)
    {
        foreach (var parameter in parameters.Split([';', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && parameter[..equals].Trim().Equals("rel", StringComparison.OrdinalIgnoreCase))
                return parameter[(equals + 1)..].Trim().Trim('"').Split(' ').Contains("next", StringComparer.OrdinalIgnoreCase);
        }

        return false;
    }
}
