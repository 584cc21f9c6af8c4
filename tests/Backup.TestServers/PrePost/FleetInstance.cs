namespace Backup.TestServers.PrePost;

/// <summary>One instance of the fleet. Its state changes by itself, some time after it was told to.</summary>
public sealed class FleetInstance
{
    private readonly Lock _lock = new();
    private readonly List<string> _changes = [];
    private string _state = "running";
    private string? _nextState;
    private DateTime _nextAt;
    private DateTime _runningSince = DateTime.UtcNow.AddHours(-1);

    public required string Id { get; init; }

    /// <summary>The launch; several instances may share one.</summary>
    public string Reservation { get; init; } = $"r-{Guid.NewGuid():N}"[..19];

    public Dictionary<string, string> Tags { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Linux, Windows or MacOS, as SSM names them.</summary>
    public string PlatformType { get; init; } = "Linux";

    public string RootDeviceType { get; init; } = "ebs";

    /// <summary>spot, or null.</summary>
    public string? Lifecycle { get; init; }

    public string? PublicIp { get; init; }

    public bool StopProtection { get; init; }

    public bool HasAgent { get; init; } = true;

    public TimeSpan StopTime { get; set; }

    public TimeSpan StartTime { get; set; }

    /// <summary>From running until the agent has reported; null for never again.</summary>
    public TimeSpan? AgentTime { get; set; } = TimeSpan.Zero;

    /// <summary>SSM goes on calling an agent online that has not been heard of since before the stop.</summary>
    public bool StaleAgentIsOnline { get; init; } = true;

    public DateTime LaunchTime { get; private set; } = DateTime.UtcNow.AddHours(-1);

    /// <summary>What was done to it, in order: stop, start.</summary>
    public IReadOnlyList<string> Changes
    {
        get
        {
            lock (_lock)
                return [.. _changes];
        }
    }

    public string State
    {
        get
        {
            lock (_lock)
            {
                Settle();
                return _state;
            }
        }

        set
        {
            lock (_lock)
                (_state, _nextState) = (value, null);
        }
    }

    public int StateCode => State switch { "pending" => 0, "running" => 16, "shutting-down" => 32, "terminated" => 48, "stopping" => 64, _ => 80 };

    /// <summary>When its agent was last heard of, or null.</summary>
    public DateTime? LastPing
    {
        get
        {
            lock (_lock)
            {
                Settle();
                if (!HasAgent)
                    return null;
                var online = _runningSince + AgentTime;
                return _state is "running" && online <= DateTime.UtcNow ? DateTime.UtcNow : _runningSince.AddMinutes(-5);
            }
        }
    }

    /// <summary>Whether a command would be taken.</summary>
    public bool AgentAnswers => HasAgent && State is "running" && AgentTime is not null && LastPing > _runningSince.AddSeconds(-1);

    public string PingStatus => AgentAnswers || (HasAgent && StaleAgentIsOnline) ? "Online" : "ConnectionLost";

    public void Stop()
    {
        lock (_lock)
        {
            Settle();
            _changes.Add("stop");
            Become("stopping", "stopped", StopTime);
        }
    }

    public void Start()
    {
        lock (_lock)
        {
            Settle();
            _changes.Add("start");
            LaunchTime = DateTime.UtcNow;
            Become("pending", "running", StartTime);
        }
    }

    private void Become(string now, string then, TimeSpan after) => (_state, _nextState, _nextAt) = (now, then, DateTime.UtcNow + after);

    private void Settle()
    {
        if (_nextState is null || DateTime.UtcNow < _nextAt)
            return;
        (_state, _nextState) = (_nextState, null);
        if (_state is "running")
            _runningSince = _nextAt;
    }
}
