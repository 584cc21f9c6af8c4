using Backup.Engine.Stores;

namespace Backup.Engine.PrePost;

/// <summary>Results and runs, as records tell them.</summary>
internal static class PrePostResults
{
    /// <summary>What is told of one instance.</summary>
    public static PrePostBackupResult Of(string runId, StoreLocation destination, InstanceRecord record, DateTimeOffset now)
    {
        var first = record.Failures.Count > 0 ? record.Failures[0] : null;
        // What keeps it from being given back is the first thing to know.
        var urgent = record.Outcome is null && record.Failures.Count > 0 ? record.Failures[^1] : first;
        return new()
        {
            RunId = runId,
            Destination = destination.ToString(),
            InstanceId = record.InstanceId,
            Name = record.Name,
            Outcome = record.Outcome ?? (record.IsEnding ? Outcome.Failed : null),
            Step = record.Outcome is null ? record.Step.ToString() : null,
            Reason = record.Failures.Count > 0 ? string.Join(' ', record.Failures.Select(failure => failure.Message).Distinct(StringComparer.Ordinal)) : record.SkipReason,
            Kind = urgent?.Kind,
            Advice = urgent?.Advice,
            Warnings = record.Warnings,
            PriorState = record.PriorState,
            GivenBack = !record.IsGone && (record.StopRequested is null || record.Running is not null),
            PreScript = Script(record.Pre),
            PostScript = Script(record.Post),
            OnFailureScript = Script(record.OnFailure),
            FinallyScript = Script(record.Finally),
            BackupJobId = record.Job?.JobId,
            BackupState = record.Job?.State,
            RecoveryPointArn = record.Job?.RecoveryPointArn,
            Bytes = record.Job?.Size,
            Downtime = record is { StopRequested: { } from, Running: { } to } ? to - from : null,
            Phases = record.Phases,
            Started = record.Started,
            Duration = record.Started is { } started ? (record.Finished ?? now) - started : TimeSpan.Zero,
        };
    }

    /// <summary>What is told of a run.</summary>
    public static PrePostBackupRun Of(StoreLocation destination, JournalState state, bool isAtWork) => new()
    {
        RunId = state.RunId,
        Destination = destination.ToString(),
        State = !state.IsClosed ? (isAtWork ? PrePostRunState.Running : PrePostRunState.Interrupted)
            : state.Instances.Any(instance => instance.Outcome is Outcome.Failed or null) ? PrePostRunState.Failed
            : PrePostRunState.Completed,
        SourceName = state.Plan.SourceName,
        Started = state.Plan.Started,
        LastActivity = state.LastActivity,
        Host = state.Runner.Host,
        Instances = state.Instances.Count,
        Done = state.Instances.Count(instance => instance.Outcome is not null),
        Failed = state.Instances.Count(instance => instance.Outcome is Outcome.Failed),
        Results = [.. state.Instances.Select(instance => Of(state.RunId, destination, AtHand(instance, state.LastActivity), state.LastActivity))],
    };

    private static InstanceRecord AtHand(InstanceRecord record, DateTimeOffset now) =>
        record.Outcome is not null ? record : record with { Phases = [.. record.Phases, new(record.Step.ToString(), now, TimeSpan.Zero)] };

    private static ScriptResult? Script(ScriptRecord? script) => script is null ? null : new()
    {
        CommandIds = script.CommandIds,
        Succeeded = script.Succeeded,
        Status = script.Status,
        ExitCode = script.ExitCode,
        Output = script.Output,
        Error = script.Error,
    };
}
