using System.Text.Json.Serialization;
using Backup.Engine.Runs;

namespace Backup.Engine.Reports;

/// <summary>The report of some destinations at one time.</summary>
public sealed record BackupReport
{
    /// <summary>When it was made, in UTC.</summary>
    public required DateTimeOffset Generated { get; init; }

    /// <summary>The version of this product.</summary>
    public string Version { get; init; } = ProductVersion.Current;

    /// <summary>The destinations, in the order that they were given.</summary>
    public required IReadOnlyList<DestinationReport> Destinations { get; init; }
}

/// <summary>What a destination holds, or why that cannot be said.</summary>
public sealed record DestinationReport
{
    /// <summary>The destination.</summary>
    public required string Destination { get; init; }

    /// <summary>Why it could not be read, or holds nothing; else null. What is told beside it is then not all there is.</summary>
    public string? Failure { get; init; }

    /// <summary>The stable word for it.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about it.</summary>
    public string? Advice { get; init; }

    /// <summary>Its sources.</summary>
    public IReadOnlyList<SourceReport> Sources { get; init; } = [];

    /// <summary>What its storage costs; null where it was not asked for, and for a directory.</summary>
    public StorageCost? Cost { get; init; }
}

/// <summary>A source and its runs.</summary>
public sealed record SourceReport : SourceFreshness
{
    /// <summary>How many runs the catalog has of it.</summary>
    [JsonPropertyOrder(1)]
    public long RunCount { get; init; }

    /// <summary>The newest of them, newest first.</summary>
    [JsonPropertyOrder(2)]
    public IReadOnlyList<ReportRun> Runs { get; init; } = [];

    /// <summary>Manifests that could not be read, and why.</summary>
    [JsonPropertyOrder(3)]
    public IReadOnlyList<string> Unreadable { get; init; } = [];
}

/// <summary>A run as a report tells it.</summary>
public sealed record ReportRun
{
    /// <summary>Its id.</summary>
    public required string RunId { get; init; }

    /// <summary>The machine that ran it.</summary>
    public required string Host { get; init; }

    /// <summary>When it began, in UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it was committed, in UTC.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>How long it took.</summary>
    [JsonPropertyName("durationSeconds")]
    public TimeSpan Duration => Finished > Started ? Finished - Started : TimeSpan.Zero;

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it failed, or what a verification found.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether it was committed whole and has not been found damaged since.</summary>
    [JsonPropertyName("good")]
    public required bool IsGood { get; init; }

    /// <summary>Objects that it stored.</summary>
    public long Stored { get; init; }

    /// <summary>Items that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Bytes that it stored.</summary>
    public long BytesStored { get; init; }

    /// <summary>Objects in the backup after it.</summary>
    public long TotalObjects { get; init; }

    /// <summary>Bytes in the backup after it.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How the store proved what it received.</summary>
    public IReadOnlyList<string> Proofs { get; init; } = [];

    /// <summary>The first of its failures; only the newest failed runs have them here.</summary>
    public IReadOnlyList<RunFailure> Failures { get; init; } = [];

    /// <summary>When it was last verified, in UTC, where that was recorded.</summary>
    public DateTimeOffset? Verified { get; init; }
}

/// <summary>What the objects of a destination cost a month, by AWS's list prices. Old versions, requests, transfer and taxes are left out.</summary>
public sealed record StorageCost
{
    /// <summary>The currency of the amounts.</summary>
    public required string Currency { get; init; }

    /// <summary>The region and month of the prices.</summary>
    public required string PricesAsOf { get; init; }

    /// <summary>The sum a month, of the classes whose price is known.</summary>
    public required decimal Monthly { get; init; }

    /// <summary>Each storage class.</summary>
    public required IReadOnlyList<StorageClassCost> Classes { get; init; }
}

/// <summary>The objects of one storage class.</summary>
/// <param name="StorageClass">The class as S3 names it.</param>
/// <param name="Objects">How many.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Monthly">What they cost a month; null for a class without a known price.</param>
public sealed record StorageClassCost(string StorageClass, long Objects, long Bytes, decimal? Monthly);
