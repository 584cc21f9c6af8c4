using Backup.Engine.Stores;

namespace Backup.Engine.Reports;

/// <summary>A destination to report on.</summary>
/// <param name="Location">Where it is.</param>
/// <param name="Sources">Only these sources, each of which has to be there; empty for all that are.</param>
public sealed record ReportDestination(StoreLocation Location, IReadOnlyList<SourcePattern> Sources);

/// <summary>What is reported.</summary>
public sealed record ReportOptions
{
    /// <summary>The destinations.</summary>
    public required IReadOnlyList<ReportDestination> Destinations { get; init; }

    /// <summary>How old the newest good run of a source may be, where <see cref="Intervals"/> does not say it.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Intervals of particular sources; the most specific pattern counts.</summary>
    public IReadOnlyList<ExpectedInterval> Intervals { get; init; } = [];

    /// <summary>How long ago a source's newest recorded verification may be; null where none is asked for.</summary>
    public TimeSpan? MaxVerificationAge { get; init; }

    /// <summary>How many runs of each source are looked at, from the newest back.</summary>
    public int MaxRuns { get; init; } = 90;

    /// <summary>Whether all of those runs are told, or no more are read than it takes to find the newest good one.</summary>
    public bool History { get; init; }

    /// <summary>Whether the stored objects are listed and their cost added up (S3 only; a request for every thousand objects).</summary>
    public bool Costs { get; init; }

    /// <summary>How the destinations are opened.</summary>
    public StoreOptions Store { get; init; } = new();
}
