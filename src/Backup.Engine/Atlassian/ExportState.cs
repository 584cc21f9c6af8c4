namespace Backup.Engine.Atlassian;

/// <summary>Where an export stands.</summary>
internal enum ExportPhase
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>The answer said nothing that can be used: an empty body, a page for people. It passes.</summary>
    Unclear,

    /// <summary>It is being made.</summary>
    Running,

    /// <summary>It can be downloaded.</summary>
    Ready,

    /// <summary>It was not made.</summary>
    Failed,
}

/// <summary>An export as the site describes it.</summary>
/// <param name="Phase">Where it stands.</param>
internal sealed record ExportState(ExportPhase Phase)
{
    /// <summary>Jira's task, or null.</summary>
    public string? TaskId { get; init; }

    /// <summary>What names the file in the site's own way, or null while there is none.</summary>
    public string? FileId { get; init; }

    /// <summary>When it was asked for or made, or null.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>0 to 100, or null.</summary>
    public int? Percent { get; init; }

    /// <summary>What is being done, or why it failed, in the site's words; or null.</summary>
    public string? Message { get; init; }

    /// <summary>Whether both describe one and the same export.</summary>
    public bool IsSameAs(ExportState other) => TaskId is not null || other.TaskId is not null
        ? TaskId == other.TaskId
        : FileId == other.FileId && Time == other.Time;
}

/// <summary>What a site answers when it is asked for an export.</summary>
/// <param name="TaskId">Jira's task, or null.</param>
/// <param name="Cooldown">Why it is too early, or null where it began.</param>
internal sealed record ExportRequest(string? TaskId, Cooldown? Cooldown);
