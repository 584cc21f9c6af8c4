using System.Text.Json.Serialization;

namespace Backup.Engine.Reports;

/// <summary>Where a source stands.</summary>
public enum SourceState
{
    /// <summary>It has a good run within its interval.</summary>
    Fresh,

    /// <summary>It has one, and a newer run that failed.</summary>
    Failing,

    /// <summary>It has none within its interval, or no verification where one is asked for.</summary>
    Stale,

    /// <summary>It is expected and has no run at all.</summary>
    Missing,
}

/// <summary>
/// Whether a source is backed up as often as it should be. A good run is one that was committed whole, each of its objects proven by the store,
/// and that no recorded verification has found damaged.
/// </summary>
public record SourceFreshness
{
    /// <summary>The destination.</summary>
    public required string Destination { get; init; }

    /// <summary>The system; empty for a source that is missing and was not named with one.</summary>
    public required string System { get; init; }

    /// <summary>The folder, site, account or repository; for one that is missing, the pattern that it was expected by.</summary>
    public required string SourceName { get; init; }

    /// <summary>Where it stands.</summary>
    public required SourceState State { get; init; }

    /// <summary>Whether it has a good run within its interval.</summary>
    [JsonPropertyName("fresh")]
    public bool IsFresh => State is SourceState.Fresh or SourceState.Failing;

    /// <summary>Why it is not fresh, or what went wrong since; else null.</summary>
    public string? Reason { get; init; }

    /// <summary>When this was found out, in UTC.</summary>
    public required DateTimeOffset Checked { get; init; }

    /// <summary>How old its newest good run may be.</summary>
    [JsonPropertyName("intervalSeconds")]
    public required TimeSpan Interval { get; init; }

    /// <summary>How old it is; null where there is none.</summary>
    [JsonPropertyName("ageSeconds")]
    public TimeSpan? Age => LastGood is not { } good ? null : Checked > good ? Checked - good : TimeSpan.Zero;

    /// <summary>When the source was last known to be stored whole, in UTC: by its newest good run, or by a later look that found nothing to do.</summary>
    public DateTimeOffset? LastGood { get; init; }

    /// <summary>When it was last found unchanged, in UTC, where that was noted.</summary>
    public DateTimeOffset? LastUnchanged { get; init; }

    /// <summary>The id of its newest good run.</summary>
    public string? LastGoodRunId { get; init; }

    /// <summary>When its newest run ended, in UTC, good or not.</summary>
    public DateTimeOffset? LastRun { get; init; }

    /// <summary>How its newest run ended.</summary>
    public Outcome? LastOutcome { get; init; }

    /// <summary>How long its newest good run took.</summary>
    [JsonPropertyName("durationSeconds")]
    public TimeSpan? Duration { get; init; }

    /// <summary>Objects in the backup after its newest good run.</summary>
    public long TotalObjects { get; init; }

    /// <summary>Bytes in the backup after its newest good run.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How the store proved what it received: names of <see cref="Stores.ObjectChecksum"/>.</summary>
    public IReadOnlyList<string> Proofs { get; init; } = [];

    /// <summary>When one of its runs was last verified and found whole, in UTC, where that was recorded (<c>Test-BackupRun -Record</c>).</summary>
    public DateTimeOffset? LastVerified { get; init; }

    /// <summary>Whether that verification read every byte.</summary>
    public bool? VerifiedDeep { get; init; }

    /// <summary>The run that it verified.</summary>
    public string? VerifiedRunId { get; init; }

    /// <summary>This judgement alone, without what a report adds to it.</summary>
    public SourceFreshness WithoutHistory() => new(this);
}
