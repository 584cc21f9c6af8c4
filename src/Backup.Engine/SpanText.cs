using System.Globalization;

namespace Backup.Engine;

/// <summary>Spans of time as people type them: <c>90s</c>, <c>15m</c>, <c>26h</c>, <c>7d</c>, <c>2w</c>, or <c>1.02:00:00</c>.</summary>
public static class SpanText
{
    /// <summary>What is understood, for messages.</summary>
    public const string Forms = "Give a span such as 90s, 15m, 26h, 7d, 2w or 1.02:00:00.";

    // So many weeks are still a TimeSpan.
    private const int MaxNumber = 1_000_000;

    /// <summary>The span; null where the text is none. A bare number is none: PowerShell would take it for ticks, and people mean seconds or days.</summary>
    public static TimeSpan? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.Trim();
        if (text.Contains(':', StringComparison.Ordinal))
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;
        if (text.Length < 2 || !double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number is not (>= 0 and < MaxNumber))
            return null;
        return char.ToLowerInvariant(text[^1]) switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' => TimeSpan.FromDays(number),
            'w' => TimeSpan.FromDays(number * 7),
            _ => null,
        };
    }
}
