using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>
/// The one place that all requests to an API pass: it holds them while GitHub wants none, lets through as many at once as it takes without
/// complaint, and spaces out those that create content.
/// </summary>
internal sealed class RequestGovernor(int maxConcurrency, int writesPerMinute, TimeProvider time, ILogger? logger)
{
    private const int WritesPerHour = 500;

    // Whoever asks for more than GitHub takes has a server without these limits.
    private const int MostWritesPerMinute = 80;

    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Queue<DateTimeOffset> _writes = new();
    private DateTimeOffset _openAt = DateTimeOffset.MinValue;
    private DateTimeOffset _lastWrite = DateTimeOffset.MinValue;
    private int _limit = Math.Min(4, maxConcurrency);
    private int _running;
    private int _goodInARow;

    /// <summary>How many may be in flight now.</summary>
    public int Limit
    {
        get
        {
            lock (_lock)
                return _limit;
        }
    }

    /// <summary>Waits until a request may be sent. The lease is given back when its answer is there.</summary>
    public async Task<IDisposable> EnterAsync(bool isWrite, CancellationToken cancellationToken)
    {
        if (isWrite)
            await PaceAsync(cancellationToken);
        await WaitForSlotAsync(cancellationToken);
        try
        {
            while (PauseLeft() is { } pause)
                await Task.Delay(pause, time, cancellationToken);
        }
        catch
        {
            Leave();
            throw;
        }

        return new Lease(this);
    }

    /// <summary>Nothing more is sent for so long.</summary>
    public void Pause(TimeSpan wait, string reason)
    {
        lock (_lock)
        {
            var until = time.GetUtcNow() + wait;
            if (until > _openAt)
                _openAt = until;
            _limit = Math.Max(1, _limit / 2);
            _goodInARow = 0;
        }

        logger?.LogWarning("GitHub asks for a pause ({Reason}): going on in {Wait}.", reason, wait.TotalMinutes >= 2 ? $"{wait.TotalMinutes:0} minutes" : $"{wait.TotalSeconds:0} s");
    }

    /// <summary>An answer came without complaint.</summary>
    public void Good()
    {
        lock (_lock)
        {
            if (++_goodInARow < _limit * 4 || _limit >= maxConcurrency)
                return;
            _goodInARow = 0;
            _limit++;
            Admit();
        }
    }

    private TimeSpan? PauseLeft()
    {
        lock (_lock)
        {
            var left = _openAt - time.GetUtcNow();
            return left > TimeSpan.Zero ? left : null;
        }
    }

    private async Task WaitForSlotAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (_running < _limit)
            {
                _running++;
                return;
            }

            turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        await using var cancelled = cancellationToken.Register(() => turn.TrySetCanceled(cancellationToken));
        await turn.Task;
    }

    private void Leave()
    {
        lock (_lock)
        {
            _running--;
            Admit();
        }
    }

    // Called with the lock held.
    private void Admit()
    {
        while (_running < _limit && _waiting.TryDequeue(out var turn))
        {
            if (turn.TrySetResult())
                _running++;
        }
    }

    private async Task PaceAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            while (_writes.TryPeek(out var first) && first <= now.AddHours(-1))
                _writes.Dequeue();
            var next = _lastWrite == DateTimeOffset.MinValue ? now : _lastWrite + TimeSpan.FromMinutes(1.0 / writesPerMinute);
            if (writesPerMinute <= MostWritesPerMinute && _writes.Count >= WritesPerHour && _writes.Peek().AddHours(1) is var hour && hour > next)
            {
                next = hour;
                logger?.LogInformation("GitHub takes {Count} writes an hour: going on at {Time:u}.", WritesPerHour, next);
            }

            if (next > now)
                await Task.Delay(next - now, time, cancellationToken);
            _lastWrite = next > now ? next : now;
            _writes.Enqueue(_lastWrite);
        }
        finally
        {
            _writing.Release();
        }
    }

    private sealed class Lease(RequestGovernor governor) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                governor.Leave();
        }
    }
}
