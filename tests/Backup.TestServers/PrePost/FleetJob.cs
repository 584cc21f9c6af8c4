namespace Backup.TestServers.PrePost;

/// <summary>A state of a backup job, and how long it lasts.</summary>
/// <param name="State">CREATED, PENDING, RUNNING, ABORTING, ABORTED, COMPLETED, FAILED, EXPIRED or PARTIAL.</param>
/// <param name="Time">How long, unless it is the last.</param>
/// <param name="HasRecoveryPoint">From this state on the recovery point is named.</param>
/// <param name="Message">StatusMessage.</param>
/// <param name="Category">MessageCategory.</param>
public sealed record JobState(string State, TimeSpan Time = default, bool HasRecoveryPoint = false, string? Message = null, string? Category = null);

/// <summary>A backup job: it goes through its states by the clock.</summary>
public sealed class FleetJob
{
    private readonly Lock _lock = new();
    private IReadOnlyList<JobState> _states;
    private DateTime _since = DateTime.UtcNow;

    public FleetJob(IReadOnlyList<JobState> states) => _states = states;

    public string Id { get; } = Guid.NewGuid().ToString();

    public required string InstanceId { get; init; }

    public required string ResourceArn { get; init; }

    public required string Vault { get; init; }

    public required string Role { get; init; }

    public string? Token { get; init; }

    /// <summary>The whole request, as it came.</summary>
    public required string Request { get; init; }

    /// <summary>The instance's state when the job was asked for.</summary>
    public required string InstanceState { get; init; }

    public DateTime Created { get; } = DateTime.UtcNow;

    public JobState State
    {
        get
        {
            lock (_lock)
            {
                while (_states.Count > 1 && DateTime.UtcNow >= _since + _states[0].Time)
                {
                    _since += _states[0].Time;
                    _states = [.. _states.Skip(1)];
                }

                return _states[0];
            }
        }
    }

    public bool IsOver => State.State is "COMPLETED" or "FAILED" or "ABORTED" or "EXPIRED" or "PARTIAL";

    public void Abort()
    {
        if (IsOver)
            return;
        lock (_lock)
            (_states, _since) = ([new("ABORTING", TimeSpan.FromMilliseconds(100)), new("ABORTED", Message: "The job was stopped.")], DateTime.UtcNow);
    }
}
