using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>
/// How packages are in the catalog of runs. A version is a directory entry with its revision and status, and its assets are files below it: a run restored
/// as files is a Maven repository.
/// </summary>
internal static class MavenRun
{
    /// <summary>The name of this system in catalogs.</summary>
    public const string System = "maven";

    private const string Format = "format";
    private const string Namespace = "namespace";
    private const string Package = "package";
    private const string Version = "version";
    private const string Revision = "revision";
    private const string Status = "status";
    private const string Domain = "domain";
    private const string DomainOwner = "domainOwner";
    private const string Repository = "repository";

    /// <summary>The source's name of a whole repository, or a part of it.</summary>
    public static string SourceName(string domain, string repository, (int Index, int Count)? shard) =>
        $"{domain}/{repository}" + (shard is { } part ? $" ({part.Index} of {part.Count})" : "");

    /// <summary>The source's name of one version.</summary>
    public static string SourceName(PackageVersionId id) => $"{id.Domain}/{id.Repository}/{(id.Format == PackageVersionId.Maven ? "" : id.Format + "/")}{id}";

    /// <summary>The entries of a revision.</summary>
    public static IEnumerable<InventoryEntry> Entries(RevisionManifest manifest)
    {
        var id = manifest.Id;
        yield return VersionEntry(id, manifest.Revision, manifest.Status);
        foreach (var asset in manifest.Assets)
        {
            yield return new()
            {
                Path = PathOf(id) + asset.Name,
                Type = InventoryEntryType.File,
                Key = asset.Key,
                Size = asset.Size,
                Sha256 = asset.Sha256,
                Checksum = asset.Checksum,
                Version = asset.VersionId,
                StorageClass = asset.StorageClass,
            };
        }
    }

    /// <summary>The entry of a version.</summary>
    public static InventoryEntry VersionEntry(PackageVersionId id, string revision, string status)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Domain] = id.Domain, [Repository] = id.Repository, [Format] = id.Format, [Package] = id.Package, [Version] = id.Version, [Revision] = revision, [Status] = status,
        };
        if (id.DomainOwner is { } owner)
            properties[DomainOwner] = owner;
        if (id.Namespace is { } name)
            properties[Namespace] = name;
        return new() { Path = PathOf(id), Type = InventoryEntryType.Directory, Properties = properties };
    }

    /// <summary>The version that an entry is of, with its revision and status; null for the entry of an asset.</summary>
    public static ListedVersion? ReadVersion(InventoryEntry entry) => entry is { Type: InventoryEntryType.Directory, Properties: { } facts } && facts.ContainsKey(Revision)
        ? new(
            new()
            {
                Domain = facts[Domain],
                DomainOwner = facts.GetValueOrDefault(DomainOwner),
                Repository = facts[Repository],
                Format = facts[Format],
                Namespace = facts.GetValueOrDefault(Namespace),
                Package = facts[Package],
                Version = facts[Version],
            },
            facts[Status],
            facts[Revision])
        : null;

    /// <summary>The path of a version in an inventory: formats other than Maven's are kept apart from it.</summary>
    public static string PathOf(PackageVersionId id) => id.Format == PackageVersionId.Maven ? id.Path : $"{id.Format}/{id.Path}";

    /// <summary>How the store proved assets.</summary>
    public static IReadOnlyList<string> Proofs(IEnumerable<StoredAsset> assets) =>
        [.. assets.Select(asset => ObjectChecksum.Parse(asset.Checksum)?.Algorithm).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>A number of versions, in words.</summary>
    public static string Versions(long count) => count == 1 ? "1 version" : $"{count} versions";
}
