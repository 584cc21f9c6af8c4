namespace Backup.Engine.Maven;

/// <summary>What a backup of packages gives: a result a version, and a summary a repository where all of it was asked for.</summary>
public abstract record MavenOutput
{
    /// <summary>The domain; empty where a plain Maven repository was restored to.</summary>
    public required string Domain { get; init; }

    /// <summary>The repository; of a plain one its directory or address.</summary>
    public required string Repository { get; init; }

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it was skipped, deferred or failed, in a sentence; else null.</summary>
    public string? Reason { get; init; }

    /// <summary>The stable word for a failure, or null.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about it, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>Bytes that were stored or published (with WhatIf: that would be).</summary>
    public long Bytes { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The run that names it; null where nothing was stored.</summary>
    public string? RunId { get; init; }

    /// <summary>Whether this is a plan and nothing was done.</summary>
    public bool WhatIf { get; init; }
}

/// <summary>One version of a package.</summary>
public sealed record PackageVersionResult : MavenOutput
{
    /// <summary>maven, npm, nuget, pypi or generic.</summary>
    public required string Format { get; init; }

    /// <summary>The package: <c>group:artifact</c> in Maven.</summary>
    public required string Package { get; init; }

    /// <summary>The version.</summary>
    public required string Version { get; init; }

    /// <summary>The revision, or null where it is not known.</summary>
    public string? Revision { get; init; }

    /// <summary>The status: Published, Unlisted, Unfinished, Archived, Disposed or Deleted.</summary>
    public string? Status { get; init; }

    /// <summary>How many assets it has.</summary>
    public int Assets { get; init; }
}

/// <summary>A whole repository, backed up or restored.</summary>
public sealed record RepositoryResult : MavenOutput
{
    /// <summary>Versions that were stored or published.</summary>
    public long Stored { get; init; }

    /// <summary>Versions that were there already.</summary>
    public long Unchanged { get; init; }

    /// <summary>Versions that are unfinished, archived or disposed of, and were left out.</summary>
    public long Skipped { get; init; }

    /// <summary>Versions that the source no longer has; what is stored of them stays.</summary>
    public long Gone { get; init; }

    /// <summary>Versions that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Assets that were stored or published.</summary>
    public long Assets { get; init; }
}
