namespace Backup.Engine.Files;

/// <summary>What a path is. The numbers are stored in caches.</summary>
internal enum FileEntryKind
{
    /// <summary>A regular file.</summary>
    File = 0,

    /// <summary>A directory; its path ends with <c>/</c>.</summary>
    Directory = 1,

    /// <summary>A symbolic link that is kept as a link.</summary>
    Symlink = 2,

    /// <summary>A socket, pipe or device: nothing that a backup can hold.</summary>
    Other = 3,
}

/// <summary>One path of a folder, as the file system describes it.</summary>
internal sealed record FileEntry
{
    /// <summary>The encoded path relative to the folder (<see cref="PathEncoding"/>); ends with <c>/</c> for a directory.</summary>
    public required string Path { get; init; }

    /// <summary>What it is.</summary>
    public required FileEntryKind Kind { get; init; }

    /// <summary>Size in bytes; 0 for all but files.</summary>
    public long Size { get; init; }

    /// <summary>When the content changed, in UTC ticks of 100 ns since 0001-01-01.</summary>
    public long ModifiedTicks { get; init; }

    /// <summary>When the content or its description changed (ctime), in UTC ticks of 100 ns; null where the system has none.</summary>
    public long? ChangedTicks { get; init; }

    /// <summary>The file's number on its volume (inode); null where there is none or it does not outlast a mount. Without a device number, because those move between boots.</summary>
    public long? FileId { get; init; }

    /// <summary>Unix permission bits (07777); null where the system has none.</summary>
    public int? Mode { get; init; }

    /// <summary>Where a link points, encoded; null for all but links.</summary>
    public string? LinkTarget { get; init; }
}
