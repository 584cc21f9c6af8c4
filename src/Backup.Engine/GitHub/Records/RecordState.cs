namespace Backup.Engine.GitHub;

/// <summary>What is stored of one kind of record, and how far it reaches.</summary>
internal sealed record RecordState
{
    /// <summary>The files, the oldest first: the first is whole, each other one is laid over it by the records' ids.</summary>
    public IReadOnlyList<string> Files { get; init => field = value ?? []; } = [];

    /// <summary>When the first file was made.</summary>
    public DateTimeOffset FullAt { get; init; }

    /// <summary>For kinds that can be asked for what was updated since: from when on, by GitHub's clock.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Records that are stored and may be given again, because they were updated no earlier than <see cref="Since"/>: hash by id.</summary>
    public IReadOnlyDictionary<string, string>? Boundary { get; init; }

    /// <summary>For kinds that only grow: the newest id.</summary>
    public long LastId { get; init; }

    /// <summary>For kinds that are read whole: the entity tag of each page by its path and query.</summary>
    public IReadOnlyDictionary<string, string>? ETags { get; init; }

    /// <summary>For kinds that are read whole: the hash of what is stored.</summary>
    public string? Sha256 { get; init; }
}
