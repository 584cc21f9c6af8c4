namespace Backup.Engine.Tests.Fixtures;

/// <summary>A clock that jumps to the end of whatever is waited for, so that hours pass at once and are counted.</summary>
internal sealed class AdvancingTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly DateTimeOffset _start = DateTimeOffset.UtcNow;
    private TimeSpan _waited;

    /// <summary>How long was waited in all.</summary>
    public TimeSpan Waited
    {
        get
        {
            lock (_lock)
                return _waited;
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _start + Waited;

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Jump(this, callback, state, dueTime);

    private sealed class Jump : ITimer
    {
        private readonly AdvancingTime _clock;
        private readonly TimerCallback _callback;
        private readonly object? _state;

        public Jump(AdvancingTime clock, TimerCallback callback, object? state, TimeSpan dueTime)
        {
            (_clock, _callback, _state) = (clock, callback, state);
            Change(dueTime, Timeout.InfiniteTimeSpan);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan)
                return true;
            lock (_clock._lock)
                _clock._waited += dueTime;
            ThreadPool.QueueUserWorkItem(static jump => ((Jump)jump!)._callback(((Jump)jump)._state), this);
            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
