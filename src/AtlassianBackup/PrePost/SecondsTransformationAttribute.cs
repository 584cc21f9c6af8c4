using System.Management.Automation;

namespace AtlassianBackup;

/// <summary>Makes a time of a number of seconds. PowerShell itself would take a number for ticks, and the string of one for days.</summary>
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
            string text when text.Contains(':', StringComparison.Ordinal) => inputData,
            _ when LanguagePrimitives.TryConvertTo<double>(value, out var seconds) && Math.Abs(seconds) < TimeSpan.MaxValue.TotalSeconds => TimeSpan.FromSeconds(seconds),
            _ => throw new ArgumentTransformationMetadataException($"'{value}' is no time. Give seconds (600), or hours, minutes and seconds (00:10:00)."),
        };
    }
}
