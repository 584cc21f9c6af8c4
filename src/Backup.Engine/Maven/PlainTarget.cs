using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>Files of a plain Maven repository.</summary>
internal interface IMavenFiles : IDisposable
{
    string Name { get; }

    /// <summary>A small file's bytes, or null where there is none.</summary>
    Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken);

    /// <summary>Whether a file is there with these hashes; null where there is none.</summary>
    Task<bool?> IsSameAsync(string path, StoredAsset asset, CancellationToken cancellationToken);

    /// <summary>Writes a file: whole, or not at all.</summary>
    Task WriteAsync(string path, Func<CancellationToken, Task<Stream>> content, CancellationToken cancellationToken);
}

/// <summary>A plain Maven repository as a target: the standard layout, with checksum files and metadata, so that any client reads it.</summary>
internal sealed class PlainTarget(IObjectStore store, IMavenFiles files, TimeProvider time) : IPackageTarget
{
    private static readonly (string Name, string Extension)[] Checksums = [(AssetHashes.Md5, ".md5"), (AssetHashes.Sha1, ".sha1"), (AssetHashes.Sha256, ".sha256"), (AssetHashes.Sha512, ".sha512")];

    /// <inheritdoc/>
    public string Name => files.Name;

    /// <inheritdoc/>
    public async Task<Outcome> PublishAsync(RestoredVersion version, bool whatIf, CancellationToken cancellationToken)
    {
        if (version.Id.Format != PackageVersionId.Maven)
            throw new BackupException(FailureKind.NotSupported, $"{version.Id} is a {version.Id.Format} package, which has no place in a Maven repository.", "Restore the run as files with Restore-BackupRun.");
        var missing = new List<StoredAsset>();
        foreach (var asset in Published(version))
        {
            switch (await files.IsSameAsync(Directory(version.Id) + asset.Name, asset, cancellationToken))
            {
                case null:
                    missing.Add(asset);
                    break;
                case false:
                    throw new BackupException(FailureKind.AlreadyExists, $"{asset.Name} of {version.Id} is in {Name} already, with another content.", "Nothing of it was changed. Restore to another place, or remove that file first.");
                default:
                    break;
            }
        }

        if (missing.Count == 0)
            return Outcome.Unchanged;
        if (whatIf)
            return Outcome.Skipped;
        foreach (var asset in missing.OrderBy(asset => asset.Name.EndsWith(".pom", StringComparison.Ordinal)).ThenBy(asset => asset.Name, StringComparer.Ordinal))
        {
            var path = Directory(version.Id) + asset.Name;
            await files.WriteAsync(path, token => StoredContent.OpenAsync(store, asset, token), cancellationToken);
            foreach (var (name, extension) in Checksums)
            {
                if (asset.Hashes.TryGetValue(name, out var hash))
                    await WriteAsync(path + extension, System.Text.Encoding.ASCII.GetBytes(hash.ToLowerInvariant()), cancellationToken);
            }
        }

        return Outcome.Completed;
    }

    /// <inheritdoc/>
    public Task CheckAsync(PackageVersionId any, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task FinishPackageAsync(IReadOnlyList<RestoredVersion> published, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var builds in published.Where(version => version.Id.SnapshotBuild is not null).GroupBy(version => version.Id.SnapshotVersion!, StringComparer.Ordinal))
        {
            var newest = builds.MaxBy(build => build.Id.SnapshotBuild!.Value);
            await WriteMetadataAsync(Directory(newest!.Id), MavenMetadata.ForSnapshot(newest.Id, builds.Key, newest.Manifest.Assets.Select(asset => asset.Name), now), cancellationToken);
        }

        foreach (var snapshot in published.Where(version => version.Id.SnapshotBuild is null && version.Id.Version.EndsWith("-SNAPSHOT", StringComparison.Ordinal)))
        {
            // Its own metadata is an asset of it, and names its own files.
            if (snapshot.Manifest.Assets.FirstOrDefault(asset => asset.Name == MavenMetadata.FileName) is not { } own)
                continue;
            await using var content = await StoredContent.OpenAsync(store, own, cancellationToken);
            using var buffer = new MemoryStream();
            await content.CopyToAsync(buffer, cancellationToken);
            await WriteMetadataAsync(Directory(snapshot.Id), buffer.ToArray(), cancellationToken);
        }

        var package = published[0].Id;
        var directory = (package with { Version = "" }).Path[..^1];
        var versions = published.Select(version => version.Id.SnapshotVersion ?? version.Id.Version);
        await WriteMetadataAsync(directory, MavenMetadata.ForPackage(package, versions, now, await files.ReadAsync(directory + MavenMetadata.FileName, cancellationToken)), cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();

    private static IEnumerable<StoredAsset> Published(RestoredVersion version) => version.Manifest.Assets.Where(asset => asset.Name != MavenMetadata.FileName);

    // A build's files are in the directory of its snapshot.
    private static string Directory(PackageVersionId id) => (id with { Version = id.SnapshotVersion ?? id.Version }).Path;

    private async Task WriteMetadataAsync(string directory, byte[] xml, CancellationToken cancellationToken)
    {
        using var hashes = new AssetHashes();
        hashes.Append(xml);
        await WriteAsync(directory + MavenMetadata.FileName, xml, cancellationToken);
        foreach (var (name, value) in hashes.Finish())
            await WriteAsync(directory + MavenMetadata.FileName + Checksums.First(checksum => checksum.Name == name).Extension, System.Text.Encoding.ASCII.GetBytes(value), cancellationToken);
    }

    private Task WriteAsync(string path, byte[] bytes, CancellationToken cancellationToken) => files.WriteAsync(path, _ => Task.FromResult<Stream>(new MemoryStream(bytes)), cancellationToken);
}
