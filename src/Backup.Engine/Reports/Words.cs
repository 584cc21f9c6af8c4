using System.Globalization;

namespace Backup.Engine.Reports;

/// <summary>Spans of time, sizes and moments as people read them.</summary>
internal static class Words
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Such as <c>3 d 4 h</c>, <c>12 min</c>, <c>4.2 s</c>.</summary>
    public static string Of(TimeSpan span) => span switch
    {
        { TotalSeconds: < 10 } => Invariant($"{Math.Max(0, span.TotalSeconds):0.#} s"),
        { TotalMinutes: < 2 } => Invariant($"{span.TotalSeconds:0} s"),
        { TotalHours: < 2 } => Invariant($"{(long)span.TotalMinutes} min"),
        { TotalDays: < 2 } => Two((long)span.TotalHours, "h", span.Minutes, "min"),
        _ => Two((long)span.TotalDays, "d", span.Hours, "h"),
    };

    /// <summary>Such as <c>1.5 GiB</c>.</summary>
    public static string Size(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (value >= 1023.95 && unit < Units.Length - 1)
            (value, unit) = (value / 1024, unit + 1);
        return Invariant($"{value:0.#} {Units[unit]}");
    }

    /// <summary>Such as <c>12,345</c>.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Such as <c>2026-11-21 14:05 UTC</c>.</summary>
    public static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";

    /// <summary>Such as <c>2026-11-21</c>.</summary>
    public static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Such as <c>2026-11-21T14:05:00Z</c>.</summary>
    public static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Text that does not depend on anyone's language.</summary>
    public static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static string Two(long major, string majorUnit, int minor, string minorUnit) =>
        minor == 0 ? Invariant($"{major} {majorUnit}") : Invariant($"{major} {majorUnit} {minor} {minorUnit}");
}
