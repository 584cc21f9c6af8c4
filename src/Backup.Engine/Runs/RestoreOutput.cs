namespace Backup.Engine.Runs;

/// <summary>What a restore gives: an item for each file that was not simply restored, and a summary a run.</summary>
public abstract record RestoreOutput
{
    /// <summary>The run that was restored.</summary>
    public required string RunId { get; init; }

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it was skipped, deferred or failed, in a sentence; else null.</summary>
    public string? Reason { get; init; }
}

/// <summary>A file that was not restored: skipped because the one on disk is newer, deferred because it is archived, or failed.</summary>
public sealed record RestoredItem : RestoreOutput
{
    /// <summary>The file, as an absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>The stable word for a failure.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do, or null.</summary>
    public string? Advice { get; init; }
}

/// <summary>One run, restored.</summary>
public sealed record RestoreSummary : RestoreOutput
{
    /// <summary>What was restored: the folder, site, repository, as it was backed up.</summary>
    public required string SourceName { get; init; }

    /// <summary>Where it is now.</summary>
    public required string Destination { get; init; }

    /// <summary>The stable word for a failure of the whole run; null where it went well, or where single files failed.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about a failure of the whole run, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>Files written and verified (with WhatIf: that would be written).</summary>
    public long Restored { get; init; }

    /// <summary>Files that were there already, identical.</summary>
    public long Unchanged { get; init; }

    /// <summary>Files left alone because the one on disk is newer or differs.</summary>
    public long Skipped { get; init; }

    /// <summary>Files that are archived: asked for, and not readable yet.</summary>
    public long Deferred { get; init; }

    /// <summary>Files that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Bytes written (with WhatIf: that would be written).</summary>
    public long Bytes { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether this is a plan (WhatIf) and nothing was done.</summary>
    public bool WhatIf { get; init; }
}
