using Backup.Engine.Atlassian.Exports;

namespace Backup.Engine.Atlassian;

/// <summary>What became of one export: of a site, or of a file that a person downloaded.</summary>
public sealed record ExportResult
{
    /// <summary>The site.</summary>
    public required string Site { get; init; }

    /// <summary>What was exported.</summary>
    public required AtlassianProduct Product { get; init; }

    /// <summary>Where it goes.</summary>
    public required string Destination { get; init; }

    /// <summary>How it ended, in a word of its own for each case.</summary>
    public required SiteStatus Status { get; init; }

    /// <summary>The same in the words that all systems share.</summary>
    public Outcome Outcome => Status switch
    {
        SiteStatus.Completed => Outcome.Completed,
        SiteStatus.Adopted => Outcome.Adopted,
        SiteStatus.Unchanged => Outcome.Unchanged,
        SiteStatus.Deferred => Outcome.Deferred,
        SiteStatus.Planned => Outcome.Skipped,
        _ => Outcome.Failed,
    };

    /// <summary>Why, in a sentence; null where there is nothing to say.</summary>
    public string? Reason { get; init; }

    /// <summary>The stable word for a failure, or null.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about it, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>When Atlassian allows the next export, in UTC, where it said so.</summary>
    public DateTimeOffset? AllowedAt { get; init; }

    /// <summary>The run in the destination's catalog, or null where none was written.</summary>
    public string? RunId { get; init; }

    /// <summary>Where the export is in the destination, or null.</summary>
    public string? Key { get; init; }

    /// <summary>Where an export that failed its verification is kept aside, or null.</summary>
    public string? QuarantineKey { get; init; }

    /// <summary>Bytes of the export.</summary>
    public long Bytes { get; init; }

    /// <summary>Its SHA-256, 64 lower-case hexadecimal digits.</summary>
    public string? Sha256 { get; init; }

    /// <summary>What kind of export it is.</summary>
    public ExportKind ExportKind { get; init; }

    /// <summary>Files in the export.</summary>
    public long Entries { get; init; }

    /// <summary>Objects in the export's XML: pages, comments, issues and the like.</summary>
    public long Entities { get; init; }

    /// <summary>When the export was made, in UTC, where that is known.</summary>
    public DateTimeOffset? ExportedAt { get; init; }

    /// <summary>How often the download broke off and was resumed.</summary>
    public int Resumed { get; init; }

    /// <summary>Old runs that the retention no longer keeps and that were removed.</summary>
    public int Removed { get; init; }

    /// <summary>How long the run took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>How much of that was the way from Atlassian, or the file, to the store.</summary>
    public TimeSpan TransferDuration { get; init; }

    /// <summary>Bytes a second on that way.</summary>
    public double BytesPerSecond => TransferDuration > TimeSpan.Zero ? Bytes / TransferDuration.TotalSeconds : 0;

    /// <summary>Whether this is a plan (WhatIf) and nothing was done.</summary>
    public bool WhatIf { get; init; }
}
