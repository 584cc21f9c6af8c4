using System.Runtime.CompilerServices;
using Backup.Engine.Notifications;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>Backs EC2 instances up through AWS Backup, with scripts before and after, and always gives the machines back.</summary>
public static class PrePostBackup
{
    /// <summary>Backs instances up, side by side. A bad option, a missing vault or role, or a store that cannot be written ends it before anything is touched; a bad instance is a result.</summary>
    public static IAsyncEnumerable<PrePostBackupResult> RunAsync(PrePostOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<PrePostBackupResult>(
            (emit, token) => WatchAsync(options.Webhook, options.WhatIf, options.Store, emit, report => StartAsync(options, report, progress, token), token),
            cancellationToken);
    }

    /// <summary>Goes on with an interrupted run, on any machine: no second backup job, no finished script again.</summary>
    public static IAsyncEnumerable<PrePostBackupResult> ResumeAsync(PrePostResumeOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<PrePostBackupResult>(
            (emit, token) => WatchAsync(options.Webhook, options.WhatIf, options.Store, emit, report => ResumeAsync(options, report, progress, token), token),
            cancellationToken);
    }

    /// <summary>Lists the runs of a store, newest first, and where they stand.</summary>
    /// <param name="destination">The store.</param>
    /// <param name="store">How it is opened.</param>
    /// <param name="runIds">Only these runs, or null for all.</param>
    /// <param name="isOpen">Only runs that are not over: quick, however many are.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    public static async IAsyncEnumerable<PrePostBackupRun> ListAsync(StoreLocation destination, StoreOptions? store = null, IReadOnlyList<string>? runIds = null, bool isOpen = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        store ??= new();
        await using var opened = await ObjectStores.OpenAsync(destination, store, cancellationToken);
        await opened.CheckAsync(forWriting: false, cancellationToken);
        var deadlines = new PrePostDeadlines();
        await foreach (var state in JournalReader.ListAsync(opened, runIds, isOpen, store.Logger, cancellationToken))
            yield return PrePostResults.Of(destination, state, Journal.IsAtWork(state, deadlines, store.Time));
    }

    private static Task WatchAsync(SecretUri? webhook, bool isPlan, StoreOptions store, Action<PrePostBackupResult> emit, Func<Action<PrePostBackupResult>, Task> run, CancellationToken cancellationToken)
    {
        var report = new FailureReport("Instances");
        return report.WatchAsync(
            webhook,
            isPlan,
            store,
            () => run(result =>
            {
                report.AddItem(result.Outcome ?? Outcome.Failed, result.Bytes ?? 0);
                if (result.Outcome == Outcome.Failed)
                    report.AddFailure($"{result.InstanceId}: {result.Reason}");
                emit(result);
            }),
            cancellationToken);
    }

    private static async Task StartAsync(PrePostOptions options, Action<PrePostBackupResult> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        PrePostLimits.Check(options);
        var time = options.Store.Time;
        using var services = new PrePostServices(options.Aws, options.Store, null, options.AwsEndpoint);
        await using var store = await ObjectStores.OpenAsync(options.Destination, options.Store, cancellationToken);
        var isThere = await CheckStoreAsync(store, options.WhatIf, cancellationToken);

        var targets = await new InstanceTargets(services).FindAsync(options, cancellationToken);
        var gates = new PrePostGates(services, options);
        await gates.CheckRunAsync(targets[0].OwnerId, cancellationToken);
        var started = time.GetUtcNow();
        var plan = Plan(options, services.Region, started);
        var held = isThere && !options.Force ? await HeldAsync(store, options, cancellationToken) : [];
        var records = new List<InstanceRecord>();
        foreach (var target in targets)
        {
            var (refusal, warnings) = held.TryGetValue(target.Id, out var holder) ? (holder, []) : await gates.CheckInstanceAsync(target, cancellationToken);
            var record = Record(target, services, warnings);
            records.Add(refusal is null ? record : record.Failed(PrePostStep.Waiting, refusal) with { Outcome = Outcome.Failed, Started = started, Finished = started });
        }

        if (options.WhatIf)
        {
            foreach (var record in records)
                emit(WithPlan(PrePostResults.Of("", options.Destination, record, started), plan, record));
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        var runId = RunCatalog.NewRunId(started);
        await using var journal = await Journal.CreateAsync(store, runId, plan, records, options.Deadlines, time, options.Logger);
        await new PrePostRun(store, services, journal, plan, records, options.Deadlines, time, options.Logger).RunAsync(emit, progress, cancellationToken);
    }

    // An instance that a run has stopped would be taken for one that was stopped all along, and stay so.
    private static async Task<Dictionary<string, BackupException>> HeldAsync(IObjectStore store, PrePostOptions options, CancellationToken cancellationToken)
    {
        var held = new Dictionary<string, BackupException>(StringComparer.Ordinal);
        await foreach (var state in JournalReader.ListAsync(store, null, isOpen: true, options.Logger, cancellationToken))
        {
            var isAtWork = Journal.IsAtWork(state, options.Deadlines, options.Store.Time);
            foreach (var record in state.Instances.Where(record => record.Outcome is null && (isAtWork || PrePostSteps.WasTouched(record))))
            {
                held.TryAdd(record.InstanceId, isAtWork
                    ? new(FailureKind.Busy, $"{record.InstanceId} is being backed up by run {state.RunId}, on {state.Runner.Host}.", "Wait until that run has ended.")
                    : new(FailureKind.Busy, $"{record.InstanceId} was not given back by run {state.RunId}, which was interrupted at the step {record.Step}.", $"Run Resume-PrePostBackup with -RunId {state.RunId} first. If the instance is as it should be, give -Force."));
            }
        }

        return held;
    }

    // Whether there is a store: a plan may be made before the first run makes its directory.
    private static async Task<bool> CheckStoreAsync(IObjectStore store, bool isPlan, CancellationToken cancellationToken)
    {
        try
        {
            await store.CheckAsync(forWriting: !isPlan, cancellationToken);
            return true;
        }
        catch (BackupException exception) when (isPlan && exception.Kind == FailureKind.NotFound && !store.Location.IsS3)
        {
            return false;
        }
    }

    private static async Task ResumeAsync(PrePostResumeOptions options, Action<PrePostBackupResult> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var time = options.Store.Time;
        await using var store = await ObjectStores.OpenAsync(options.Destination, options.Store, cancellationToken);
        await store.CheckAsync(forWriting: !options.WhatIf, cancellationToken);
        var state = await JournalReader.ReadAsync(store, options.RunId, cancellationToken);
        if (state.IsClosed)
        {
            // The report is written before the manifest: whoever was killed between the two left that to do.
            if (!options.WhatIf && await store.HeadAsync(JournalReader.ReportKey(state.RunId), null, cancellationToken) is { } report)
                await PrePostRun.CommitAsync(store, report, state, time);
            options.Logger?.LogWarning("Run {RunId} is over: nothing is left to do. Get-PrePostBackup has its results.", state.RunId);
            return;
        }

        if (options.WhatIf)
        {
            foreach (var record in state.Instances.Where(record => record.Outcome is null))
                emit(PrePostResults.Of(state.RunId, options.Destination, record, time.GetUtcNow()) with { WhatIf = true, Outcome = Outcome.Unchanged, Plan = [$"go on with {PrePostSteps.Next(state.Plan, record)}"] });
            return;
        }

        using var services = new PrePostServices(options.Aws, options.Store, state.Plan.Region, options.AwsEndpoint);
        await using var journal = await Journal.TakeOverAsync(store, state, options.Force, options.Deadlines, time, options.Logger);
        await new PrePostRun(store, services, journal, state.Plan, state.Instances, options.Deadlines, time, options.Logger).RunAsync(emit, progress, cancellationToken);
    }

    private static PrePostBackupResult WithPlan(PrePostBackupResult result, PrePostPlan plan, InstanceRecord record) => result with
    {
        WhatIf = true,
        GivenBack = true,
        Outcome = record.Outcome ?? Outcome.Unchanged,
        Plan = record.Outcome is null ? [.. PrePostSteps.Describe(plan, record)] : [],
    };

    private static PrePostPlan Plan(PrePostOptions options, string region, DateTimeOffset started) => new()
    {
        Started = started,
        SourceName = options.TagKey is { } key ? $"{key}={options.TagValue}" : string.Join(',', options.InstanceIds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)),
        Region = region,
        PreScript = options.PreScript,
        PostScript = options.PostScript,
        OnFailureScript = options.OnFailureScript,
        FinallyScript = options.FinallyScript,
        StopInstance = options.StopInstance,
        BackupVaultName = options.BackupVaultName,
        IamRoleArn = options.IamRoleArn,
        Lifecycle = options.Lifecycle,
        RecoveryPointTags = options.RecoveryPointTags,
        WindowsVss = options.WindowsVss,
        ExecutionSeconds = (int)options.ExecutionTimeout.TotalSeconds,
        DeliverySeconds = (int)options.DeliveryTimeout.TotalSeconds,
        BackupSeconds = (int)options.BackupTimeout.TotalSeconds,
        Retry = options.Retry,
        OnScriptError = options.OnScriptError,
        ResumeWhen = options.ResumeWhen,
        Throttle = options.Throttle,
    };

    private static InstanceRecord Record(Target target, PrePostServices services, IReadOnlyList<string> warnings) => new()
    {
        InstanceId = target.Id,
        Name = target.Tag("Name"),
        ResourceArn = $"arn:{services.Partition}:ec2:{services.Region}:{target.OwnerId}:instance/{target.Id}",
        PlatformType = target.PlatformType,
        PriorState = target.State,
        Warnings = warnings,
    };
}
