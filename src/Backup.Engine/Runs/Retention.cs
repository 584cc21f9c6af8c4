using System.Globalization;

namespace Backup.Engine.Runs;

/// <summary>
/// Which runs of a source are kept, written as <c>7d4w12m</c>: the newest run of each of the last 7 days that have one, of 4 weeks (ISO 8601), of 12 months.
/// Also <c>y</c> for years, and <c>10l</c> for the last ten runs whatever their age.
/// </summary>
public sealed record Retention
{
    private const int MaxCount = 10_000;
    private static readonly TimeSpan FailedStay = TimeSpan.FromDays(30);

    private readonly IReadOnlyList<Rule> _rules;

    private Retention(string text, IReadOnlyList<Rule> rules) => (Text, _rules) = (text, rules);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Reads a retention.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static Retention Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var rules = new List<Rule>();
        for (var i = 0; i < text.Length;)
        {
            var digits = i;
            while (i < text.Length && char.IsAsciiDigit(text[i]))
                i++;
            if (i == digits || i == text.Length || !int.TryParse(text.AsSpan(digits, i - digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > MaxCount)
                throw Bad(text);
            var unit = char.ToLowerInvariant(text[i++]);
            if (!"ldwmy".Contains(unit, StringComparison.Ordinal) || rules.Exists(rule => rule.Unit == unit))
                throw Bad(text);
            rules.Add(new(count, unit));
        }

        return rules.Count > 0 ? new(text, rules) : throw Bad(text);
    }

    /// <summary>
    /// The runs that are no longer wanted, of all runs of one source. Only good runs (whole, and proven) count as kept ones, and the newest good one
    /// always is. A failed run tells what went wrong for 30 days, and goes once it is that much older than the newest good one.
    /// </summary>
    /// <param name="runs">The runs, newest first.</param>
    internal IReadOnlyList<RunManifest> Expired(IReadOnlyList<RunManifest> runs)
    {
        var good = runs.Where(run => IsGood(run.Outcome)).ToList();
        if (good.Count == 0)
            return [];
        var kept = new HashSet<RunManifest>(ReferenceEqualityComparer.Instance) { good[0] };
        foreach (var rule in _rules)
            kept.UnionWith(good.GroupBy(run => Period(rule.Unit, run), StringComparer.Ordinal).Take(rule.Count).Select(period => period.First()));
        var oldestFailed = good[0].Started - FailedStay;
        return [.. runs.Where(run => !kept.Contains(run) && (IsGood(run.Outcome) || run.Started < oldestFailed))];
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static bool IsGood(Outcome outcome) => outcome is Outcome.Completed or Outcome.Adopted or Outcome.Unchanged;

    private static string Period(char unit, RunManifest run)
    {
        var time = run.Started.UtcDateTime;
        return unit switch
        {
            'd' => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            'w' => $"{ISOWeek.GetYear(time)}-{ISOWeek.GetWeekOfYear(time)}",
            'm' => time.ToString("yyyy-MM", CultureInfo.InvariantCulture),
            'y' => time.ToString("yyyy", CultureInfo.InvariantCulture),
            _ => run.RunId,
        };
    }

    private static BackupException Bad(string text) => new(
        FailureKind.InvalidInput,
        $"'{text}' is not a retention.",
        "Write numbers with d (days), w (weeks), m (months), y (years) or l (last runs), each once: 7d4w12m.");

    private sealed record Rule(int Count, char Unit);
}
