namespace Backup.Engine.Stores.Directories;

/// <summary>How a directory is used as a store.</summary>
public sealed record DirectoryStoreOptions
{
    /// <summary>How long overwritten and deleted objects stay readable, as in the buckets that this product makes.</summary>
    public static TimeSpan DefaultKeepVersions { get; } = TimeSpan.FromDays(180);

    /// <summary>Whether every write waits until the disk has it. Off only where losing power may lose the last seconds' objects.</summary>
    public bool FlushToDisk { get; init; } = true;

    /// <summary>Whether a new store escapes names as for a file system that folds case or normalization; null finds out. An existing store keeps what it was made with.</summary>
    public bool? FoldsNames { get; init; }

    /// <summary>Called between the steps of a commit, so that tests can stop there as a crash would.</summary>
    internal Action<CommitStep>? AfterStep { get; init; }
}

/// <summary>The steps of a commit, in their order.</summary>
internal enum CommitStep
{
    /// <summary>The old file has a second name among the versions.</summary>
    OldDataKept,

    /// <summary>The old sidecar is gone from beside the object.</summary>
    OldSidecarMoved,

    /// <summary>The new bytes are visible.</summary>
    DataVisible,

    /// <summary>The new sidecar is visible.</summary>
    SidecarVisible,
}
