using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>
/// A run's journal, as its runner writes it. Entries are numbered, and each is written only where there is none: whoever finds the next number
/// taken by another has lost the run, and does nothing more. What several instances have to say at once goes into one entry.
/// </summary>
internal sealed class Journal : IAsyncDisposable
{
    private static readonly TimeSpan WriteDeadline = TimeSpan.FromMinutes(2);

    private readonly IObjectStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger? _logger;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _closed = new();
    private List<(InstanceRecord Record, TaskCompletionSource Done)> _pending = [];
    private Task _heartbeat = Task.CompletedTask;
    private long _number;
    private bool _isOver;
    private DateTimeOffset _lastWrite;

    private Journal(IObjectStore store, string runId, long number, TimeProvider time, ILogger? logger)
    {
        (_store, RunId, _number, _time, _logger) = (store, runId, number, time, logger);
        Runner = Runner.Current();
    }

    public string RunId { get; }

    public Runner Runner { get; }

    /// <summary>Cancelled when another runner has taken the run over.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Begins a journal: from here on the run can be resumed.</summary>
    public static async Task<Journal> CreateAsync(IObjectStore store, string runId, PrePostPlan plan, IReadOnlyList<InstanceRecord> instances, PrePostDeadlines deadlines, TimeProvider time, ILogger? logger)
    {
        var journal = new Journal(store, runId, 0, time, logger);
        await journal.WriteAsync(instances, plan);
        journal._heartbeat = journal.BeatAsync(deadlines.Heartbeat);
        return journal;
    }

    /// <summary>Takes an interrupted run over. Of several who try at once, one succeeds.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Busy"/> where its runner is at work.</exception>
    public static async Task<Journal> TakeOverAsync(IObjectStore store, JournalState state, bool force, PrePostDeadlines deadlines, TimeProvider time, ILogger? logger)
    {
        if (!force && IsAtWork(state, deadlines, time))
        {
            throw new BackupException(
                FailureKind.Busy,
                $"Run {state.RunId} is being driven by process {state.Runner.ProcessId} on {state.Runner.Host}, which was last heard of at {state.LastActivity:u}.",
                "Wait until it has ended. If it is certain that it is gone, give -Force.");
        }

        var journal = new Journal(store, state.RunId, state.Number, time, logger);
        await journal.WriteAsync([], null);
        await journal.SettleAsync(deadlines.Settling);
        journal._heartbeat = journal.BeatAsync(deadlines.Heartbeat);
        return journal;
    }

    /// <summary>Whether a run's runner has to be taken for alive.</summary>
    public static bool IsAtWork(JournalState state, PrePostDeadlines deadlines, TimeProvider time) =>
        !state.IsReleased && (state.Runner.IsAlive() ?? time.GetUtcNow() - state.LastActivity < deadlines.Silence);

    /// <summary>Writes what is new of an instance. It is never cancelled halfway: what was written must be known.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Busy"/> where another runner has taken over; else the store's failure.</exception>
    public async Task AppendAsync(InstanceRecord record)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
            _pending.Add((record, done));
        await _writing.WaitAsync(CancellationToken.None);
        try
        {
            await FlushAsync();
        }
        finally
        {
            _writing.Release();
        }

        await done.Task;
    }

    /// <summary>Writes the report that closes the run.</summary>
    public async Task<StoredObject> CloseAsync(JournalState state)
    {
        using var deadline = new CancellationTokenSource(WriteDeadline, _time);
        var written = await WriteOnceAsync(_store, JournalReader.ReportKey(RunId), state, JournalJson.Default.JournalState, deadline.Token);
        _isOver = true;
        return written
            ?? await _store.HeadAsync(JournalReader.ReportKey(RunId), null, deadline.Token)
            ?? throw new BackupException(FailureKind.Unavailable, $"The report of run {RunId} was stored and is not there.", "Run Resume-PrePostBackup.");
    }

    /// <summary>Lets go of the run: where it is not over, any other runner may go on at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _heartbeat;
        try
        {
            if (!_isOver && !_lost.IsCancellationRequested)
                await WriteAsync([], null, isReleased: true);
        }
        catch (BackupException exception)
        {
            _logger?.LogWarning("The journal of run {RunId} could not be written: {Reason}", RunId, exception.Message);
        }

        _closed.Dispose();
        _lost.Dispose();
    }

    // Not every S3-compatible store heeds a condition, and one that does not lets two runners write the same entry: the one whose entry stands goes on.
    private async Task SettleAsync(TimeSpan pause)
    {
        await Task.Delay(pause, _time);
        using var deadline = new CancellationTokenSource(WriteDeadline, _time);
        var there = await JournalReader.ReadAsync(_store, JournalReader.EntryKey(RunId, _number), JournalJson.Default.JournalEntry, deadline.Token);
        if (there.Runner.Id != Runner.Id)
        {
            await _lost.CancelAsync();
            throw Taken();
        }
    }

    private async Task FlushAsync()
    {
        List<(InstanceRecord Record, TaskCompletionSource Done)> batch;
        lock (_lock)
            (batch, _pending) = (_pending, []);
        // Another's write has taken ours along.
        if (batch.Count == 0)
            return;
        try
        {
            await WriteAsync([.. batch.Select(item => item.Record)], null);
            batch.ForEach(item => item.Done.SetResult());
        }
        catch (Exception exception)
        {
            batch.ForEach(item => item.Done.SetException(exception));
        }
    }

    private async Task WriteAsync(IReadOnlyList<InstanceRecord> instances, PrePostPlan? plan, bool isReleased = false)
    {
        if (_lost.IsCancellationRequested)
            throw Taken();
        using var deadline = new CancellationTokenSource(WriteDeadline, _time);
        while (true)
        {
            var entry = new JournalEntry { RunId = RunId, Number = _number + 1, Runner = Runner, Time = _time.GetUtcNow(), Plan = plan, IsReleased = isReleased, Instances = instances };
            var key = JournalReader.EntryKey(RunId, entry.Number);
            if (await WriteOnceAsync(_store, key, entry, JournalJson.Default.JournalEntry, deadline.Token) is not null)
                break;
            // A write whose answer was lost has taken the number itself.
            var there = await JournalReader.ReadAsync(_store, key, JournalJson.Default.JournalEntry, deadline.Token);
            if (there.Runner.Id != Runner.Id)
            {
                await _lost.CancelAsync();
                throw Taken();
            }

            _number++;
            if (there.Time == entry.Time)
                return;
        }

        _number++;
        _lastWrite = _time.GetUtcNow();
    }

    private static async Task<StoredObject?> WriteOnceAsync<T>(IObjectStore store, string key, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return await CatalogDocument.WriteAsync(store, key, value, type, onlyIfAbsent: true, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.AlreadyExists)
        {
            return null;
        }
    }

    // A sign of life, by which a runner also finds out that it was taken for dead.
    private async Task BeatAsync(TimeSpan interval)
    {
        try
        {
            while (true)
            {
                await Task.Delay(interval, _time, _closed.Token);
                await _writing.WaitAsync(_closed.Token);
                try
                {
                    if (_time.GetUtcNow() - _lastWrite >= interval)
                        await WriteAsync([], null);
                }
                catch (BackupException exception)
                {
                    _logger?.LogWarning("The journal of run {RunId} could not be written: {Reason}", RunId, exception.Message);
                    if (_lost.IsCancellationRequested)
                        return;
                }
                finally
                {
                    _writing.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private BackupException Taken() => new(FailureKind.Busy, $"Another runner has taken run {RunId} over.", "Get-PrePostBackup shows where it stands.");
}
