using System.Globalization;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>Whoever holds a token, and what is left of its limits.</summary>
internal sealed class Caller(string token, int limit)
{
    private readonly Lock _lock = new();
    private readonly Queue<DateTimeOffset> _created = new();
    private int _used;
    private DateTimeOffset _reset = DateTimeOffset.UtcNow.AddHours(1);

    public string Token { get; } = token;

    /// <summary>The installation that the token was made for, or null for a user's.</summary>
    public long? Installation { get; init; }

    public DateTimeOffset? Expires { get; set; }

    /// <summary>Takes one request of the primary limit.</summary>
    public bool Take()
    {
        lock (_lock)
        {
            if (DateTimeOffset.UtcNow >= _reset)
                (_used, _reset) = (0, DateTimeOffset.UtcNow.AddHours(1));
            if (_used >= limit)
                return false;
            _used++;
            return true;
        }
    }

    public void Refund()
    {
        lock (_lock)
            _used--;
    }

    /// <summary>Takes one of the content that may be created in a minute.</summary>
    public bool TakeCreation(int perMinute)
    {
        lock (_lock)
        {
            while (_created.TryPeek(out var time) && time < DateTimeOffset.UtcNow.AddMinutes(-1))
                _created.Dequeue();
            if (_created.Count >= perMinute)
                return false;
            _created.Enqueue(DateTimeOffset.UtcNow);
            return true;
        }
    }

    public void WriteHeaders(IHeaderDictionary headers)
    {
        lock (_lock)
        {
            headers["x-ratelimit-limit"] = limit.ToString(CultureInfo.InvariantCulture);
            headers["x-ratelimit-remaining"] = (limit - _used).ToString(CultureInfo.InvariantCulture);
            headers["x-ratelimit-used"] = _used.ToString(CultureInfo.InvariantCulture);
            headers["x-ratelimit-reset"] = _reset.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            headers["x-ratelimit-resource"] = "core";
        }
    }
}
