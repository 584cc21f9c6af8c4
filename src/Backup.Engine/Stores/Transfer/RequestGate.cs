using Microsoft.Extensions.Logging;

namespace Backup.Engine.Stores.Transfer;

/// <summary>
/// Lets so many requests through at once as serve the transfer best: it lets more through while that moves more,
/// goes back when it does not, and halves when the store asks for less (additive search upwards, multiplicative retreat).
/// </summary>
internal sealed class RequestGate(int max, TimeProvider time, ILogger? logger)
{
    private const int Start = 24;
    private const int Min = 2;
    private const int HoldIntervals = 24;

    // What a request costs whatever its size, expressed in bytes, so that small and large requests are measured on one scale.
    private const long RequestWeight = 32 << 10;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private int _inFlight;
    private int _limit = Math.Min(Start, max);
    private int _bestLimit = Math.Min(Start, max);
    private double _bestRate;
    private long _moved;
    private int _finished;
    private bool _wasFull;
    private int _hold;
    private long _intervalStart = time.GetTimestamp();

    /// <summary>How many requests may be in flight now.</summary>
    public int Limit
    {
        get
        {
            lock (_lock)
                return _limit;
        }
    }

    /// <summary>Waits for a turn. Each one entered must be left.</summary>
    public Task EnterAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (_inFlight < _limit)
            {
                _inFlight++;
                return Task.CompletedTask;
            }

            _wasFull = true;
            turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        return cancellationToken.CanBeCanceled ? WaitAsync(turn, cancellationToken) : turn.Task;
    }

    /// <summary>Ends a turn.</summary>
    /// <param name="bytes">The bytes that it moved, or null for a failure: what fails fast is no goodput.</param>
    public void Leave(long? bytes)
    {
        lock (_lock)
        {
            _inFlight--;
            _moved += bytes + RequestWeight ?? 0;
            _finished++;
            Tune();
            LetIn();
        }
    }

    /// <summary>The store asked for fewer requests.</summary>
    public void SlowDown()
    {
        lock (_lock)
        {
            // Requests that were under way together complain together; only the first of them halves.
            if (_hold > HoldIntervals / 2 && _bestRate == 0)
                return;
            _limit = _bestLimit = Math.Max(Math.Min(Min, max), _limit / 2);
            _bestRate = 0;
            _hold = HoldIntervals;
            logger?.LogDebug("The store asks to slow down: {Limit} requests at once from here on.", _limit);
        }
    }

    private static async Task WaitAsync(TaskCompletionSource turn, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), turn))
            await turn.Task;
    }

    private void LetIn()
    {
        while (_inFlight < _limit && _waiting.TryDequeue(out var turn))
        {
            if (turn.TrySetResult())
                _inFlight++;
        }
    }

    private void Tune()
    {
        var elapsed = time.GetElapsedTime(_intervalStart);
        if (elapsed < Interval || _finished < _limit)
            return;

        var rate = _moved / elapsed.TotalSeconds;
        if (_hold > 0)
        {
            _hold--;
        }
        else if (_wasFull)
        {
            if (rate > _bestRate * 1.05)
            {
                (_bestRate, _bestLimit) = (rate, _limit);
                _limit = Math.Min(max, _limit * 2);
            }
            else
            {
                // Not better: back to the best known, and look again later, from a rate that may have changed.
                _limit = _bestLimit;
                _bestRate = rate * 0.95;
                _hold = HoldIntervals;
            }
        }

        (_moved, _finished, _wasFull, _intervalStart) = (0, 0, false, time.GetTimestamp());
    }
}
