using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Plans;

namespace AtlassianBackup.Commands;

/// <summary>Invoke-BackupPlan: runs the jobs of a plan file.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "BackupPlan", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.Plans.BackupJobResult")]
public sealed class InvokeBackupPlanCommand : AwsCmdlet
{
    private readonly List<BackupJobResult> _results = [];
    private bool _hasInstances;
    private bool _whatIf;

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

    /// <summary>Instances that a job has stopped are started again, however long that takes.</summary>
    protected override TimeSpan StopDeadline => _hasInstances ? PrePostCmdlet.GivingBackDeadline : base.StopDeadline;

    /// <summary>Runs the engine.</summary>
    protected override void ProcessRecord()
    {
        var plan = ReadOrEnd(() => PlanFile.Load(ResolvePath(Path)), Path);
        var jobs = ReadOrEnd(() => PlanRun.Select(plan, Trimmed()), Path);
        var chosen = jobs.Where(job => !job.Enabled || Confirm($"{job.Name} ({job.System}){(job.Destination is { } destination ? $" to {destination}" : "")}", "Run job", out _whatIf)).Select(job => job.Name).ToList();
        if (chosen.Count == 0)
            return;
        _hasInstances = jobs.Any(job => job is { Enabled: true, System: "ec2" });
        _results.Clear();
        var store = CreateStoreOptions();
        var options = new PlanRunOptions { Plan = plan, Jobs = chosen, Aws = store.Aws, WhatIf = _whatIf, Logger = CreateLogger() };
        RunAsync(token => PlanRun.RunAsync(options, CreateProgress(), token), Write, Path);
        WriteVerbose($"{plan.File}: {PlanSummary.Of(_results)}.");
        // Last: with ErrorAction Stop the first error would end the other jobs.
        foreach (var result in _results.Where(result => result.Outcome is Outcome.Failed))
            WriteError(ErrorMapping.ToRecord(result.Kind ?? FailureKind.Unknown, $"Job {result.Name}: {result.Reason ?? "it failed."}", result.Advice, result.Name));
    }

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        base.StopProcessing();
        if (_hasInstances)
            PrePostCmdlet.TellOfGivingBack(Host);
    }

    // A job's name may hold spaces, and what splits a list at its commas leaves some around.
    private string[]? Trimmed() => Job is null ? null : [.. Job.Select(name => name.Trim())];

    private void Write(BackupJobResult result)
    {
        _results.Add(result);
        foreach (var line in result.Plan)
            ShouldProcess($"{result.Name}: {line}", null, null, out _);
        WriteObject(result);
        foreach (var warning in result.Warnings)
            WriteWarning($"{result.Name}: {warning}");
        if (result.Outcome is Outcome.Deferred)
            WriteWarning($"{result.Name}: {result.Reason}");
    }
}
