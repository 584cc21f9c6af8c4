namespace Backup.Engine.Folders;

/// <summary>What <see cref="FolderSync"/> gives: a <see cref="FileFailure"/> a file that could not be stored, as it happens, and a <see cref="FolderSyncResult"/> a folder.</summary>
public abstract record FolderSyncOutput
{
    /// <summary>The folder, as an absolute path.</summary>
    public required string Path { get; init; }
}

/// <summary>One folder, done.</summary>
public sealed record FolderSyncResult : FolderSyncOutput
{
    /// <summary>Where it went.</summary>
    public required string Destination { get; init; }

    /// <summary>How it ended. <see cref="Outcome.Failed"/> as soon as one file is not stored or a deletion was refused.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it failed or was skipped, in a sentence; else null.</summary>
    public string? Reason { get; init; }

    /// <summary>The stable word for a failure of the whole folder; null where it went well, or where single files failed.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about a failure of the whole folder, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>The run in the destination's catalog, or null where none was written: nothing changed, or WhatIf.</summary>
    public string? RunId { get; init; }

    /// <summary>Files that were not stored before.</summary>
    public long New { get; init; }

    /// <summary>Files whose content differs from what was stored.</summary>
    public long Changed { get; init; }

    /// <summary>Files of which only times or modes differ: nothing was sent.</summary>
    public long Touched { get; init; }

    /// <summary>Files that are gone from the folder and were deleted from the store.</summary>
    public long Deleted { get; init; }

    /// <summary>Files that were as stored.</summary>
    public long Unchanged { get; init; }

    /// <summary>Files and folders that could not be read or stored.</summary>
    public long Failed { get; init; }

    /// <summary>Files found stored already, when the cache was rebuilt from the store.</summary>
    public long Adopted { get; init; }

    /// <summary>Bytes sent (with WhatIf: that would be sent).</summary>
    public long Bytes { get; init; }

    /// <summary>Files in the folder.</summary>
    public long TotalFiles { get; init; }

    /// <summary>Bytes in the folder.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Bytes sent a second.</summary>
    public double BytesPerSecond => Duration > TimeSpan.Zero ? Bytes / Duration.TotalSeconds : 0;

    /// <summary>The first 100 failures.</summary>
    public IReadOnlyList<FileFailure> Failures { get; init; } = [];

    /// <summary>Whether this is a plan (WhatIf) and nothing was done.</summary>
    public bool WhatIf { get; init; }

    /// <summary>With WhatIf and S3: what a run would cost by AWS's list prices; null where the storage class has no known price.</summary>
    public CostEstimate? Estimate { get; init; }
}

/// <summary>One file or folder that could not be stored or deleted. The run goes on without it.</summary>
public sealed record FileFailure : FolderSyncOutput
{
    /// <summary>The file, relative to the folder, as shown to people.</summary>
    public required string Item { get; init; }

    /// <summary>The stable word for it.</summary>
    public required FailureKind Kind { get; init; }

    /// <summary>What is wrong, in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>What to do, or null.</summary>
    public string? Advice { get; init; }
}
