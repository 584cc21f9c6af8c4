using System.Management.Automation;
using Backup.Engine.Plans;

namespace AtlassianBackup.Commands;

/// <summary>Test-BackupPlan: looks at everything about a plan that can be looked at without changing anything.</summary>
[Cmdlet(VerbsDiagnostic.Test, "BackupPlan")]
[OutputType("Backup.Engine.Plans.PlanCheck")]
[OutputType(typeof(bool))]
public sealed class TestBackupPlanCommand : AwsCmdlet
{
    private readonly List<PlanCheck> _failed = [];

    /// <summary>The plan.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>Only these jobs.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Job { get; set; }

    /// <summary>Give a bool instead of the checklist.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>Looks.</summary>
    protected override void ProcessRecord()
    {
        _failed.Clear();
        var file = ReadOrEnd(() => ResolvePath(Path), Path);
        var options = new PlanTestOptions { Path = file, Jobs = Job is null ? null : [.. Job.Select(name => name.Trim())], Aws = CreateStoreOptions().Aws, Logger = CreateLogger() };
        RunAsync(token => PlanTest.RunAsync(options, CreateProgress(), token), Write, Path);
        if (Quiet)
            WriteObject(_failed.Count == 0);
        // Behind the list, so that it is read in one piece.
        foreach (var check in _failed)
            WriteError(ErrorMapping.ToRecord(check.Kind ?? Backup.Engine.FailureKind.Unknown, $"{(check.Job is { } job ? $"Job {job}, " : "")}{check.Check}: {check.Detail}", check.HowToMend, check.Job ?? file));
    }

    private void Write(PlanCheck check)
    {
        if (!Quiet)
            WriteObject(check);
        if (check.Status is PlanCheckStatus.Failed)
            _failed.Add(check);
    }
}
