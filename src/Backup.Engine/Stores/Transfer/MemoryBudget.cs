namespace Backup.Engine.Stores.Transfer;

/// <summary>
/// Bytes of transfer buffers that may be in use at once, handed out first come, first served.
/// A request larger than the whole budget is served alone, so that a part of any size can pass.
/// </summary>
internal sealed class MemoryBudget(long capacity)
{
    private readonly Lock _lock = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Granted)> _waiting = new();
    private long _used;
    private long _peak;

    /// <summary>The most bytes in use at once.</summary>
    public long Capacity { get; } = capacity;

    /// <summary>The bytes in use now.</summary>
    public long Used
    {
        get
        {
            lock (_lock)
                return _used;
        }
    }

    /// <summary>The most bytes that were ever in use at once.</summary>
    public long Peak
    {
        get
        {
            lock (_lock)
                return _peak;
        }
    }

    /// <summary>Waits for room.</summary>
    public Task AcquireAsync(long bytes, CancellationToken cancellationToken)
    {
        TaskCompletionSource granted;
        lock (_lock)
        {
            if (_waiting.Count == 0 && Fits(bytes))
            {
                Use(bytes);
                return Task.CompletedTask;
            }

            granted = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((bytes, granted));
        }

        return WaitAsync(granted, cancellationToken);
    }

    /// <summary>Gives room back.</summary>
    public void Release(long bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            GrantWaiting();
        }
    }

    private async Task WaitAsync(TaskCompletionSource granted, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), granted);
        try
        {
            await granted.Task;
        }
        catch (OperationCanceledException)
        {
            // Whoever waits behind the one that gave up may fit now.
            lock (_lock)
                GrantWaiting();
            throw;
        }
    }

    private bool Fits(long bytes) => _used == 0 || _used + bytes <= Capacity;

    private void GrantWaiting()
    {
        while (_waiting.TryPeek(out var next))
        {
            if (next.Granted.Task.IsCompleted)
            {
                _waiting.Dequeue();
                continue;
            }

            if (!Fits(next.Bytes))
                return;
            _waiting.Dequeue();
            if (next.Granted.TrySetResult())
                Use(next.Bytes);
        }
    }

    private void Use(long bytes)
    {
        _used += bytes;
        _peak = Math.Max(_peak, _used);
    }
}
