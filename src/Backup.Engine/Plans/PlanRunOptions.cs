using Backup.Engine.Aws;
using Backup.Engine.Stores;

namespace Backup.Engine.Plans;

/// <summary>What <see cref="PlanRun"/> does.</summary>
public sealed record PlanRunOptions
{
    /// <summary>The plan.</summary>
    public required BackupPlan Plan { get; init; }

    /// <summary>Only these jobs, by name; <c>*</c> and <c>?</c> are wildcards. Null runs all that are switched on.</summary>
    public IReadOnlyList<string>? Jobs { get; init; }

    /// <summary>Credentials, region and endpoint that go before those at the top of the plan; what a job says itself stays.</summary>
    public AwsOptions Aws { get; init; } = new();

    /// <summary>Say what would be done, and change nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>How stores are opened, but for what the plan says of them.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>Receives decisions, each with the job's name before it; or null.</summary>
    public CallbackLogger? Logger { get; init; }
}
