using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>Drives the instances of a run side by side, from wherever their records say they are, and closes the run.</summary>
internal sealed class PrePostRun(IObjectStore store, PrePostServices services, Journal journal, PrePostPlan plan, IReadOnlyList<InstanceRecord> instances, PrePostDeadlines deadlines, TimeProvider time, ILogger? logger)
{
    /// <summary>The system's name in the catalog.</summary>
    public const string System = "ec2";

    private readonly ConcurrentDictionary<string, (InstanceRecord Record, string? Word)> _now = new(StringComparer.Ordinal);

    /// <summary>Runs to the end; a cancellation gives every instance back first.</summary>
    public async Task RunAsync(Action<PrePostBackupResult> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var instance in instances)
            _now[instance.InstanceId] = (instance, null);
        var waiting = new Waiting(time, logger, deadlines.Renewal);
        var context = new PrePostContext
        {
            RunId = journal.RunId,
            Plan = plan,
            Journal = journal,
            Scripts = new(services, waiting, deadlines, time),
            Power = new(services, waiting, deadlines, plan.IamRoleArn),
            Jobs = new(services, waiting, deadlines),
            Deadlines = deadlines,
            Time = time,
            Logger = logger,
            Changed = (record, word) =>
            {
                _now[record.InstanceId] = (record, word);
                progress?.Report(Progress());
            },
        };
        using var throttle = new SemaphoreSlim(Math.Max(1, plan.Throttle));
        var runs = instances.Select(record => RunAsync(context, record, throttle, emit, cancellationToken)).ToList();
        try
        {
            await Task.WhenAll(runs);
        }
        catch (OperationCanceledException) when (journal.Lost.IsCancellationRequested)
        {
            throw Taken();
        }
        catch (BackupException) when (journal.Lost.IsCancellationRequested)
        {
            throw Taken();
        }

        var records = runs.ConvertAll(run => run.Result);
        if (records.TrueForAll(record => record.Outcome is not null))
            await CloseAsync(store, journal, plan, records, time);
        else
            logger?.LogWarning("Run {RunId} stays open: not every instance was given back. Run Resume-PrePostBackup.", journal.RunId);
    }

    /// <summary>Writes the report, then the run's manifest. Doing it again changes nothing.</summary>
    public static async Task CloseAsync(IObjectStore store, Journal journal, PrePostPlan plan, IReadOnlyList<InstanceRecord> records, TimeProvider time)
    {
        var report = new JournalState { RunId = journal.RunId, Plan = plan, Instances = records, Runner = journal.Runner, LastActivity = time.GetUtcNow() };
        await CommitAsync(store, await journal.CloseAsync(report), report, time);
    }

    /// <summary>Commits the run to the catalog; its one object is the report.</summary>
    public static async Task CommitAsync(IObjectStore store, StoredObject report, JournalState state, TimeProvider time)
    {
        // Cleanup never stops for whoever cancelled the run.
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2), time);
        var writer = new RunWriter(store, System, state.Plan.SourceName, time);
        var failed = state.Instances.Where(record => record.Outcome is not (Outcome.Completed or Outcome.Skipped)).ToList();
        var entry = new InventoryEntry { Path = "report.json", Type = InventoryEntryType.File, Key = report.Key, Size = report.Size, Sha256 = report.Sha256 ?? await HashAsync(store, report.Key, deadline.Token), Checksum = report.Checksum?.ToString(), Version = report.VersionId, StorageClass = report.StorageClass };
        var manifest = writer.Draft(failed.Count > 0 ? Outcome.Failed : Outcome.Completed, failed.Count > 0 ? $"{failed.Count} of {state.Instances.Count} instances failed." : null) with
        {
            RunId = state.RunId,
            Started = state.Plan.Started,
            Counts = new() { Stored = state.Instances.Count(record => record.Outcome is Outcome.Completed), Unchanged = state.Instances.Count(record => record.Outcome is Outcome.Skipped), Failed = failed.Count },
            BytesStored = state.Instances.Sum(record => record.Job?.Size ?? 0),
            TotalObjects = 1,
            TotalBytes = report.Size,
            Failures = [.. failed.SelectMany(record => record.Failures.Select(failure => new RunFailure(record.InstanceId, failure.Kind, failure.Message))).Take(100)],
            Properties = Properties(state),
        };
        try
        {
            var segment = await InventoryAsync(store, writer, manifest, entry, deadline.Token);
            await writer.CommitAsync(manifest with { Inventory = [segment] }, deadline.Token);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.AlreadyExists)
        {
            // A runner that was killed behind this point had come so far.
        }
    }

    // What was found in the store, and not just written, need not come with its hash.
    private static async Task<string> HashAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        await using var content = await store.ReadAsync(key, null, cancellationToken);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content.Stream, cancellationToken));
    }

    private static async Task<InventorySegment> InventoryAsync(IObjectStore store, RunWriter writer, RunManifest manifest, InventoryEntry entry, CancellationToken cancellationToken)
    {
        await using var inventory = InventoryWriter.Start(store, RunCatalog.InventoryKey(System, writer.Source, manifest.Started, manifest.RunId), cancellationToken);
        await inventory.AddAsync(entry, cancellationToken);
        return await inventory.CompleteAsync(cancellationToken);
    }

    private static Dictionary<string, string> Properties(JournalState state)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["vault"] = state.Plan.BackupVaultName,
            ["instances"] = state.Instances.Count.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var record in state.Instances.Where(record => record.Job?.RecoveryPointArn is not null))
            properties[$"recoveryPoint:{record.InstanceId}"] = record.Job!.RecoveryPointArn!;
        return properties;
    }

    private async Task<InstanceRecord> RunAsync(PrePostContext context, InstanceRecord record, SemaphoreSlim throttle, Action<PrePostBackupResult> emit, CancellationToken cancellationToken)
    {
        // What was touched is given back, however many are in line.
        var isBegun = record.Started is not null;
        if (!isBegun)
        {
            try
            {
                await throttle.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                isBegun = true;
            }
        }

        try
        {
            var done = record.Outcome is not null ? record : await new InstanceRun(context, record).RunAsync(cancellationToken);
            emit(PrePostResults.Of(journal.RunId, store.Location, done, time.GetUtcNow()));
            return done;
        }
        finally
        {
            if (!isBegun)
                throttle.Release();
        }
    }

    private BackupProgress Progress()
    {
        var all = _now.Values.OrderBy(item => item.Record.InstanceId, StringComparer.Ordinal).ToList();
        var done = all.Count(item => item.Record.Outcome is not null);
        var busy = all.Where(item => item.Record.Outcome is null).Select(item => $"{item.Record.Name ?? item.Record.InstanceId} {item.Record.Step}{(item.Word is null ? "" : $" ({item.Word})")}");
        return new("Backing up instances", string.Join(", ", busy), 0, null, done, all.Count);
    }

    private BackupException Taken() => new(FailureKind.Busy, $"Another runner has taken run {journal.RunId} over.", "Get-PrePostBackup shows where it stands.");
}
