using System.Management.Automation;
using Backup.Engine;

namespace AtlassianBackup;

/// <summary>Makes a time of a number of seconds, or of text such as <c>10m</c>. PowerShell itself would take a number for ticks, and the string of one for days.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class SecondsTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value switch
        {
            null => null,
            TimeSpan time => time,
            string text when SpanText.Parse(text) is { } span => span,
            _ when LanguagePrimitives.TryConvertTo<double>(value, out var seconds) && Math.Abs(seconds) < TimeSpan.MaxValue.TotalSeconds => TimeSpan.FromSeconds(seconds),
            _ => throw new ArgumentTransformationMetadataException($"'{value}' is no time. Give seconds (600), or a span such as 10m, 2h or 00:10:00."),
        };
    }
}
