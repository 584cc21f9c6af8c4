using System.Collections;
using System.Management.Automation;

namespace AtlassianBackup;

/// <summary>Makes one text of the lines of a script, as Get-Content gives them.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class ScriptTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value switch
        {
            ScriptBlock => throw new ArgumentTransformationMetadataException("A script block is PowerShell of this machine. Give the script as text, in quotes."),
            IDictionary or string => inputData,
            IEnumerable lines => string.Join('\n', lines.Cast<object?>().Select(line => LanguagePrimitives.ConvertTo<string>(line))),
            _ => inputData,
        };
    }
}
