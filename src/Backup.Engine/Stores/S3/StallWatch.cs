namespace Backup.Engine.Stores.S3;

/// <summary>Cancels a request when no byte moved for a while. What the caller cancels is told apart from it.</summary>
internal sealed class StallWatch : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationToken _caller;
    private TimeSpan _timeout;

    public StallWatch(TimeSpan timeout, CancellationToken caller)
    {
        (_timeout, _caller) = (timeout, caller);
        _source = CancellationTokenSource.CreateLinkedTokenSource(caller);
        _source.CancelAfter(timeout);
    }

    /// <summary>Cancelled by the caller or by a stall.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether it was a stall.</summary>
    public bool Stalled => _source.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>A byte moved.</summary>
    public void Moved() => _source.CancelAfter(_timeout);

    /// <summary>Allows longer pauses from here on.</summary>
    public void Extend(TimeSpan timeout)
    {
        _timeout = timeout;
        Moved();
    }

    public void Dispose() => _source.Dispose();
}
