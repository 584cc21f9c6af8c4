using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Runs;

namespace AtlassianBackup.Commands;

/// <summary>What the restoring cmdlets have in common: what they take, and how they tell what became of it.</summary>
public abstract class RestoreCmdlet : AwsCmdlet
{
    private readonly HashSet<string> _withErrors = new(StringComparer.Ordinal);
    private readonly List<RestoreSummary> _unexplained = [];

    /// <summary>What is taken.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Include { get; set; }

    /// <summary>Overwrite files that are newer than the backup.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Runs a restore. What ends it early is thrown behind the run's summary, and is then the one error.</summary>
    protected void RunRestore(Func<CancellationToken, IAsyncEnumerable<RestoreOutput>> source, object target)
    {
        RunAsync(source, WriteRestored, target);
        foreach (var summary in _unexplained)
            WriteError(ErrorMapping.ToRecord(summary.Kind ?? FailureKind.Unknown, $"{summary.SourceName}: {summary.Reason ?? "The restore is not complete."}", summary.Advice, summary.SourceName));
        _unexplained.Clear();
    }

    /// <summary>Writes a summary as output and a failed file as an error. Files left alone are counted, not listed: there may be a million.</summary>
    private void WriteRestored(RestoreOutput output)
    {
        switch (output)
        {
            case RestoredItem { Outcome: Outcome.Failed } item:
                _withErrors.Add(item.RunId);
                WriteError(ErrorMapping.ToRecord(item.Kind ?? FailureKind.Unknown, item.Reason ?? $"{item.Path} was not restored.", item.Advice, item.Path));
                break;
            case RestoredItem item:
                WriteVerbose($"{item.Path}: {item.Outcome}. {item.Reason}");
                break;
            case RestoreSummary summary:
                WriteObject(summary);
                Remark(summary);
                break;
        }
    }

    private void Remark(RestoreSummary summary)
    {
        if (summary.Skipped > 0)
            WriteWarning($"{summary.SourceName}: {summary.Skipped} files on disk are newer than the backup and were left alone. -Verbose lists them, -Force overwrites them.");
        if (summary.Deferred > 0)
            WriteWarning(summary.WhatIf
                ? $"{summary.SourceName}: {summary.Deferred} files are archived and would be asked for, which takes hours."
                : $"{summary.SourceName}: {summary.Deferred} files are archived and were asked for. Run the same command again when they are readable.");
        if (summary.Outcome is Outcome.Completed && summary.Reason is { } reason)
            WriteWarning($"{summary.SourceName}: {reason}");
        if (summary.Outcome is Outcome.Failed && !_withErrors.Contains(summary.RunId))
            _unexplained.Add(summary);
    }
}
