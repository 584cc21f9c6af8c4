using System.Text.Json.Serialization;

namespace Backup.Engine.PrePost;

/// <summary>What a run was asked for, as its journal keeps it: enough to go on from any machine.</summary>
internal sealed record PrePostPlan
{
    public required DateTimeOffset Started { get; init; }

    public required string SourceName { get; init; }

    public string? Region { get; init; }

    public PrePostScript? PreScript { get; init; }

    public PrePostScript? PostScript { get; init; }

    public PrePostScript? OnFailureScript { get; init; }

    public PrePostScript? FinallyScript { get; init; }

    public bool StopInstance { get; init; }

    public required string BackupVaultName { get; init; }

    public required string IamRoleArn { get; init; }

    public RecoveryPointLifecycle? Lifecycle { get; init; }

    public IReadOnlyDictionary<string, string>? RecoveryPointTags { get; init; }

    public bool WindowsVss { get; init; }

    public int ExecutionSeconds { get; init; }

    public int DeliverySeconds { get; init; }

    public int BackupSeconds { get; init; }

    public int Retry { get; init; }

    public ScriptErrorAction OnScriptError { get; init; }

    public ResumePoint ResumeWhen { get; init; }

    public int Throttle { get; init; }

    public PrePostScript? Script(ScriptKind kind) => kind switch
    {
        ScriptKind.Pre => PreScript,
        ScriptKind.Post => PostScript,
        ScriptKind.OnFailure => OnFailureScript,
        _ => FinallyScript,
    };
}

/// <summary>Which of an instance's scripts.</summary>
internal enum ScriptKind
{
    Pre,
    Post,
    OnFailure,
    Finally,
}

/// <summary>Everything that is known of one instance in a run. The journal keeps one after another; the last one counts.</summary>
/// <remarks>The JSON reader sets what is absent to null, whatever the initializer says; hence the initializers that hold against that.</remarks>
internal sealed record InstanceRecord
{
    public required string InstanceId { get; init; }

    public string? Name { get; init; }

    public string? ResourceArn { get; init; }

    /// <summary>Linux, Windows or MacOS.</summary>
    public string? PlatformType { get; init; }

    /// <summary>running or stopped: what it has to be in the end.</summary>
    public string? PriorState { get; init; }

    /// <summary>When the first step was begun.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>The step that is at hand.</summary>
    public PrePostStep Step { get; init; }

    public ScriptRecord? Pre { get; init; }

    public ScriptRecord? Post { get; init; }

    public ScriptRecord? OnFailure { get; init; }

    public ScriptRecord? Finally { get; init; }

    /// <summary>When the order to stop was about to be given.</summary>
    public DateTimeOffset? StopRequested { get; init; }

    public DateTimeOffset? Stopped { get; init; }

    public DateTimeOffset? Running { get; init; }

    public DateTimeOffset? Online { get; init; }

    public JobRecord? Job { get; init; }

    /// <summary>Why it was left out after its pre-script failed.</summary>
    public string? SkipReason { get; init; }

    /// <summary>What failed, the first first.</summary>
    public IReadOnlyList<FailureRecord> Failures { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];

    public IReadOnlyList<PhaseTiming> Phases { get; init => field = value ?? []; } = [];

    /// <summary>How it ended; null while it has not.</summary>
    public Outcome? Outcome { get; init; }

    public DateTimeOffset? Finished { get; init; }

    /// <summary>Whether it was terminated meanwhile: nothing runs on it any more, and there is nothing to start.</summary>
    public bool IsGone { get; init; }

    /// <summary>Whether nothing more is tried but to give the instance back.</summary>
    [JsonIgnore]
    public bool IsEnding => Failures.Count > 0 || SkipReason is not null;

    [JsonIgnore]
    public bool WasRunning => PriorState is InstanceStates.Running;

    public ScriptRecord? Script(ScriptKind kind) => kind switch
    {
        ScriptKind.Pre => Pre,
        ScriptKind.Post => Post,
        ScriptKind.OnFailure => OnFailure,
        _ => Finally,
    };

    public InstanceRecord With(ScriptKind kind, ScriptRecord script) => kind switch
    {
        ScriptKind.Pre => this with { Pre = script },
        ScriptKind.Post => this with { Post = script },
        ScriptKind.OnFailure => this with { OnFailure = script },
        _ => this with { Finally = script },
    };

    public InstanceRecord Failed(PrePostStep step, BackupException exception) =>
        this with { Failures = [.. Failures, new(step, exception.Kind, exception.Message, exception.Advice)] };

    public InstanceRecord Warned(string warning) => this with { Warnings = [.. Warnings, warning] };
}

/// <summary>A script on one instance.</summary>
internal sealed record ScriptRecord
{
    /// <summary>How often it was sent, or was about to be.</summary>
    public int Attempt { get; init; }

    /// <summary>When the last attempt was about to be sent.</summary>
    public DateTimeOffset Intended { get; init; }

    /// <summary>Commands whose id is known, the last attempt's last.</summary>
    public IReadOnlyList<string> CommandIds { get; init => field = value ?? []; } = [];

    /// <summary>Whether the last of these is the last attempt's.</summary>
    public bool IsSent { get; init; }

    /// <summary>Whether nothing more comes of it.</summary>
    public bool IsOver { get; init; }

    public bool Succeeded { get; init; }

    public string? Status { get; init; }

    public int? ExitCode { get; init; }

    public string? Output { get; init; }

    public string? Error { get; init; }
}

/// <summary>The backup job of one instance.</summary>
internal sealed record JobRecord
{
    /// <summary>When it was about to be asked for.</summary>
    public DateTimeOffset Requested { get; init; }

    public string? JobId { get; init; }

    public string? State { get; init; }

    public string? Message { get; init; }

    public string? RecoveryPointArn { get; init; }

    public long? Size { get; init; }

    /// <summary>Whether the instance need not wait for it any longer.</summary>
    public bool IsReleased { get; init; }

    /// <summary>Whether nothing more comes of it, or nothing more is expected.</summary>
    public bool IsOver { get; init; }
}

/// <summary>A step that failed.</summary>
internal sealed record FailureRecord(PrePostStep Step, FailureKind Kind, string Message, string? Advice);

/// <summary>The states of an instance, as EC2 names them.</summary>
internal static class InstanceStates
{
    public const string Pending = "pending";
    public const string Running = "running";
    public const string Stopping = "stopping";
    public const string Stopped = "stopped";
    public const string ShuttingDown = "shutting-down";
    public const string Terminated = "terminated";
}
