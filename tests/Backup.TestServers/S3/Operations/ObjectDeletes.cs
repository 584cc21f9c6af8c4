using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>DeleteObject and DeleteObjects.</summary>
internal static class ObjectDeletes
{
    private const int LargestBatch = 1000;

    public static Task DeleteObject(S3Call call)
    {
        var bucket = call.Bucket();
        Deleted deleted;
        lock (bucket.Gate)
        {
            if (call.Request.Header("if-match") is { } match && bucket.Current(call.Key) is { } current && !Preconditions.Matches(match, current))
                throw S3Error.PreconditionFailed("If-Match");
            deleted = Delete(call, bucket, call.Key, call.Request.VersionId);
        }

        if (deleted.IsMarker)
            call.SetHeader("x-amz-delete-marker", "true");
        call.SetHeader("x-amz-version-id", deleted.VersionId);
        return call.RespondAsync(204);
    }

    public static async Task DeleteObjects(S3Call call)
    {
        var bucket = call.Bucket();
        var (root, _, body) = await call.ReceiveXmlAsync("Delete");
        BucketDocuments.RequireDigest(call, body);
        var objects = root.Children("Object").ToList();
        if (objects.Count is 0 or > LargestBatch)
            throw S3Error.MalformedXml();
        var quiet = root.Child("Quiet")?.Value.Trim() is "true";
        var xml = S3Xml.Root("DeleteResult");
        foreach (var item in objects)
        {
            var key = item.Child("Key")?.Value ?? throw S3Error.MalformedXml();
            var versionId = item.Child("VersionId")?.Value;
            try
            {
                Deleted deleted;
                lock (bucket.Gate)
                    deleted = Delete(call, bucket, key, versionId);
                if (quiet)
                    continue;
                xml.Open("Deleted").Add("Key", key).Add("VersionId", versionId);
                if (deleted.IsMarker)
                    xml.Add("DeleteMarker", value: true).Add("DeleteMarkerVersionId", deleted.VersionId);
                xml.Close();
            }
            catch (S3Error error)
            {
                xml.Open("Error").Add("Key", key).Add("VersionId", versionId).Add("Code", error.Code).Add("Message", error.Message).Close();
            }
        }

        await call.RespondAsync(xml);
    }

    private static Deleted Delete(S3Call call, S3Bucket bucket, string key, string? versionId)
    {
        ObjectHeaders.CheckKey(key);
        if (versionId is not null)
        {
            var version = bucket.VersionsOf(key).FirstOrDefault(v => v.VersionId.Equals(versionId, StringComparison.Ordinal));
            if (version is not null)
            {
                if (ObjectHeaders.IsLocked(version, call.Services.Clock.StorageNow))
                    throw S3Error.AccessDenied("Access Denied because object protected by object lock.");
                bucket.Remove(version);
            }

            return new Deleted(versionId, version?.IsDeleteMarker ?? false);
        }

        if (bucket.Versioning is null)
        {
            if (bucket.Current(key) is { } current)
                bucket.Remove(current);
            return new Deleted(null, IsMarker: false);
        }

        var marker = new ObjectVersion { Key = key, IsDeleteMarker = true, LastModified = call.Services.Clock.StorageNow };
        bucket.Put(marker);
        return new Deleted(marker.VersionId, IsMarker: true);
    }

    private sealed record Deleted(string? VersionId, bool IsMarker);
}
