namespace Backup.Engine.Runs;

/// <summary>A run as the catalog of a destination tells it.</summary>
public sealed record BackupRun
{
    /// <summary>The destination that holds it, as it was given.</summary>
    public required string Destination { get; init; }

    /// <summary>The run's id, unique in the destination.</summary>
    public required string RunId { get; init; }

    /// <summary>Which of the five: <c>folders</c>, <c>confluence</c>, <c>jira</c>, <c>github</c>, <c>maven</c>, <c>ec2</c>.</summary>
    public required string System { get; init; }

    /// <summary>What was backed up: the folder, site, account or repository.</summary>
    public required string SourceName { get; init; }

    /// <summary>The machine that ran it.</summary>
    public required string Host { get; init; }

    /// <summary>When it began, in UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it was committed, in UTC.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it failed, in a sentence; else null.</summary>
    public string? Reason { get; init; }

    /// <summary>Objects that this run stored.</summary>
    public long Stored { get; init; }

    /// <summary>Objects that this run deleted.</summary>
    public long Deleted { get; init; }

    /// <summary>Items that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Bytes that this run stored.</summary>
    public long BytesStored { get; init; }

    /// <summary>Objects in the backup after this run.</summary>
    public long TotalObjects { get; init; }

    /// <summary>Bytes in the backup after this run.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How the store proved what it received: names of <see cref="Stores.ObjectChecksum"/>.</summary>
    public IReadOnlyList<string> Proofs { get; init; } = [];

    /// <summary>The key of its manifest.</summary>
    public required string ManifestKey { get; init; }
}

/// <summary>Which runs are wanted. What is null does not restrict.</summary>
public sealed record RunQuery
{
    /// <summary>The system.</summary>
    public string? System { get; init; }

    /// <summary>The source's name; wildcards <c>*</c> and <c>?</c> allowed.</summary>
    public string? SourceName { get; init; }

    /// <summary>Run ids.</summary>
    public IReadOnlyList<string>? RunIds { get; init; }

    /// <summary>Finished at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Finished at this time or earlier.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Only the newest run of each source.</summary>
    public bool LatestOnly { get; init; }
}
