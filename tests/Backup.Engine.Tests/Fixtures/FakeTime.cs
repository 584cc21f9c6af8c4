namespace Backup.Engine.Tests.Fixtures;

/// <summary>A clock that stands until it is moved, or one that nobody waits for: every timer of that one fires at once, and is remembered.</summary>
internal sealed class FakeTime(bool impatient = false) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private readonly List<TimeSpan> _delays = [];
    private DateTimeOffset _now = DateTimeOffset.UtcNow;

    /// <summary>What was waited for, in order.</summary>
    public IReadOnlyList<TimeSpan> Delays
    {
        get
        {
            lock (_lock)
                return [.. _delays];
        }
    }

    /// <summary>Whether somebody waits for it.</summary>
    public bool IsWaitedFor
    {
        get
        {
            lock (_lock)
                return _timers.Count > 0;
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public void Advance(TimeSpan time)
    {
        List<Timer> due;
        lock (_lock)
        {
            _now += time;
            due = [.. _timers.Where(timer => timer.Due <= _now)];
            _timers.RemoveAll(due.Contains);
        }

        due.ForEach(timer => timer.Fire());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(FakeTime clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                clock._delays.Add(dueTime);
                Due = clock._now + dueTime;
                if (!clock.IsImpatient)
                    clock._timers.Add(this);
                else
                    ThreadPool.QueueUserWorkItem(static timer => ((Timer)timer!).Fire(), this);
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock._lock)
                clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private bool IsImpatient { get; } = impatient;
}
