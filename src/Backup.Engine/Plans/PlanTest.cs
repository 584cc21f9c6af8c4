namespace Backup.Engine.Plans;

/// <summary>What <see cref="PlanTest"/> looks at.</summary>
public sealed record PlanTestOptions
{
    /// <summary>The plan's file.</summary>
    public required string Path { get; init; }

    /// <summary>Only these jobs, by name; <c>*</c> and <c>?</c> are wildcards. Null looks at all that are switched on.</summary>
    public IReadOnlyList<string>? Jobs { get; init; }

    /// <summary>Credentials, region and endpoint that go before those at the top of the plan.</summary>
    public Aws.AwsOptions Aws { get; init; } = new();

    /// <summary>How stores are opened, but for what the plan says of them.</summary>
    public Stores.StoreOptions Store { get; init; } = new();

    /// <summary>Receives decisions, or null.</summary>
    public CallbackLogger? Logger { get; init; }
}

/// <summary>Looks at everything about a plan that can be looked at without changing anything.</summary>
public static class PlanTest
{
    private const int SideBySide = 4;
    private const int Attempts = 2;
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Looks. A file that is no plan is a failed check for each problem it has. The checks of a job come together, in the order of the plan. Nothing is written
    /// anywhere; a GitHub App's installation token is the one thing that is made, because nothing can be asked without it.
    /// </summary>
    public static IAsyncEnumerable<PlanCheck> RunAsync(PlanTestOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<PlanCheck>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static async Task RunAsync(PlanTestOptions options, Action<PlanCheck> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        BackupPlan plan;
        IReadOnlyList<PlanJob> jobs;
        try
        {
            plan = PlanFile.Load(options.Path);
            jobs = PlanRun.Select(plan, options.Jobs);
        }
        catch (PlanException exception)
        {
            foreach (var problem in exception.Problems)
                emit(new() { Check = "Plan", Status = PlanCheckStatus.Failed, Detail = $"{problem}.", HowToMend = problem.HowToMend, Kind = exception.Kind });
            return;
        }
        catch (BackupException exception)
        {
            emit(new() { Check = "Plan", Status = PlanCheckStatus.Failed, Detail = exception.Message, HowToMend = exception.Advice, Kind = exception.Kind });
            return;
        }

        var own = new JobChecks(null);
        own.Passed("Plan", $"'{plan.File}' has {jobs.Count} {(jobs.Count == 1 ? "job" : "jobs")}{(jobs.Count(job => !job.Enabled) is > 0 and var off ? $", {off} of them switched off" : "")}.");
        TellOfKeeping(plan, jobs, own);
        await CheckChannelsAsync(plan, options, own, cancellationToken);
        foreach (var check in own.Found)
            emit(check);

        var credentials = new CredentialChecks(options.Logger);
        using var gate = new SemaphoreSlim(SideBySide);
        var done = 0;
        var running = jobs.Select(async job =>
        {
            await gate.WaitAsync(cancellationToken);
            try
            {
                var found = await CheckJobAsync(job, options, credentials, cancellationToken);
                progress?.Report(new("Checking the plan", job.Name, 0, null, Interlocked.Increment(ref done), jobs.Count));
                return found;
            }
            finally
            {
                gate.Release();
            }
        }).ToList();
        try
        {
            foreach (var job in running)
            {
                foreach (var check in await job)
                    emit(check);
            }
        }
        finally
        {
            // The gate is theirs until the last of them is through.
            await Task.WhenAll(running).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    // Who writes it once at the top may think that it holds for all.
    private static void TellOfKeeping(BackupPlan plan, IReadOnlyList<PlanJob> jobs, JobChecks checks)
    {
        var others = jobs.Where(job => job.Enabled && !job.Engine.CanPrune).Select(job => job.Name).ToList();
        if (plan.Values.Text("keep") is { } keep && others.Count > 0)
            checks.NotChecked("Keep", $"{keep} holds for Confluence, Jira and GitHub. What {string.Join(", ", others)} {(others.Count == 1 ? "stores" : "store")} is not pruned.");
    }

    private static async Task CheckChannelsAsync(BackupPlan plan, PlanTestOptions options, JobChecks checks, CancellationToken cancellationToken)
    {
        var channels = PlanChannel.Of(plan, options.Aws, options.Logger, options.Store.Time).ToList();
        foreach (var channel in channels)
            await checks.TryAsync("Notification", async () => $"{channel.Name}: {await channel.CheckAsync(cancellationToken)}", cancellationToken);
        if (channels.Count == 0)
            checks.Warning("Notification", "The plan tells nobody when a job fails.", "Add 'notifications', or have whatever runs the plan watch its exit code.");
    }

    private static async Task<IReadOnlyList<PlanCheck>> CheckJobAsync(PlanJob job, PlanTestOptions options, CredentialChecks credentials, CancellationToken cancellationToken)
    {
        var checks = new JobChecks(job.Name);
        if (!job.Enabled)
        {
            checks.NotChecked("Job", "It is switched off.", "Take 'enabled: false' out to have it run.");
            return checks.Found;
        }

        var context = new JobContext
        {
            Job = job,
            Given = options.Aws,
            WhatIf = true,
            // Who waits for a checklist wants to know now.
            BaseStore = options.Store with { MaxAttempts = Attempts, ConnectTimeout = ConnectPatience },
            Logger = options.Logger?.Named(job.Name),
        };
        try
        {
            foreach (var secret in job.Engine.Shape.Properties.Where(property => property.Type == PlanType.Secret && job.Values.Has(property.Name)))
            {
                await checks.TryAsync(
                    "Secret",
                    async () =>
                    {
                        await context.RevealAsync(secret.Name, cancellationToken);
                        return $"{secret.Name} is at {job.Values.Secret(secret.Name)}.";
                    },
                    cancellationToken);
            }

            await CheckCredentialsAsync(context, credentials, checks, cancellationToken);
            await job.Engine.CheckDestinationAsync(context, checks, cancellationToken);
            await job.Engine.CheckAsync(context, checks, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            checks.Failed("Job", exception);
        }

        return checks.Found;
    }

    private static async Task CheckCredentialsAsync(JobContext job, CredentialChecks credentials, JobChecks checks, CancellationToken cancellationToken)
    {
        if (job.Job.Engine.UsesAws || job.UsesS3 && job.Aws.EndpointUrl is null)
            await credentials.CheckAsync(checks, job.Services, cancellationToken);
        else if (job.UsesS3)
            checks.NotChecked("Credentials", "The store has an endpoint of its own: its keys are tried with the destination.");
    }
}
