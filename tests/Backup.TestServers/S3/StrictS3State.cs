using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3;

/// <summary>What is stored, to look at and to prepare behind the protocol's back.</summary>
public sealed class StrictS3State
{
    private readonly S3Services _services;

    internal StrictS3State(S3Services services) => _services = services;

    public IReadOnlyList<string> Buckets => [.. _services.Store.Buckets.Keys.Order(StringComparer.Ordinal)];

    public void CreateBucket(string name, string? versioning = null, bool objectLock = false) =>
        _services.Store.Buckets[name] = new S3Bucket(name, _services.Clock.Now) { Versioning = versioning, ObjectLock = objectLock };

    /// <summary>The name exists and belongs to another account.</summary>
    public void AddForeignBucket(string name) => _services.Store.Foreign[name] = true;

    /// <summary>Current objects, in listing order.</summary>
    public IReadOnlyList<StoredVersion> Objects(string bucket) => [.. Versions(bucket).Where(v => v is { IsLatest: true, IsDeleteMarker: false })];

    /// <summary>All versions and delete markers, in listing order.</summary>
    public IReadOnlyList<StoredVersion> Versions(string bucket)
    {
        var found = _services.Store.Bucket(bucket);
        lock (found.Gate)
            return [.. found.KeysFrom("").SelectMany(found.VersionsOf, (_, v) => v).Select(v => Describe(v, found))];
    }

    /// <summary>Uploads neither completed nor aborted.</summary>
    public IReadOnlyList<OpenUpload> Uploads(string bucket)
    {
        var found = _services.Store.Bucket(bucket);
        lock (found.Gate)
        {
            return
            [
                .. found.Uploads.Values.Select(u => new OpenUpload(
                    u.Key, u.UploadId, u.Initiated, [.. u.Parts.Keys], new Dictionary<int, int>(u.PartUploads), u.Parts.Values.Sum(p => p.Size))),
            ];
        }
    }

    public async Task<byte[]> ReadAsync(string bucket, string key)
    {
        var content = Find(bucket, key).Content;
        using var bytes = new MemoryStream();
        await content.ReadAsync(0, content.Length, async data => await bytes.WriteAsync(data));
        return bytes.ToArray();
    }

    /// <summary>Bit rot: a stored byte changes, ETag and checksums stay.</summary>
    public void FlipByte(string bucket, string key, long position = 0) => Find(bucket, key).Content.FlipByte(position);

    private ObjectVersion Find(string bucket, string key)
    {
        var found = _services.Store.Bucket(bucket);
        lock (found.Gate)
            return VersionOf(found, key);
    }

    private static ObjectVersion VersionOf(S3Bucket bucket, string key) => Operations.VersionLookup.Find(bucket, key, null, "GET");

    private static StoredVersion Describe(ObjectVersion version, S3Bucket bucket) => new(
        version.Key,
        version.VersionId,
        bucket.Current(version.Key) == version,
        version.IsDeleteMarker,
        version.Content.Length,
        version.ETag,
        version.StorageClass,
        version.LastModified,
        version.Checksum?.Algorithm.Name,
        version.Checksum?.Value,
        version.Checksum?.Type,
        version.Parts.Count,
        version.Headers);
}

/// <summary>A stored version. Headers: content type, x-amz-meta-*, encryption, object lock, names in lower case.</summary>
public sealed record StoredVersion(
    string Key,
    string VersionId,
    bool IsLatest,
    bool IsDeleteMarker,
    long Size,
    string ETag,
    string StorageClass,
    DateTime LastModified,
    string? ChecksumAlgorithm,
    string? Checksum,
    string? ChecksumType,
    int Parts,
    IReadOnlyDictionary<string, string> Headers);

/// <summary>An open upload. PartUploads counts how often each part number was stored.</summary>
public sealed record OpenUpload(
    string Key, string UploadId, DateTime Initiated, IReadOnlyList<int> Parts, IReadOnlyDictionary<int, int> PartUploads, long Bytes);
