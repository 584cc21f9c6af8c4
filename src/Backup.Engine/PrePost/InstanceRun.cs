using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>What the instances of a run share.</summary>
internal sealed record PrePostContext
{
    public required string RunId { get; init; }

    public required PrePostPlan Plan { get; init; }

    public required Journal Journal { get; init; }

    public required ScriptRunner Scripts { get; init; }

    public required InstancePower Power { get; init; }

    public required BackupJobs Jobs { get; init; }

    public required PrePostDeadlines Deadlines { get; init; }

    public required TimeProvider Time { get; init; }

    public ILogger? Logger { get; init; }

    /// <summary>Told whenever something is new of an instance: the record, and a word on the step.</summary>
    public required Action<InstanceRecord, string?> Changed { get; init; }
}

/// <summary>
/// Takes one instance through its steps. Each is in the journal before it is taken. A failure or a cancellation ends the way to the backup, never the way
/// back: those steps have deadlines of their own, and stop for nothing but another runner that has taken the run over.
/// </summary>
internal sealed class InstanceRun(PrePostContext context, InstanceRecord record)
{
    private readonly PrePostPlan _plan = context.Plan;
    private InstanceRecord _record = record;

    // A script was told to stop and has not said that it did: its instance must not be stopped beneath it.
    private bool _mayStillRun;

    // This runner has seen it stopped: whoever starts it before this runner does is somebody else.
    private bool _wasSeenStopped;

    /// <summary>Runs to the end. A record without an outcome means that the instance could not be given back: the run stays open.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Busy"/> where another runner has taken over.</exception>
    public async Task<InstanceRecord> RunAsync(CancellationToken cancellationToken)
    {
        var lost = context.Journal.Lost;
        using var forward = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);
        if (_record.Started is null)
            _record = _record with { Started = context.Time.GetUtcNow() };
        while (true)
        {
            var step = PrePostSteps.Next(_plan, _record);
            if (step == PrePostStep.Done)
                break;
            var started = context.Time.GetUtcNow();
            _record = _record with { Step = step };
            context.Changed(_record, null);
            var isGivenBack = true;
            try
            {
                if (PrePostSteps.IsForward(step))
                    forward.Token.ThrowIfCancellationRequested();
                await TakeAsync(step, PrePostSteps.IsForward(step) ? forward.Token : lost);
            }
            catch (Exception exception) when (!lost.IsCancellationRequested && exception is not OutOfMemoryException)
            {
                isGivenBack = await FailAsync(step, exception is OperationCanceledException ? Cancelled() : BackupException.From(exception));
            }

            lost.ThrowIfCancellationRequested();
            _record = _record with { Phases = [.. _record.Phases, new(step.ToString(), started, context.Time.GetUtcNow() - started)] };
            if (!isGivenBack)
                return _record;
        }

        if (_record.Outcome is null)
        {
            await NoteAsync(_record with
            {
                Step = PrePostStep.Done,
                Outcome = _record.Failures.Count > 0 ? Outcome.Failed : _record.SkipReason is not null ? Outcome.Skipped : Outcome.Completed,
                Finished = context.Time.GetUtcNow(),
            });
        }

        context.Changed(_record, null);
        return _record;
    }

    private Task TakeAsync(PrePostStep step, CancellationToken cancellationToken) => step switch
    {
        PrePostStep.Stop => StopAsync(cancellationToken),
        PrePostStep.Backup => BackupAsync(cancellationToken),
        PrePostStep.BackupCompletion => CompleteBackupAsync(cancellationToken),
        PrePostStep.AbandonBackup => AbandonAsync(cancellationToken),
        PrePostStep.Start => StartAsync(cancellationToken),
        PrePostStep.WaitForAgent => WaitForAgentAsync(cancellationToken),
        _ => RunScriptAsync(step, PrePostSteps.ScriptOf(step)!.Value, cancellationToken),
    };

    private async Task RunScriptAsync(PrePostStep step, ScriptKind kind, CancellationToken cancellationToken)
    {
        var script = _plan.Script(kind)!;
        // Only what an earlier runner was about to send may have been sent.
        var isPending = _record.Script(kind) is { IsSent: false };
        while (true)
        {
            if (_record.Script(kind) is null)
                await JournalAsync(_record.With(kind, new() { Attempt = 1, Intended = context.Time.GetUtcNow() }), step);
            var state = _record.Script(kind)!;
            if (!state.IsSent)
            {
                var id = await context.Scripts.SendOnceAsync(isPending, PrePostSteps.IsForward(step), _plan, script, _record, ScriptRunner.Comment(context.RunId, _record.InstanceId, kind, state.Attempt), state.Intended, context.Journal.Lost, cancellationToken);
                isPending = false;
                state = state with { IsSent = true, CommandIds = [.. state.CommandIds, id] };
                // The command runs, whatever becomes of this entry: it is found again by its comment.
                await NoteAsync(_record.With(kind, state));
            }

            var end = await WaitForScriptAsync(script, state, cancellationToken);
            state = state with { Succeeded = end.Succeeded, Status = end.Status, ExitCode = end.ExitCode, Output = end.Output, Error = end.Error };
            if (end.Succeeded)
            {
                await NoteAsync(_record.With(kind, state with { IsOver = true }));
                return;
            }

            context.Logger?.LogInformation("{Instance}: {Step}, attempt {Attempt}, ended as {Status} (exit code {ExitCode}).", _record.InstanceId, step, state.Attempt, end.Status, end.ExitCode);
            if (state.Attempt > _plan.Retry)
            {
                await NoteAsync(Judge(_record.With(kind, state with { IsOver = true }), step, kind, Failure(kind, state)));
                return;
            }

            await JournalAsync(_record.With(kind, state with { Attempt = state.Attempt + 1, IsSent = false, Intended = context.Time.GetUtcNow() }), step);
        }
    }

    private async Task<CommandEnd> WaitForScriptAsync(PrePostScript script, ScriptRecord state, CancellationToken cancellationToken)
    {
        var (id, command) = (_record.InstanceId, state.CommandIds[^1]);
        var deadline = state.Intended + TimeSpan.FromSeconds((script.DeliverySeconds ?? _plan.DeliverySeconds) + _plan.ExecutionSeconds) + context.Deadlines.ScriptSlack;
        // A run that is resumed late still asks once and waits a moment for the answer.
        var patience = deadline - context.Time.GetUtcNow() is var left && left > context.Deadlines.Cancel ? left : context.Deadlines.Cancel;
        try
        {
            return await context.Scripts.WaitAsync(id, command, patience, cancellationToken);
        }
        catch (Exception exception) when (!context.Journal.Lost.IsCancellationRequested && (exception is OperationCanceledException or BackupException { Kind: FailureKind.TimedOut }))
        {
            // It must not go on while its instance is given back.
            var end = await context.Scripts.CancelAsync(id, command, context.Journal.Lost);
            if (end is { Succeeded: true } && exception is BackupException)
                return end;
            _mayStillRun = end is null;
            if (end is null && exception is BackupException && context.Scripts.IsForgotten(state.Intended))
                throw new BackupException(FailureKind.TimedOut, $"What became of command {command} of {state.Intended:u} is no longer known: Systems Manager's history goes back 30 days.", "Look at the instance.", exception);
            throw;
        }
    }

    /// <summary>What a script's failure means.</summary>
    private InstanceRecord Judge(InstanceRecord now, PrePostStep step, ScriptKind kind, BackupException failure)
    {
        if (kind is ScriptKind.OnFailure or ScriptKind.Finally || _plan.OnScriptError == ScriptErrorAction.Continue)
            return now.Warned(failure.Message + (kind is ScriptKind.Pre ? " The backup was taken all the same: it is as consistent as after a power cut." : ""));
        return kind is ScriptKind.Pre && _plan.OnScriptError == ScriptErrorAction.SkipInstance
            ? now with { SkipReason = failure.Message }
            : now.Failed(step, failure);
    }

    private BackupException Failure(ScriptKind kind, ScriptRecord state)
    {
        var code = state.ExitCode is { } exit ? $", exit code {exit}" : "";
        var last = state.Error ?? state.Output;
        var said = last is null ? "" : $": {last[(last.TrimEnd().LastIndexOf('\n') + 1)..].Trim()}";
        return new(FailureKind.ScriptFailed, $"The {Name(kind)} of {_record.InstanceId} ended as {state.Status}{code}{said}.", "Look at the script's output in the result, put it right, and run again.");
    }

    private static string Name(ScriptKind kind) => kind switch
    {
        ScriptKind.Pre => "pre-script",
        ScriptKind.Post => "post-script",
        ScriptKind.OnFailure => "script for failures",
        _ => "last script",
    };

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_record.StopRequested is null)
            await JournalAsync(_record with { StopRequested = context.Time.GetUtcNow() }, PrePostStep.Stop);
        // An order whose fate is unknown would be worse than one that is waited for.
        await context.Power.StopAsync(_record.InstanceId, context.Journal.Lost);
        await context.Power.WaitStoppedAsync(_record.InstanceId, cancellationToken);
        _wasSeenStopped = true;
        await JournalAsync(_record with { Stopped = context.Time.GetUtcNow() }, PrePostStep.Stop);
    }

    private async Task BackupAsync(CancellationToken cancellationToken)
    {
        if (_record.Job is null)
            await JournalAsync(_record with { Job = new() { Requested = context.Time.GetUtcNow() } }, PrePostStep.Backup);
        if (_record.Job!.JobId is null)
        {
            var id = await context.Jobs.StartAsync(_plan, context.RunId, _record, context.Journal.Lost);
            await NoteAsync(_record with { Job = _record.Job with { JobId = id } });
        }

        await WatchJobAsync(PrePostStep.Backup, job => _plan.ResumeWhen == ResumePoint.RecoveryPointCreated && BackupJobs.HasRecoveryPoint(job), cancellationToken);
    }

    private Task CompleteBackupAsync(CancellationToken cancellationToken) => WatchJobAsync(PrePostStep.BackupCompletion, _ => false, cancellationToken);

    private async Task WatchJobAsync(PrePostStep step, Func<Aws.AwsBackup.BackupJob, bool> isEnough, CancellationToken cancellationToken)
    {
        var left = _record.Job!.Requested + TimeSpan.FromSeconds(_plan.BackupSeconds) - context.Time.GetUtcNow();
        var patience = left > context.Deadlines.Cancel ? left : context.Deadlines.Cancel;
        var job = await context.Jobs.WaitAsync(
            _record.InstanceId, _record.Job.JobId!, patience, isEnough, seen => context.Changed(_record, seen.PercentDone is { } percent ? $"{seen.State} {percent}%" : seen.State), cancellationToken);
        var now = _record with { Job = Describe(_record.Job, job) with { IsReleased = true, IsOver = BackupJobs.IsOver(job) } };
        if (BackupJobs.IsOver(job))
        {
            var (failure, warning) = BackupJobs.Judge(_record.InstanceId, job);
            if (failure is not null)
                now = now.Failed(step, failure);
            else if (warning is not null)
                now = now.Warned(warning);
        }

        await NoteAsync(now);
    }

    private static JobRecord Describe(JobRecord record, Aws.AwsBackup.BackupJob job) => record with
    {
        State = job.State,
        Message = job.StatusMessage,
        RecoveryPointArn = job.RecoveryPointArn ?? record.RecoveryPointArn,
        Size = job.BackupSizeInBytes ?? record.Size,
    };

    // What is not waited for must not be taken later either, in whatever state the instance is in then.
    private async Task AbandonAsync(CancellationToken cancellationToken)
    {
        if (_record.Job!.JobId is null)
        {
            await NoteAsync((_record with { Job = _record.Job with { IsOver = true } }).Warned("It is not known whether a backup job was started: look at the jobs in AWS Backup."));
            return;
        }

        var job = await context.Jobs.StopAsync(_record.InstanceId, _record.Job.JobId, cancellationToken);
        var now = _record with { Job = (job is null ? _record.Job : Describe(_record.Job, job)) with { IsOver = true } };
        if (job is { State: "COMPLETED" })
            now = now.Warned($"The backup had completed all the same: the recovery point {job.RecoveryPointArn} exists.");
        await NoteAsync(job is null ? now.Warned($"The backup job {_record.Job.JobId} was told to stop, and has not said that it did.") : now);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var ranAlready = await context.Power.StartAsync(_record.InstanceId, cancellationToken);
        var now = _record with { Running = context.Time.GetUtcNow() };
        await NoteAsync(ranAlready && _wasSeenStopped ? now.Warned("It ran already when it was to be started: somebody else started it, perhaps while it was being backed up.") : now);
    }

    private async Task WaitForAgentAsync(CancellationToken cancellationToken)
    {
        await context.Power.WaitForAgentAsync(_record.InstanceId, cancellationToken);
        _record = _record with { Online = context.Time.GetUtcNow() };
    }

    /// <summary>Takes note of a step that failed, so that another one comes next; false where the instance is not given back.</summary>
    private async Task<bool> FailAsync(PrePostStep step, BackupException exception)
    {
        // The result says it too, when the instance is done.
        context.Logger?.LogInformation("{Instance}: {Step} failed. {Reason}", _record.InstanceId, step, exception.Message);
        if (exception is InstanceGoneException)
        {
            await NoteAsync(_record.Failed(step, exception) with { IsGone = true });
            return true;
        }

        switch (step)
        {
            case PrePostStep.Start:
                await NoteAsync(_record.Failed(step, new(
                    exception.Kind,
                    $"{_record.InstanceId} was not given back: {exception.Message}",
                    $"Run Resume-PrePostBackup with -RunId {context.RunId}, or start it by hand.",
                    exception)));
                return false;
            case PrePostStep.WaitForAgent:
                // What would have to run there cannot; what could is told.
                var now = _record with { Online = context.Time.GetUtcNow() };
                foreach (var kind in new[] { ScriptKind.Post, ScriptKind.OnFailure, ScriptKind.Finally })
                {
                    if (_plan.Script(kind) is not null && now.Script(kind) is not { IsOver: true })
                        now = now.With(kind, (now.Script(kind) ?? new()) with { IsOver = true, Status = "NotSent" });
                }

                await NoteAsync(now.Failed(step, exception));
                return true;
            case PrePostStep.AbandonBackup:
                await NoteAsync((_record with { Job = _record.Job! with { IsOver = true } }).Warned($"The backup job was not stopped: {exception.Message}"));
                return true;
            default:
                await NoteAsync(PrePostSteps.ScriptOf(step) is { } script ? ScriptFailed(step, script, exception) : _record.Failed(step, exception));
                return true;
        }
    }

    private InstanceRecord ScriptFailed(PrePostStep step, ScriptKind kind, BackupException exception)
    {
        var now = _record.Script(kind) is { } state ? _record.With(kind, state with { IsOver = true, Status = exception.Kind == FailureKind.Cancelled ? "Cancelled" : state.IsSent ? "TimedOut" : "NotSent" }) : _record;
        if (exception.Kind == FailureKind.Cancelled || _mayStillRun)
            return now.Failed(step, exception);
        return now.Script(kind) is null ? now.Failed(step, exception) : Judge(now, step, kind, new(exception.Kind, $"The {Name(kind)} of {_record.InstanceId} did not run to its end: {exception.Message}", exception.Advice, exception));
    }

    /// <summary>Writes what is about to be done. Where that fails it is not done.</summary>
    private async Task JournalAsync(InstanceRecord now, PrePostStep step)
    {
        try
        {
            await context.Journal.AppendAsync(now);
            _record = now;
        }
        catch (BackupException exception) when (!PrePostSteps.IsForward(step) && !context.Journal.Lost.IsCancellationRequested)
        {
            // The way back does not depend on the store.
            _record = now;
            context.Logger?.LogWarning("{Instance}: the journal could not be written, the instance is given back without it. {Reason}", now.InstanceId, exception.Message);
        }
    }

    /// <summary>Writes what has happened. It has, whether or not it can be written.</summary>
    private async Task NoteAsync(InstanceRecord now)
    {
        _record = now;
        context.Changed(now, null);
        try
        {
            await context.Journal.AppendAsync(now);
        }
        catch (BackupException exception) when (!context.Journal.Lost.IsCancellationRequested)
        {
            context.Logger?.LogWarning("{Instance}: the journal could not be written. {Reason}", now.InstanceId, exception.Message);
        }
    }

    private BackupException Cancelled() => new(FailureKind.Cancelled, $"The backup of {_record.InstanceId} was stopped on request.", "Run it again.");
}
