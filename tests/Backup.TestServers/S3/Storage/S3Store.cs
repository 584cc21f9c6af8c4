using System.Collections.Concurrent;

namespace Backup.TestServers.S3.Storage;

/// <summary>All buckets, and the names others own.</summary>
internal sealed class S3Store(string dataDirectory)
{
    public string DataDirectory { get; } = dataDirectory;

    public ConcurrentDictionary<string, S3Bucket> Buckets { get; } = new(StringComparer.Ordinal);

    /// <summary>Buckets of other accounts: they exist, and everything about them is denied.</summary>
    public ConcurrentDictionary<string, bool> Foreign { get; } = new(StringComparer.Ordinal);

    public S3Bucket Bucket(string name)
    {
        if (Buckets.TryGetValue(name, out var bucket))
            return bucket;
        throw Foreign.ContainsKey(name) ? S3Error.AccessDenied() : S3Error.NoSuchBucket(name);
    }
}
