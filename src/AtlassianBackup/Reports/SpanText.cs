using System.Globalization;
using System.Management.Automation;

namespace AtlassianBackup;

/// <summary>Spans of time as people type them.</summary>
internal static class SpanText
{
    private const int MaxDays = 36_500;
    private const string Forms = "Give a TimeSpan, or text such as 26h, 7d, 90m, 2w or 1.02:00:00.";

    /// <summary>A span above zero.</summary>
    /// <exception cref="ArgumentTransformationMetadataException">It is none. A bare number is none: PowerShell would take it for ticks, and people mean days.</exception>
    internal static TimeSpan Read(object? value)
    {
        if (value is PSObject wrapped)
            value = wrapped.BaseObject;
        var span = value switch
        {
            TimeSpan given => given,
            // 7d without quotes is PowerShell's way to write a decimal.
            decimal days and > 0 and < MaxDays => TimeSpan.FromDays((double)days),
            string text => Parse(text.Trim()),
            _ => null,
        };
        return span is { } read && read > TimeSpan.Zero ? read : throw new ArgumentTransformationMetadataException($"'{value}' is not a span of time above zero. {Forms}");
    }

    private static TimeSpan? Parse(string text)
    {
        if (text.Length > 1 && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number < MaxDays)
        {
            return char.ToLowerInvariant(text[^1]) switch
            {
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                'd' => TimeSpan.FromDays(number),
                'w' => TimeSpan.FromDays(number * 7),
                _ => null,
            };
        }

        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;
    }
}

/// <summary>Makes a TimeSpan of text such as <c>7d</c>.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class SpanTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) => inputData is null ? null : SpanText.Read(inputData);
}
