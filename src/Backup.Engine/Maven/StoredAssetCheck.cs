using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>Whether the store still has what a manifest names, by size and by its own checksums: nothing is downloaded.</summary>
internal static class StoredAssetCheck
{
    /// <summary>What is wrong with an asset, in a sentence; null where nothing is.</summary>
    public static async Task<(MavenDifferenceKind Kind, string Reason)?> ProblemAsync(IObjectStore store, StoredAsset asset, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(asset.Key, asset.VersionId, cancellationToken) is not { } head)
            return (MavenDifferenceKind.Missing, "It is not in the store.");
        if (head.Size != asset.Size)
            return (MavenDifferenceKind.Changed, $"It has {head.Size} bytes in the store instead of {asset.Size}.");
        if (head.Sha256 is { } sha256 && !sha256.Equals(asset.Sha256, StringComparison.OrdinalIgnoreCase))
            return (MavenDifferenceKind.Changed, $"Its SHA-256 is {sha256} in the store instead of {asset.Sha256}.");
        return ObjectChecksum.Parse(asset.Checksum) is { } expected && head.Checksum is { } actual && actual.Algorithm == expected.Algorithm && actual.Value != expected.Value
            ? (MavenDifferenceKind.Changed, $"The store's {expected.Algorithm} is '{actual.Value}' instead of '{expected.Value}'.")
            : null;
    }
}
