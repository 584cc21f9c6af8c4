using Backup.Engine.Aws;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>What <see cref="PrePostBackup"/> does.</summary>
public sealed record PrePostOptions
{
    /// <summary>The instances, 50 at the most; or none, and a tag.</summary>
    public IReadOnlyList<string> InstanceIds { get; init; } = [];

    /// <summary>The tag whose instances are meant, or null.</summary>
    public string? TagKey { get; init; }

    /// <summary>The tag's value.</summary>
    public string? TagValue { get; init; }

    /// <summary>Runs before anything else, or null.</summary>
    public PrePostScript? PreScript { get; init; }

    /// <summary>Runs when the instance runs again, and whatever happened, once the pre-script was started; or null.</summary>
    public PrePostScript? PostScript { get; init; }

    /// <summary>Runs after the post-script where something failed, or null.</summary>
    public PrePostScript? OnFailureScript { get; init; }

    /// <summary>Runs last, always; or null.</summary>
    public PrePostScript? FinallyScript { get; init; }

    /// <summary>Whether instances are stopped for the backup.</summary>
    public bool StopInstance { get; init; }

    /// <summary>The backup vault.</summary>
    public string BackupVaultName { get; init; } = "";

    /// <summary>The role that AWS Backup takes.</summary>
    public string IamRoleArn { get; init; } = "";

    /// <summary>How long recovery points are kept; null for ever.</summary>
    public RecoveryPointLifecycle? Lifecycle { get; init; }

    /// <summary>The recovery points' tags, or null.</summary>
    public IReadOnlyDictionary<string, string>? RecoveryPointTags { get; init; }

    /// <summary>Volume shadow copies on Windows.</summary>
    public bool WindowsVss { get; init; }

    /// <summary>How long a script may run.</summary>
    public TimeSpan ExecutionTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a script may wait to be delivered.</summary>
    public TimeSpan DeliveryTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a backup may take, its queue included.</summary>
    public TimeSpan BackupTimeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How often a script that failed is run again.</summary>
    public int Retry { get; init; }

    /// <summary>What a script's failure means.</summary>
    public ScriptErrorAction OnScriptError { get; init; }

    /// <summary>When a stopped instance is started again.</summary>
    public ResumePoint ResumeWhen { get; init; }

    /// <summary>How many instances are worked on side by side.</summary>
    public int Throttle { get; init; } = 50;

    /// <summary>Go on where a gate leaves the choice: members of Auto Scaling groups and persistent Spot instances are stopped.</summary>
    public bool Force { get; init; }

    /// <summary>Say what would be done, and change nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Where the journal, the report and the run's manifest are kept.</summary>
    public required StoreLocation Destination { get; init; }

    /// <summary>How that store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>How EC2, Systems Manager and AWS Backup are reached.</summary>
    public AwsOptions Aws { get; init; } = new();

    /// <summary>A Microsoft Teams Workflows webhook that is told of errors, or null. Its address is a secret.</summary>
    public SecretUri? Webhook { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>How long single steps may take.</summary>
    internal PrePostDeadlines Deadlines { get; init; } = new();

    /// <summary>In place of the services' own endpoints, for tests.</summary>
    internal Uri? AwsEndpoint { get; init; }
}

/// <summary>How an interrupted run is resumed.</summary>
public sealed record PrePostResumeOptions
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The store that holds its journal.</summary>
    public required StoreLocation Destination { get; init; }

    /// <summary>How it is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>How EC2, Systems Manager and AWS Backup are reached; the region is the run's own.</summary>
    public AwsOptions Aws { get; init; } = new();

    /// <summary>Take the run over even from a runner that may be alive: it then stops at its next step.</summary>
    public bool Force { get; init; }

    /// <summary>Say what would be done, and change nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>A Microsoft Teams Workflows webhook that is told of errors, or null.</summary>
    public SecretUri? Webhook { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }

    internal PrePostDeadlines Deadlines { get; init; } = new();

    internal Uri? AwsEndpoint { get; init; }
}

/// <summary>How long single steps may take. Each is generous: what ends one early puts nothing right.</summary>
internal sealed record PrePostDeadlines
{
    /// <summary>Until an instance has stopped. AWS forces it after about ten minutes.</summary>
    public TimeSpan Stop { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Until an instance runs again, time for missing capacity to come back included.</summary>
    public TimeSpan Start { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Until the agent has reported.</summary>
    public TimeSpan Online { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Beyond delivery and execution, until a script's end is known.</summary>
    public TimeSpan ScriptSlack { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Until a cancelled script or job says so.</summary>
    public TimeSpan Cancel { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long is looked for a command whose sending was interrupted before it counts as never sent.</summary>
    public TimeSpan Lookup { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long keys that have expired are waited for: time to sign in again.</summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Until a runner that takes a run over looks whether its entry stands, where a store may let two write the same one.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a runner may be silent before its run counts as interrupted.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How often a runner that has nothing to say gives a sign of life.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMinutes(1);
}
