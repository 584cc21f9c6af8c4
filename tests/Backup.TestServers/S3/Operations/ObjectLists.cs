using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>ListObjectsV2, ListObjects and ListObjectVersions.</summary>
internal static class ObjectLists
{
    private const int MostKeys = 1000;

    /// <summary>The key that sorts right behind another.</summary>
    private const string Next = "\0";

    public static Task ListObjectsV2(S3Call call)
    {
        var query = call.Request.Query;
        var token = query.GetValueOrDefault("continuation-token");
        var startAfter = query.GetValueOrDefault("start-after");
        var marker = token is null ? startAfter : KeyEncoding.FromToken(token);
        var (page, max, prefix, delimiter, encoding) = Objects(call, marker);
        var xml = Head("ListBucketResult", call, prefix, delimiter, max, encoding, page.IsTruncated)
            .Add("KeyCount", page.Count)
            .Add("ContinuationToken", token)
            .Add("NextContinuationToken", page.IsTruncated ? KeyEncoding.Token(page.Last) : null)
            .Add("StartAfter", encoding.Encode(startAfter));
        AddObjects(call, xml, page, encoding, withOwner: query.GetValueOrDefault("fetch-owner") is "true");
        return call.RespondAsync(xml);
    }

    public static Task ListObjects(S3Call call)
    {
        var marker = call.Request.Query.GetValueOrDefault("marker");
        var (page, max, prefix, delimiter, encoding) = Objects(call, marker);
        var xml = Head("ListBucketResult", call, prefix, delimiter, max, encoding, page.IsTruncated).Add("Marker", encoding.Encode(marker ?? ""));
        if (page.IsTruncated && delimiter is not null)
            xml.Add("NextMarker", encoding.Encode(page.Last));
        AddObjects(call, xml, page, encoding, withOwner: true);
        return call.RespondAsync(xml);
    }

    public static Task ListObjectVersions(S3Call call)
    {
        var bucket = call.Bucket();
        var query = call.Request.Query;
        var (keyMarker, idMarker) = (query.GetValueOrDefault("key-marker"), query.GetValueOrDefault("version-id-marker"));
        var (prefix, delimiter) = (query.GetValueOrDefault("prefix", ""), Delimiter(call));
        var encoding = new KeyEncoding(call.Request);
        var max = call.QueryNumber("max-keys", MostKeys);
        if (idMarker is { Length: > 0 } && string.IsNullOrEmpty(keyMarker))
            throw S3Error.InvalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", idMarker);
        Page<(ObjectVersion Version, bool IsLatest)> page;
        lock (bucket.Gate)
        {
            var start = string.IsNullOrEmpty(keyMarker) ? "" : string.IsNullOrEmpty(idMarker) ? keyMarker + Next : keyMarker;
            page = Page<(ObjectVersion, bool)>.Take(bucket, start, keyMarker, prefix, delimiter, max, key =>
            {
                var versions = bucket.VersionsOf(key);
                var skip = idMarker is { Length: > 0 } && key.Equals(keyMarker, StringComparison.Ordinal)
                    ? versions.ToList().FindIndex(v => v.VersionId.Equals(idMarker, StringComparison.Ordinal)) + 1
                    : 0;
                return versions.Select((v, i) => (v, i is 0)).Skip(skip);
            });
        }

        var xml = Head("ListVersionsResult", call, prefix, delimiter, max, encoding, page.IsTruncated)
            .Add("KeyMarker", encoding.Encode(keyMarker ?? ""))
            .Add("VersionIdMarker", idMarker ?? "");
        if (page.IsTruncated)
        {
            var endsWithPrefix = page.CommonPrefixes is [.., var prefixes] && prefixes.Equals(page.Last, StringComparison.Ordinal);
            xml.Add("NextKeyMarker", encoding.Encode(page.Last)).Add("NextVersionIdMarker", endsWithPrefix ? null : page.Entries[^1].Version.VersionId);
        }

        foreach (var (version, isLatest) in page.Entries)
        {
            xml.Open(version.IsDeleteMarker ? "DeleteMarker" : "Version")
                .Add("Key", encoding.Encode(version.Key))
                .Add("VersionId", version.VersionId)
                .Add("IsLatest", isLatest)
                .Add("LastModified", version.LastModified);
            if (!version.IsDeleteMarker)
                AddContent(call, xml, version);
            AddOwner(call, xml).Close();
        }

        AddPrefixes(xml, page.CommonPrefixes, encoding);
        return call.RespondAsync(xml);
    }

    private static (Page<ObjectVersion> Page, int Max, string Prefix, string? Delimiter, KeyEncoding Encoding) Objects(S3Call call, string? marker)
    {
        var bucket = call.Bucket();
        var encoding = new KeyEncoding(call.Request);
        var (prefix, delimiter) = (call.Request.Query.GetValueOrDefault("prefix", ""), Delimiter(call));
        var max = call.QueryNumber("max-keys", MostKeys);
        lock (bucket.Gate)
        {
            var start = string.IsNullOrEmpty(marker) ? "" : marker + Next;
            var page = Page<ObjectVersion>.Take(bucket, start, marker, prefix, delimiter, max, key => bucket.Current(key) is { IsDeleteMarker: false } v ? [v] : []);
            return (page, max, prefix, delimiter, encoding);
        }
    }

    private static string? Delimiter(S3Call call) => call.Request.Query.GetValueOrDefault("delimiter") is { Length: > 0 } delimiter ? delimiter : null;

    private static S3Xml Head(string root, S3Call call, string prefix, string? delimiter, int max, KeyEncoding encoding, bool truncated) => S3Xml.Root(root)
        .Add("Name", call.Request.Bucket)
        .Add("Prefix", encoding.Encode(prefix))
        .Add("Delimiter", encoding.Encode(delimiter))
        .Add("MaxKeys", max)
        .Add("EncodingType", encoding.Name)
        .Add("IsTruncated", truncated);

    private static void AddObjects(S3Call call, S3Xml xml, Page<ObjectVersion> page, KeyEncoding encoding, bool withOwner)
    {
        var withRestore = call.Request.Header("x-amz-optional-object-attributes") is "RestoreStatus";
        foreach (var version in page.Entries)
        {
            xml.Open("Contents").Add("Key", encoding.Encode(version.Key)).Add("LastModified", version.LastModified);
            AddContent(call, xml, version);
            if (withOwner)
                AddOwner(call, xml);
            if (withRestore)
                AddRestore(xml, version, call.Services.Clock.StorageNow);
            xml.Close();
        }

        AddPrefixes(xml, page.CommonPrefixes, encoding);
    }

    private static void AddContent(S3Call call, S3Xml xml, ObjectVersion version) => xml
        .Add("ETag", call.ETag(version.ETag))
        .Add("ChecksumAlgorithm", version.Checksum?.Algorithm.Name)
        .Add("ChecksumType", version.Checksum?.Type)
        .Add("Size", version.Content.Length)
        .Add("StorageClass", version.StorageClass);

    private static S3Xml AddOwner(S3Call call, S3Xml xml) => xml.Open("Owner").Add("ID", call.Services.Options.AccountId).Close();

    private static void AddRestore(S3Xml xml, ObjectVersion version, DateTime now)
    {
        if (RestoreOperations.Header(version, now) is null)
            return;
        var copy = RestoreOperations.Copy(version, now);
        xml.Open("RestoreStatus").Add("IsRestoreInProgress", copy is null);
        if (copy is not null)
            xml.Add("RestoreExpiryDate", copy.Expires);
        xml.Close();
    }

    private static void AddPrefixes(S3Xml xml, List<string> prefixes, KeyEncoding encoding)
    {
        foreach (var prefix in prefixes)
            xml.Open("CommonPrefixes").Add("Prefix", encoding.Encode(prefix)).Close();
    }
}
