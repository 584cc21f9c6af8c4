namespace Backup.Engine.GitHub;

/// <summary>What a repository is, as far as a backup goes.</summary>
public enum RepositoryStatus
{
    /// <summary>It can be read.</summary>
    Available,

    /// <summary>It has no commit yet.</summary>
    Empty,

    /// <summary>It has another name than before; its backups go on as one history.</summary>
    Renamed,

    /// <summary>GitHub has disabled it.</summary>
    Disabled,

    /// <summary>Blocked for legal reasons or for its content: 451, or 403 with a block.</summary>
    Blocked,

    /// <summary>It is there, and the token may not read it (any more).</summary>
    AccessLost,

    /// <summary>It was listed and is not there any more: deleted, or hidden from this token.</summary>
    Vanished,

    /// <summary>The source does not list it any more: deleted, moved, or hidden from this token.</summary>
    NotListed,

    /// <summary>It could not be read this time; it may be there.</summary>
    Unknown,
}

/// <summary>A repository that cannot be read, and why as far as GitHub says.</summary>
/// <param name="status">What became of it.</param>
/// <param name="kind">The stable word for it.</param>
/// <param name="message">One sentence that names it.</param>
/// <param name="advice">What to do.</param>
/// <param name="inner">The cause.</param>
internal sealed class RepositoryUnavailableException(RepositoryStatus status, FailureKind kind, string message, string? advice, Exception? inner = null)
    : BackupException(kind, message, advice, inner)
{
    public RepositoryStatus Status { get; } = status;
}
