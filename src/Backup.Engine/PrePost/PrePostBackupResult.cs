using System.Globalization;

namespace Backup.Engine.PrePost;

/// <summary>One instance, done.</summary>
public sealed record PrePostBackupResult
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>Where the run is kept.</summary>
    public required string Destination { get; init; }

    /// <summary>The instance.</summary>
    public required string InstanceId { get; init; }

    /// <summary>Its Name tag, or null.</summary>
    public string? Name { get; init; }

    /// <summary>How it ended; null while it has not. Completed only where scripts, backup and the return to the prior state all succeeded.</summary>
    public required Outcome? Outcome { get; init; }

    /// <summary>The step that it is at; null where it is done.</summary>
    public string? Step { get; init; }

    /// <summary>Why it failed or was left out, in a sentence; else null.</summary>
    public string? Reason { get; init; }

    /// <summary>The stable word for the failure.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about it, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>What went not quite as it should.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The state that it was found in: running or stopped.</summary>
    public string? PriorState { get; init; }

    /// <summary>Whether it is in that state again. Where not, Resume-PrePostBackup goes on.</summary>
    public bool GivenBack { get; init; }

    /// <summary>The pre-script, or null where it did not run.</summary>
    public ScriptResult? PreScript { get; init; }

    /// <summary>The post-script.</summary>
    public ScriptResult? PostScript { get; init; }

    /// <summary>The script for failures.</summary>
    public ScriptResult? OnFailureScript { get; init; }

    /// <summary>The script that runs last.</summary>
    public ScriptResult? FinallyScript { get; init; }

    /// <summary>The backup job, or null.</summary>
    public string? BackupJobId { get; init; }

    /// <summary>The job's last known state.</summary>
    public string? BackupState { get; init; }

    /// <summary>The recovery point, or null.</summary>
    public string? RecoveryPointArn { get; init; }

    /// <summary>The backup's size in bytes, or null where AWS Backup did not say.</summary>
    public long? Bytes { get; init; }

    /// <summary>From the order to stop until it ran again; null where it was not stopped.</summary>
    public TimeSpan? Downtime { get; init; }

    /// <summary>The steps that were taken, and how long each took.</summary>
    public IReadOnlyList<PhaseTiming> Phases { get; init; } = [];

    /// <summary>When it began.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether this is a plan (WhatIf) and nothing was done.</summary>
    public bool WhatIf { get; init; }

    /// <summary>With WhatIf: the steps that a run would take.</summary>
    public IReadOnlyList<string> Plan { get; init; } = [];

    /// <summary>The instance, and how it ended or where it is.</summary>
    public override string ToString() => $"{InstanceId} {(WhatIf && Outcome is not Engine.Outcome.Failed ? "Plan" : Outcome?.ToString() ?? Step)}";
}

/// <summary>A step and its time.</summary>
/// <param name="Phase">The step.</param>
/// <param name="Started">When it began, in UTC.</param>
/// <param name="Duration">How long it took.</param>
public sealed record PhaseTiming(string Phase, DateTimeOffset Started, TimeSpan Duration)
{
    /// <summary>The step and its seconds.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Phase} {Duration.TotalSeconds:0.0} s");
}

/// <summary>What became of a script on one instance.</summary>
public sealed record ScriptResult
{
    /// <summary>The SSM commands, one an attempt.</summary>
    public IReadOnlyList<string> CommandIds { get; init; } = [];

    /// <summary>Whether SSM said Success and every step's exit code was 0.</summary>
    public bool Succeeded { get; init; }

    /// <summary>SSM's word for the last attempt, in detail: Success, Failed, ExecutionTimedOut, DeliveryTimedOut …</summary>
    public string? Status { get; init; }

    /// <summary>The exit code; null where it did not run.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The end of its standard output.</summary>
    public string? Output { get; init; }

    /// <summary>The end of its standard error.</summary>
    public string? Error { get; init; }

    /// <summary>How it ended, its exit code, and how often it was sent.</summary>
    public override string ToString()
    {
        if (CommandIds.Count == 0)
            return Status is null ? "" : $"{Status}, not run";
        var code = ExitCode is { } exit ? string.Create(CultureInfo.InvariantCulture, $", exit code {exit}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Status ?? "sent"}{code}, {CommandIds.Count} {(CommandIds.Count == 1 ? "attempt" : "attempts")}");
    }
}

/// <summary>Where a run stands.</summary>
public enum PrePostRunState
{
    /// <summary>A runner is at work.</summary>
    Running,

    /// <summary>Its runner is gone, or has been silent for minutes: Resume-PrePostBackup goes on.</summary>
    Interrupted,

    /// <summary>Every instance is done, none failed.</summary>
    Completed,

    /// <summary>It is over, and something failed.</summary>
    Failed,
}

/// <summary>A run and where it stands.</summary>
public sealed record PrePostBackupRun
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>Where it is kept.</summary>
    public required string Destination { get; init; }

    /// <summary>Where it stands.</summary>
    public required PrePostRunState State { get; init; }

    /// <summary>What was asked for: the tag, or the instances.</summary>
    public required string SourceName { get; init; }

    /// <summary>When it began, in UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it last said anything, in UTC.</summary>
    public required DateTimeOffset LastActivity { get; init; }

    /// <summary>The machine that ran it last.</summary>
    public required string Host { get; init; }

    /// <summary>How many instances it has.</summary>
    public int Instances { get; init; }

    /// <summary>How many are done, failed ones included.</summary>
    public int Done { get; init; }

    /// <summary>How many failed.</summary>
    public int Failed { get; init; }

    /// <summary>The instances: those that are not done have the step they are at as their last phase.</summary>
    public IReadOnlyList<PrePostBackupResult> Results { get; init; } = [];

    /// <summary>The run and where it stands.</summary>
    public override string ToString() => $"{RunId} {State}";
}
