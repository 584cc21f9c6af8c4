using System.Collections;
using System.Management.Automation;

namespace AtlassianBackup;

/// <summary>How often good runs are expected: one span for every source, or spans by pattern.</summary>
public sealed class BackupInterval
{
    internal BackupInterval(TimeSpan? common, IReadOnlyList<KeyValuePair<string, TimeSpan>> byPattern) => (Common, ByPattern) = (common, byPattern);

    /// <summary>The span for every source that no pattern names; null where only patterns were given.</summary>
    public TimeSpan? Common { get; }

    /// <summary>The spans of particular sources, by system, <c>system/source</c> or source.</summary>
    public IReadOnlyList<KeyValuePair<string, TimeSpan>> ByPattern { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", ByPattern.Select(pair => $"{pair.Key}: {pair.Value}").Prepend(Common?.ToString()).OfType<string>());
}

/// <summary>Makes a <see cref="BackupInterval"/> of a TimeSpan, of text such as <c>26h</c>, or of a hashtable of them by pattern.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class BackupIntervalTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        if (inputData is PSObject wrapped)
            inputData = wrapped.BaseObject;
        return inputData switch
        {
            null => null,
            BackupInterval given => given,
            IDictionary table => FromTable(table),
            _ => new BackupInterval(SpanTransformationAttribute.Read(inputData), []),
        };
    }

    private static BackupInterval FromTable(IDictionary table)
    {
        var byPattern = new List<KeyValuePair<string, TimeSpan>>();
        TimeSpan? common = null;
        foreach (DictionaryEntry entry in table)
        {
            var pattern = entry.Key.ToString() ?? "";
            if (pattern is "*")
                common = SpanTransformationAttribute.Read(entry.Value);
            else if (pattern.Length > 0)
                byPattern.Add(new(pattern, SpanTransformationAttribute.Read(entry.Value)));
        }

        return new(common, byPattern);
    }
}
