namespace Backup.Engine.Aws.Api;

/// <summary>
/// Spreads requests over time, so that a service's documented rate is not exceeded, and holds all of them when the service asks to wait.
/// A little may be saved up, so that a pause of this process is not lost time.
/// </summary>
/// <param name="perSecond">Requests a second; 0 for no limit, which still heeds what the service asks for.</param>
/// <param name="time">The clock.</param>
internal sealed class RateLimit(double perSecond, TimeProvider? time = null)
{
    private static readonly TimeSpan MaxSaved = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private DateTimeOffset _next = DateTimeOffset.MinValue;
    private DateTimeOffset _pausedUntil = DateTimeOffset.MinValue;

    /// <summary>Waits for this request's turn.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        var turn = TakeTurn();
        // A pause may begin while this one waits.
        for (var wait = turn - _time.GetUtcNow(); wait > TimeSpan.Zero; wait = Later(turn, PausedUntil) - _time.GetUtcNow())
            await Task.Delay(wait, _time, cancellationToken);
    }

    /// <summary>Holds every request for a while: the service asked for it.</summary>
    public void Pause(TimeSpan pause)
    {
        lock (_lock)
            _pausedUntil = Later(_pausedUntil, _time.GetUtcNow() + pause);
    }

    private DateTimeOffset PausedUntil
    {
        get
        {
            lock (_lock)
                return _pausedUntil;
        }
    }

    private DateTimeOffset TakeTurn()
    {
        lock (_lock)
        {
            var turn = Later(_pausedUntil, perSecond > 0 ? Later(_next, _time.GetUtcNow() - MaxSaved) : DateTimeOffset.MinValue);
            if (perSecond > 0)
                _next = turn + TimeSpan.FromSeconds(1 / perSecond);
            return turn;
        }
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
