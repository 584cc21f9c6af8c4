namespace Backup.Engine.Stores.Transfer;

/// <summary>Spreads bytes over time so that a rate is not exceeded.</summary>
internal sealed class BandwidthLimit(long bytesPerSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private DateTimeOffset _free = time.GetUtcNow();

    /// <summary>Waits until this many bytes may move.</summary>
    public Task WaitAsync(long bytes, CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_free < now)
                _free = now;
            wait = _free - now;
            _free += TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
    }
}
