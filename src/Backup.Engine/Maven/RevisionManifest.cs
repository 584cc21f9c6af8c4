using System.Text.Json.Serialization;

namespace Backup.Engine.Maven;

/// <summary>The record of one revision of a version, and its commit: it is written when every asset is stored, and only once.</summary>
internal sealed record RevisionManifest
{
    public const int CurrentFormat = 1;

    public int Format { get; init; } = CurrentFormat;

    public required string Domain { get; init; }

    public string? DomainOwner { get; init; }

    public required string Repository { get; init; }

    public required string PackageFormat { get; init; }

    public string? Namespace { get; init; }

    public required string Package { get; init; }

    public required string Version { get; init; }

    /// <summary>The service's opaque name for this set of assets.</summary>
    public required string Revision { get; init; }

    /// <summary>Published or Unlisted, when it was backed up.</summary>
    public required string Status { get; init; }

    public DateTimeOffset? PublishedTime { get; init; }

    public required DateTimeOffset Stored { get; init; }

    public IReadOnlyList<StoredAsset> Assets { get; init => field = value ?? []; } = [];

    [JsonIgnore]
    public PackageVersionId Id => new() { Domain = Domain, DomainOwner = DomainOwner, Repository = Repository, Format = PackageFormat, Namespace = Namespace, Package = Package, Version = Version };
}

/// <summary>An asset of a revision.</summary>
internal sealed record StoredAsset
{
    public required string Name { get; init; }

    public required string Key { get; init; }

    public required long Size { get; init; }

    /// <summary>MD5, SHA-1, SHA-256 and SHA-512 in hexadecimal: those that the service gave, all verified.</summary>
    public required IReadOnlyDictionary<string, string> Hashes { get; init; }

    /// <summary>The checksum that the store confirmed.</summary>
    public string? Checksum { get; init; }

    public string? VersionId { get; init; }

    public string? StorageClass { get; init; }

    [JsonIgnore]
    public string? Sha256 => Hashes.GetValueOrDefault(AssetHashes.Sha256);
}

/// <summary>What is known of a version beside its revisions' manifests: a status that was set later, or that it is gone.</summary>
/// <param name="Status">Published, Unlisted, Archived, Disposed or Deleted.</param>
/// <param name="Recorded">When this was written.</param>
internal sealed record StatusNote(string Status, DateTimeOffset Recorded);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(RevisionManifest))]
[JsonSerializable(typeof(StatusNote))]
internal sealed partial class RevisionJson : JsonSerializerContext;
