using Backup.TestServers.S3.Auth;
using Backup.TestServers.S3.Checksums;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>PutObject and CopyObject.</summary>
internal static class ObjectWrites
{
    public static async Task PutObject(S3Call call)
    {
        var bucket = call.Bucket();
        ObjectHeaders.CheckKey(call.Key);
        var storageClass = StorageClasses.Check(call.Request.Header("x-amz-storage-class"));
        var headers = ObjectHeaders.Of(call.Request, bucket);
        lock (bucket.Gate)
            Preconditions.CheckWrite(call, bucket);
        var body = await call.ReceiveAsync();
        if (headers.ContainsKey(ObjectHeaders.LockMode) || headers.ContainsKey(ObjectHeaders.LegalHold))
            BucketDocuments.RequireDigest(call, body);
        var version = new ObjectVersion
        {
            Key = call.Key,
            LastModified = call.Services.Clock.StorageNow,
            Content = body.Content,
            ETag = ObjectHeaders.ETagOf(body.ETag, headers),
            StorageClass = storageClass,
            Checksum = body.AsObjectChecksum(),
            Headers = headers,
            Tags = ObjectHeaders.Tags(call.Request.Header("x-amz-tagging")),
        };
        lock (bucket.Gate)
        {
            // Again: another writer may have come first while the body was read.
            Preconditions.CheckWrite(call, bucket);
            bucket.Put(version);
        }

        call.SetHeader("ETag", call.ETag(version.ETag));
        call.SetVersion(bucket, version.VersionId);
        call.SetChecksum(version.Checksum);
        ObjectHeaders.GiveEncryption(call, headers);
        await call.RespondAsync(200);
    }

    public static async Task CopyObject(S3Call call)
    {
        var bucket = call.Bucket();
        ObjectHeaders.CheckKey(call.Key);
        await call.ReceiveAsync();
        var source = Source(call);
        var replace = call.Request.Header("x-amz-metadata-directive") is "REPLACE";
        var storageClass = StorageClasses.Check(call.Request.Header("x-amz-storage-class"));
        ObjectVersion original;
        Blob content;
        lock (source.Bucket.Gate)
        {
            original = VersionLookup.Find(source.Bucket, source.Key, source.VersionId, "GET");
            if (!RestoreOperations.IsReadable(original, call.Services.Clock.StorageNow))
                throw new S3Error(403, "ObjectNotInActiveTierError", "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.");
            CheckSource(call, original);
            if (source.Bucket == bucket && source.Key.Equals(call.Key, StringComparison.Ordinal) && source.VersionId is null && !replace
                && call.Request.Header("x-amz-storage-class") is null && call.Request.Header(ObjectHeaders.Encryption) is null)
            {
                throw S3Error.InvalidRequest(
                    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.");
            }

            content = original.Content.Copy();
        }

        var headers = replace ? ObjectHeaders.Of(call.Request, bucket) : new Dictionary<string, string>(original.Headers, StringComparer.Ordinal);
        foreach (var name in (string[])[ObjectHeaders.LockMode, ObjectHeaders.LockUntil, ObjectHeaders.LegalHold])
        {
            headers.Remove(name);
            if (call.Request.Header(name) is { } value)
                headers[name] = value;
        }

        var (md5, checksum) = await DigestAsync(call, original, content);
        var copy = new ObjectVersion
        {
            Key = call.Key,
            LastModified = call.Services.Clock.StorageNow,
            Content = content,
            ETag = md5,
            StorageClass = storageClass,
            Checksum = checksum,
            Headers = headers,
            Tags = call.Request.Header("x-amz-tagging-directive") is "REPLACE" ? ObjectHeaders.Tags(call.Request.Header("x-amz-tagging")) : original.Tags,
        };
        lock (bucket.Gate)
        {
            Preconditions.CheckWrite(call, bucket);
            bucket.Put(copy);
        }

        if (source.Bucket.Versioning is not null)
            call.SetHeader("x-amz-copy-source-version-id", original.VersionId);
        call.SetVersion(bucket, copy.VersionId);
        ObjectHeaders.GiveEncryption(call, headers);
        var xml = S3Xml.Root("CopyObjectResult").Add("LastModified", copy.LastModified).Add("ETag", call.ETag(copy.ETag));
        if (checksum is not null)
            xml.Add("ChecksumType", checksum.Type).Add(checksum.Algorithm.Element, call.Checksum(checksum.Value));
        await call.RespondAsync(xml);
    }

    /// <summary>bucket/key?versionId=…, with or without a slash before it, percent-encoded.</summary>
    public static (S3Bucket Bucket, string Key, string? VersionId) Source(S3Call call)
    {
        var text = call.Request.Header("x-amz-copy-source")!.TrimStart('/');
        string? versionId = null;
        var mark = text.IndexOf("?versionId=", StringComparison.Ordinal);
        if (mark >= 0)
            (text, versionId) = (text[..mark], text[(mark + "?versionId=".Length)..]);
        var path = System.Text.Encoding.UTF8.GetString(UriText.Decode(text, plusIsSpace: false));
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash < 1 || slash == path.Length - 1)
            throw S3Error.InvalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", text);
        return (call.Services.Store.Bucket(path[..slash]), path[(slash + 1)..], versionId);
    }

    public static void CheckSource(S3Call call, ObjectVersion original)
    {
        if (call.Request.Header("x-amz-copy-source-if-match") is { } match && !Preconditions.Matches(match, original))
            throw S3Error.PreconditionFailed("x-amz-copy-source-If-Match");
        if (call.Request.Header("x-amz-copy-source-if-none-match") is { } none && Preconditions.Matches(none, original))
            throw S3Error.PreconditionFailed("x-amz-copy-source-If-None-Match");
    }

    /// <summary>A copy is one piece, whatever its source was made of: its digests are computed anew.</summary>
    private static async Task<(string Md5, StoredChecksum? Checksum)> DigestAsync(S3Call call, ObjectVersion original, Blob content)
    {
        var asked = call.Request.Header("x-amz-checksum-algorithm");
        var algorithm = (asked is null ? null : ChecksumAlgorithm.Find(asked)) ?? original.Checksum?.Algorithm ?? ChecksumAlgorithm.Crc64Nvme;
        using var md5 = Checksum.Of(System.Security.Cryptography.HashAlgorithmName.MD5);
        using var checksum = algorithm.Create();
        await content.ReadAsync(0, content.Length, data =>
        {
            md5.Append(data.Span);
            checksum.Append(data.Span);
            return ValueTask.CompletedTask;
        });
        var stored = call.Services.Options.VerifyChecksums ? new StoredChecksum(algorithm, Convert.ToBase64String(checksum.Finish()), "FULL_OBJECT") : null;
        return (Convert.ToHexStringLower(md5.Finish()), stored);
    }
}
