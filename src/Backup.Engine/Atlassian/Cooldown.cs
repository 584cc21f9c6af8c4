using System.Globalization;
using System.Text.RegularExpressions;

namespace Backup.Engine.Atlassian;

/// <summary>
/// Atlassian's answer that it is too early for another export. It comes with 406 (Confluence), 412 (Jira) or, in 2016, 500, as plain text or in JSON;
/// the text decides. Sources: bitprocessor/atlassian-cloud-backup (README), datreeio/jira-backup-py, the Jira administration pages' own wording.
/// </summary>
/// <param name="Remaining">The time until the next export is allowed, or null where the text has none.</param>
internal sealed partial record Cooldown(TimeSpan? Remaining)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(60);

    /// <summary>Reads a cooldown out of an answer's text; null where it is none.</summary>
    public static Cooldown? Parse(string text)
    {
        if (!Sentence().IsMatch(text))
            return null;
        var remaining = TimeSpan.Zero;
        var found = false;
        // Only what stands behind "next allowed backup" is a time: the sentence before may hold numbers of its own.
        var start = Time().Match(text) is { Success: true } time ? time.Index : 0;
        foreach (Match part in Part().Matches(text, start))
        {
            if (!int.TryParse(part.Groups["count"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > 10_000)
                return new((TimeSpan?)null);
            found = true;
            remaining += char.ToLowerInvariant(part.Groups["unit"].Value[0]) switch
            {
                'd' => TimeSpan.FromDays(count),
                'h' => TimeSpan.FromHours(count),
                'm' => TimeSpan.FromMinutes(count),
                _ => TimeSpan.FromSeconds(count),
            };
        }

        return new(found && remaining <= Longest ? remaining : null);
    }

    [GeneratedRegex(@"frequency\s+is\s+limited|can\s?not\s+make\s+another\s+backup|next\s+allowed\s+backup", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Sentence();

    [GeneratedRegex(@"(?:till|until)\s+next\s+allowed", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Time();

    [GeneratedRegex(@"(?<count>\d+)\s*(?<unit>d(ays?)?|h(ours?|rs?)?|m(in(ute)?s?)?|s(ec(ond)?s?)?)\b", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Part();
}
