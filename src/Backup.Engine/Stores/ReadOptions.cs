namespace Backup.Engine.Stores;

/// <summary>What of an object is read.</summary>
public sealed record ReadOptions
{
    /// <summary>The first byte; 0 is the beginning.</summary>
    public long Offset { get; init; }

    /// <summary>How many bytes at the most, or null for the rest.</summary>
    public long? Length { get; init; }

    /// <summary>The version, or null for the current one.</summary>
    public string? VersionId { get; init; }
}
