namespace Backup.Engine.Plans;

/// <summary>Something that was looked at before a plan runs.</summary>
public sealed record PlanCheck
{
    /// <summary>The job, or null for what is the whole plan's.</summary>
    public string? Job { get; init; }

    /// <summary>What was looked at: Plan, Secret, Credentials, Destination, Versions, Write, Source, Space, Tool, Notification.</summary>
    public required string Check { get; init; }

    /// <summary>How it is.</summary>
    public required PlanCheckStatus Status { get; init; }

    /// <summary>What was found, in a sentence.</summary>
    public required string Detail { get; init; }

    /// <summary>What to do, or null where nothing is to be done.</summary>
    public string? HowToMend { get; init; }

    /// <summary>The stable word for a failure, or null.</summary>
    public FailureKind? Kind { get; init; }
}

/// <summary>How something is.</summary>
public enum PlanCheckStatus
{
    /// <summary>As it should be.</summary>
    Passed,

    /// <summary>The plan will run, and something should be looked at.</summary>
    Warning,

    /// <summary>The job would fail.</summary>
    Failed,

    /// <summary>It cannot be known without changing something, or without a permission that a backup does not need; the detail says which.</summary>
    NotChecked,
}
