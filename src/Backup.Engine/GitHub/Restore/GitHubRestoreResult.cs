using Backup.Engine.Runs;

namespace Backup.Engine.GitHub;

/// <summary>One repository, restored.</summary>
public sealed record GitHubRestoreResult
{
    /// <summary>The repository as it was backed up: <c>owner/name</c>.</summary>
    public required string FullName { get; init; }

    /// <summary>Where it was restored to: a directory or an address.</summary>
    public required string Target { get; init; }

    /// <summary>How it ended; <see cref="Outcome.Unchanged"/> where all was there already.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it failed, or what could not be restored; with WhatIf, what would be.</summary>
    public string? Reason { get; init; }

    /// <summary>The stable word for a failure, or null.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about a failure, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>The generation of its history, or null where there is none.</summary>
    public string? Generation { get; init; }

    /// <summary>Refs that were written.</summary>
    public long Refs { get; init; }

    /// <summary>LFS objects that were written.</summary>
    public long LfsObjects { get; init; }

    /// <summary>Labels that were made.</summary>
    public int Labels { get; init; }

    /// <summary>Milestones that were made.</summary>
    public int Milestones { get; init; }

    /// <summary>Issues that were made, pull requests among them.</summary>
    public int Issues { get; init; }

    /// <summary>Comments that were made.</summary>
    public int Comments { get; init; }

    /// <summary>Releases that were made.</summary>
    public int Releases { get; init; }

    /// <summary>Release assets that were uploaded.</summary>
    public int Assets { get; init; }

    /// <summary>The numbers of issues and pull requests: what they were, and what they are.</summary>
    public IReadOnlyDictionary<int, int> IssueMap { get; init; } = new Dictionary<int, int>();

    /// <summary>What is in the backup and is not given back there: to GitHub what its API has no place for, elsewhere all records. It stays in the backup.</summary>
    public IReadOnlyList<string> NotRestored { get; init; } = [];

    /// <summary>Each part that failed or is missing.</summary>
    public IReadOnlyList<RunFailure> Failures { get; init; } = [];

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether this is a plan and nothing was done.</summary>
    public bool WhatIf { get; init; }
}
