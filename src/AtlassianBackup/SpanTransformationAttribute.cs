using System.Management.Automation;
using System.Runtime.CompilerServices;
using Backup.Engine;

namespace AtlassianBackup;

/// <summary>Makes a TimeSpan of text such as <c>7d</c>. A bare number is refused: PowerShell would take it for ticks.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class SpanTransformationAttribute : ArgumentTransformationAttribute
{
    private const int MaxDays = 36_500;

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) => inputData is null ? null : Read(inputData);

    /// <summary>A span above zero.</summary>
    /// <exception cref="ArgumentTransformationMetadataException">It is none.</exception>
    // Not inlined: attributes are looked at when the module is imported, and the engine is loaded when it is needed.
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static TimeSpan Read(object? value)
    {
        if (value is PSObject wrapped)
            value = wrapped.BaseObject;
        var span = value switch
        {
            TimeSpan given => given,
            // 7d without quotes is PowerShell's way to write a decimal, and 90s that of a short.
            decimal days and > 0 and < MaxDays => TimeSpan.FromDays((double)days),
            short seconds => TimeSpan.FromSeconds(seconds),
            string text => SpanText.Parse(text),
            _ => null,
        };
        return span is { } read && read > TimeSpan.Zero ? read : throw new ArgumentTransformationMetadataException($"'{value}' is not a span of time above zero. {SpanText.Forms}");
    }
}
