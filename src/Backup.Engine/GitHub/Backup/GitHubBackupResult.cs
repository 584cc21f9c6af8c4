using Backup.Engine.Runs;

namespace Backup.Engine.GitHub;

/// <summary>One repository, done; or the account's own records, which have the account's name.</summary>
public sealed record GitHubBackupResult
{
    /// <summary><c>owner/name</c>, or the account.</summary>
    public required string FullName { get; init; }

    /// <summary>GitHub's id; 0 for an account.</summary>
    public required long Id { get; init; }

    /// <summary>Where it went.</summary>
    public required string Destination { get; init; }

    /// <summary>Its folder in the destination.</summary>
    public required string Folder { get; init; }

    /// <summary>The run that it belongs to. It is in the catalog once all of its repositories are through, and where anything was stored.</summary>
    public required string RunId { get; init; }

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>What the repository is.</summary>
    public RepositoryStatus Status { get; init; }

    /// <summary>Why it failed or was left out; with WhatIf, what would be fetched.</summary>
    public string? Reason { get; init; }

    /// <summary>The stable word for a failure, or null.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about a failure, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>Objects that were stored.</summary>
    public int Objects { get; init; }

    /// <summary>Bytes that were stored.</summary>
    public long Bytes { get; init; }

    /// <summary>Refs now; null where they were not looked at.</summary>
    public int? Refs { get; init; }

    /// <summary>Records that were stored: issues, comments, releases and so on.</summary>
    public long Records { get; init; }

    /// <summary>When the last good copy was made or found to be current, in UTC; null where there is none.</summary>
    public DateTimeOffset? LastGood { get; init; }

    /// <summary>Each part that failed.</summary>
    public IReadOnlyList<RunFailure> Failures { get; init; } = [];

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether this is a plan and nothing was done.</summary>
    public bool WhatIf { get; init; }
}
