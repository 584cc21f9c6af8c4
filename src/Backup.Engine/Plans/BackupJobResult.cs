namespace Backup.Engine.Plans;

/// <summary>One job of a plan, done.</summary>
public sealed record BackupJobResult
{
    /// <summary>The job.</summary>
    public required string Name { get; init; }

    /// <summary>folders, confluence, jira, github, maven or ec2.</summary>
    public required string System { get; init; }

    /// <summary>Where it went, or null where each folder has a bucket of its own.</summary>
    public string? Destination { get; init; }

    /// <summary>How it ended. <see cref="Engine.Outcome.Failed"/> as soon as one of its items did.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why, in a sentence; null where there is nothing to say.</summary>
    public string? Reason { get; init; }

    /// <summary>The stable word for a failure, or null.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about it, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>What it looked at: folders, sites, repositories, packages, instances.</summary>
    public long Items { get; init; }

    /// <summary>Of these: stored.</summary>
    public long Completed { get; init; }

    /// <summary>Of these: as they were stored, or taken over as they are.</summary>
    public long Unchanged { get; init; }

    /// <summary>Of these: left out on purpose.</summary>
    public long Skipped { get; init; }

    /// <summary>Of these: not possible yet.</summary>
    public long Deferred { get; init; }

    /// <summary>Of these: failed.</summary>
    public long Failed { get; init; }

    /// <summary>Bytes that were stored (with WhatIf: that would be, where that is known).</summary>
    public long Bytes { get; init; }

    /// <summary>When it began, in UTC; null where it did not.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Its runs in the destination's catalog; none where nothing changed.</summary>
    public IReadOnlyList<string> RunIds { get; init; } = [];

    /// <summary>The first 100 failures.</summary>
    public IReadOnlyList<JobFailure> Failures { get; init; } = [];

    /// <summary>The first 100 things that went not quite as they should.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whether this is a plan (WhatIf) and nothing was done.</summary>
    public bool WhatIf { get; init; }

    /// <summary>With WhatIf: what would be done, a line an item; the first 1,000.</summary>
    public IReadOnlyList<string> Plan { get; init; } = [];
}

/// <summary>Something of a job that failed.</summary>
/// <param name="Item">The file, site, repository, package or instance; the job itself where it came to none.</param>
/// <param name="Kind">The stable word for it.</param>
/// <param name="Message">What is wrong, in a sentence.</param>
/// <param name="Advice">What to do, or null.</param>
public sealed record JobFailure(string Item, FailureKind Kind, string Message, string? Advice);
