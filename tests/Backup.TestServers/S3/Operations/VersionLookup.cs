using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

internal static class VersionLookup
{
    /// <summary>The version a read is about, or the error S3 has for it. Called under the bucket's gate.</summary>
    public static ObjectVersion Find(S3Bucket bucket, string key, string? versionId, string method)
    {
        if (versionId is null)
        {
            var current = bucket.Current(key) ?? throw S3Error.NoSuchKey(key);
            return current.IsDeleteMarker
                ? throw S3Error.NoSuchKey(key).WithHeader("x-amz-delete-marker", "true").WithHeader("x-amz-version-id", current.VersionId)
                : current;
        }

        var version = bucket.VersionsOf(key).FirstOrDefault(v => v.VersionId.Equals(versionId, StringComparison.Ordinal))
            ?? throw S3Error.NoSuchVersion(key, versionId);
        return version.IsDeleteMarker
            ? throw S3Error.MethodNotAllowed(method)
                .WithHeader("x-amz-delete-marker", "true")
                .WithHeader("x-amz-version-id", version.VersionId)
                .WithHeader("Allow", "DELETE")
                .WithHeader("Last-Modified", version.LastModified.ToString("r"))
            : version;
    }

    public static ObjectVersion Find(S3Call call, S3Bucket bucket)
    {
        lock (bucket.Gate)
            return Find(bucket, call.Key, call.Request.VersionId, call.Request.Method);
    }
}
