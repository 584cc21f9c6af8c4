using System.Globalization;
using System.Text.RegularExpressions;

namespace Backup.Engine.GitHub;

/// <summary>
/// The line that tells restored issues and comments from others, so that a restore that is repeated finds what is there already.
/// It is an HTML comment: readers do not see it.
/// </summary>
internal static partial class RestoreMarker
{
    /// <summary>GitHub takes no longer text.</summary>
    private const int MaxBody = 65_536;

    /// <summary>The text of a restored issue or comment: who wrote it and when, then what was written.</summary>
    /// <param name="source">What it was: <c>acme/app#12</c>, <c>acme/app comment 345</c>.</param>
    /// <param name="author">Who wrote it.</param>
    /// <param name="created">When.</param>
    /// <param name="what">What it was, as the end of a sentence that begins with the author: "opened this issue".</param>
    /// <param name="body">What was written.</param>
    public static string Text(string source, string? author, DateTimeOffset created, string what, string? body)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"> **{author ?? "ghost"}** {what} on {created.UtcDateTime:yyyy-MM-dd HH:mm} UTC.\n\n");
        var tail = $"\n\n<!-- restored: {source} -->";
        var text = Quiet(body ?? "");
        var room = MaxBody - head.Length - tail.Length - 1;
        return head + (text.Length <= room ? text : text[..room] + "…") + tail;
    }

    /// <summary>What a text was restored from, or null. Only the last line counts: a quotation of another issue may hold a marker of its own.</summary>
    public static string? SourceOf(string? text) => text is not null && Pattern().Match(text) is { Success: true } match ? match.Groups["source"].Value : null;

    /// <summary>The number of the issue that a source names in a repository, or null.</summary>
    public static int? IssueOf(string source, string fullName) =>
        source.StartsWith(fullName + "#", StringComparison.OrdinalIgnoreCase) && int.TryParse(source.AsSpan(fullName.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    // A mention would notify people of years that are long past: an invisible character keeps it from being one.
    private static string Quiet(string body) => Mention().Replace(body, "@\u200b");

    [GeneratedRegex(@"<!-- restored: (?<source>[^\r\n]+) -->\s*$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();

    [GeneratedRegex("@(?=[A-Za-z0-9])", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Mention();
}
