using Backup.TestServers.Aws;

namespace Backup.TestServers.PrePost;

/// <summary>What goes wrong with an operation.</summary>
public sealed class FleetFault
{
    private int _seen;

    /// <summary>The operation, as the services' models name it.</summary>
    public required string Operation { get; init; }

    public required AwsAnswer Answer { get; init; }

    /// <summary>The operation is done all the same, and only its answer is this one.</summary>
    public bool IsDone { get; init; }

    public int Skip { get; init; }

    public int Times { get; init; } = 1;

    internal bool Takes(string operation)
    {
        if (operation != Operation)
            return false;
        var position = Interlocked.Increment(ref _seen) - 1L - Skip;
        return position >= 0 && position < Times;
    }
}

/// <summary>One call that was answered.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="InstanceId">The instance it named, or null.</param>
/// <param name="Time">When it came.</param>
public sealed record FleetCall(string Operation, string? InstanceId, DateTime Time)
{
    /// <summary>Whether it changes anything.</summary>
    public bool IsChanging => Operation is "SendCommand" or "CancelCommand" or "StopInstances" or "StartInstances" or "StartBackupJob" or "StopBackupJob";
}
