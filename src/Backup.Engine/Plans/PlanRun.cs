using System.Diagnostics;
using Backup.Engine.Runs;

namespace Backup.Engine.Plans;

/// <summary>Runs the jobs of a plan, side by side where they do not compete. One bad job never ends the others.</summary>
public static class PlanRun
{
    /// <summary>
    /// Runs. A result a job as it ends, failures included; afterwards one notice to whom the plan names. A pattern that names no job ends it with an exception
    /// before anything is done. A cancellation ends every job in its own way, and their results are given before it is thrown.
    /// </summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/> for a job that the plan does not have.</exception>
    public static IAsyncEnumerable<BackupJobResult> RunAsync(PlanRunOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<BackupJobResult>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    /// <summary>The jobs that patterns name, those that are switched off as well; all of them where there are no patterns.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/> for a pattern that names none.</exception>
    public static IReadOnlyList<PlanJob> Select(BackupPlan plan, IReadOnlyList<string>? patterns)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (patterns is null)
            return plan.Jobs;
        // What is misspelt must not be a night without a backup.
        if (patterns.FirstOrDefault(pattern => !plan.Jobs.Any(job => RunCatalog.NameMatches(pattern, job.Name))) is { } unknown)
            throw new BackupException(FailureKind.NotFound, $"The plan '{plan.File}' has no job '{unknown}'.", $"It has {string.Join(", ", plan.Jobs.Select(job => job.Name))}.");
        return [.. plan.Jobs.Where(job => patterns.Any(pattern => RunCatalog.NameMatches(pattern, job.Name)))];
    }

    private static async Task RunAsync(PlanRunOptions options, Action<BackupJobResult> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var jobs = Select(options.Plan, options.Jobs);
        var results = new List<BackupJobResult>();
        void Tell(BackupJobResult result)
        {
            lock (results)
                results.Add(result);
            emit(result);
        }

        foreach (var job in jobs.Where(job => !job.Enabled))
            Tell(new() { Name = job.Name, System = job.System, Destination = job.Destination, Outcome = Outcome.Skipped, Reason = "It is switched off in the plan.", WhatIf = options.WhatIf });
        var enabled = jobs.Where(job => job.Enabled).ToList();
        var sideBySide = Math.Clamp(enabled.Count, 1, options.Plan.Throttle);
        var meter = new PlanProgress(progress, enabled.Count);
        var contexts = enabled.Select(job => new JobContext
        {
            Job = job,
            Given = options.Aws,
            WhatIf = options.WhatIf,
            SideBySide = sideBySide,
            BaseStore = options.Store,
            Logger = options.Logger?.Named(job.Name),
            Progress = meter.For(job.Name),
        });
        var schedule = new JobSchedule(sideBySide);
        await schedule.RunAsync(
            contexts,
            async context =>
            {
                Tell(await RunJobAsync(context, cancellationToken));
                meter.Finish();
            },
            cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (!options.WhatIf)
            await PlanNotifier.TellAsync(options, results, cancellationToken);
    }

    private static async Task<BackupJobResult> RunJobAsync(JobContext context, CancellationToken cancellationToken)
    {
        var time = context.BaseStore.Time;
        var started = time.GetUtcNow();
        var clock = Stopwatch.StartNew();
        var tally = new JobTally();
        try
        {
            await context.Job.Engine.RunAsync(context, tally, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            tally.AddFailure(context.Job.Name, FailureKind.Cancelled, "It was stopped.", "Run it again: what is stored already is not sent again.");
        }
        catch (OperationCanceledException exception)
        {
            tally.AddFailure(context.Job.Name, FailureKind.TimedOut, exception.Message, "Run it again: what is stored already is not sent again.");
        }
        catch (Exception exception)
        {
            var failure = BackupException.From(exception is AggregateException { InnerExceptions: [var only] } ? only : exception);
            tally.AddFailure(context.Job.Name, failure.Kind, failure.Message, failure.Advice);
        }

        return tally.ToResult(context.Job, context.WhatIf) with { Started = started, Duration = clock.Elapsed };
    }
}
