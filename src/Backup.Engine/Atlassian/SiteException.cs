namespace Backup.Engine.Atlassian;

/// <summary>Why a site cannot be backed up, with the status that its result has.</summary>
internal sealed class SiteException(SiteStatus status, FailureKind kind, string message, string? advice = null, Exception? inner = null)
    : BackupException(kind, message, advice, inner)
{
    /// <summary>The status.</summary>
    public SiteStatus Status { get; } = status;

    /// <summary>When an export is allowed again, where that is known.</summary>
    public DateTimeOffset? AllowedAt { get; init; }

    /// <summary>The status that any failure amounts to.</summary>
    public static SiteStatus StatusOf(BackupException exception) => exception is SiteException known ? known.Status : exception.Kind switch
    {
        FailureKind.TimedOut => SiteStatus.TimedOut,
        _ => SiteStatus.Failed,
    };
}
