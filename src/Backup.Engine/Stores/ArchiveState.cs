namespace Backup.Engine.Stores;

/// <summary>Whether an object can be read now.</summary>
public enum ArchiveState
{
    /// <summary>It is not archived, or a restored copy is there.</summary>
    Readable,

    /// <summary>It is archived and nothing was asked for.</summary>
    Archived,

    /// <summary>It is archived and a copy was asked for.</summary>
    Restoring,
}

/// <summary>How fast an archived object is wanted.</summary>
public enum RestoreTier
{
    /// <summary>Cheapest: within 48 hours from Deep Archive.</summary>
    Bulk,

    /// <summary>Within 12 hours from Deep Archive.</summary>
    Standard,
}

/// <summary>A request for a readable copy of an archived object.</summary>
/// <param name="Days">How many days the copy stays, 1 or more.</param>
/// <param name="Tier">How fast it is wanted.</param>
/// <param name="VersionId">The version, or null for the current one.</param>
public sealed record RestoreRequest(int Days, RestoreTier Tier = RestoreTier.Bulk, string? VersionId = null);
