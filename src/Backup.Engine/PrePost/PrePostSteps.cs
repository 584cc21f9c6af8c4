namespace Backup.Engine.PrePost;

/// <summary>A step of one instance.</summary>
internal enum PrePostStep
{
    Waiting,
    PreScript,
    Stop,
    Backup,
    AbandonBackup,
    Start,
    WaitForAgent,
    PostScript,
    BackupCompletion,
    OnFailureScript,
    FinallyScript,
    Done,
}

/// <summary>
/// The state machine: what comes next follows from the plan and the record alone. So a run that was killed goes on where its journal ends.
/// </summary>
internal static class PrePostSteps
{
    /// <summary>The next step.</summary>
    public static PrePostStep Next(PrePostPlan plan, InstanceRecord record)
    {
        if (record.Outcome is not null)
            return PrePostStep.Done;
        if (!record.IsEnding)
        {
            if (IsDue(plan, record, ScriptKind.Pre))
                return PrePostStep.PreScript;
            if (plan.StopInstance && record.WasRunning && record.Stopped is null)
                return PrePostStep.Stop;
            if (record.Job is not { IsReleased: true })
                return PrePostStep.Backup;
        }
        else if (record.Job is { IsOver: false } job)
        {
            // The backup of an instance that is gone is the last one there will be.
            return record.IsGone && job.JobId is not null && record.Failures.All(failure => failure.Step != PrePostStep.BackupCompletion) ? PrePostStep.BackupCompletion : PrePostStep.AbandonBackup;
        }

        // From here on the instance is given back, whatever happened.
        if (record.StopRequested is not null && record.Running is null && !record.IsGone)
            return PrePostStep.Start;
        if (WasTouched(record) && (plan.PreScript is null || record.Pre is not null) && IsDue(plan, record, ScriptKind.Post))
            return AfterAgent(record, PrePostStep.PostScript);
        if (!record.IsEnding && record.Job is { IsOver: false })
            return PrePostStep.BackupCompletion;
        if (record.Failures.Count > 0 && WasTouched(record) && IsDue(plan, record, ScriptKind.OnFailure))
            return AfterAgent(record, PrePostStep.OnFailureScript);
        return WasTouched(record) && IsDue(plan, record, ScriptKind.Finally) ? AfterAgent(record, PrePostStep.FinallyScript) : PrePostStep.Done;
    }

    /// <summary>Whether a step is part of the way to the backup, which a failure or a cancellation ends; the others give the instance back, and go on.</summary>
    public static bool IsForward(PrePostStep step) => step is PrePostStep.PreScript or PrePostStep.Stop or PrePostStep.Backup or PrePostStep.BackupCompletion;

    /// <summary>The script that a step runs.</summary>
    public static ScriptKind? ScriptOf(PrePostStep step) => step switch
    {
        PrePostStep.PreScript => ScriptKind.Pre,
        PrePostStep.PostScript => ScriptKind.Post,
        PrePostStep.OnFailureScript => ScriptKind.OnFailure,
        PrePostStep.FinallyScript => ScriptKind.Finally,
        _ => null,
    };

    /// <summary>The steps of a plan in words, for an instance that nothing goes wrong with.</summary>
    public static IEnumerable<string> Describe(PrePostPlan plan, InstanceRecord record)
    {
        var stops = plan.StopInstance && record.WasRunning;
        if (record.WasRunning && plan.PreScript is not null)
            yield return "run the pre-script";
        if (stops)
            yield return "stop";
        yield return $"back up to {plan.BackupVaultName}";
        if (stops)
            yield return plan.ResumeWhen == ResumePoint.Completed ? "start when the backup has completed" : "start when the recovery point exists";
        if (record.WasRunning && plan.PostScript is not null)
            yield return "run the post-script";
        if (record.WasRunning && plan.FinallyScript is not null)
            yield return "run the last script";
    }

    /// <summary>Whether anything was done to it, or was about to be.</summary>
    public static bool WasTouched(InstanceRecord record) => record.Pre is not null || record.StopRequested is not null || record.Job is not null;

    // A stopped instance runs nothing, and nothing runs on it that would have to be told.
    private static bool IsDue(PrePostPlan plan, InstanceRecord record, ScriptKind kind) =>
        record.WasRunning && !record.IsGone && plan.Script(kind) is not null && record.Script(kind) is not { IsOver: true };

    private static PrePostStep AfterAgent(InstanceRecord record, PrePostStep step) =>
        record.StopRequested is not null && record.Online is null ? PrePostStep.WaitForAgent : step;
}
