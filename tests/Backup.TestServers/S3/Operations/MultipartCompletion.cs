using System.Globalization;
using System.Xml.Linq;
using Backup.TestServers.S3.Body;
using Backup.TestServers.S3.Checksums;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>CompleteMultipartUpload: every claim about parts, size and checksum is held against what was stored.</summary>
internal static class MultipartCompletion
{
    public static async Task CompleteMultipartUpload(S3Call call)
    {
        var bucket = call.Bucket();
        var upload = MultipartOperations.Find(call, bucket);

        // A checksum header here is the finished object's, not this document's: it must not be verified as such.
        var claimed = TakeClaim(call, upload);
        var (root, _, _) = await call.ReceiveXmlAsync("CompleteMultipartUpload");
        List<UploadedPart> parts;
        lock (bucket.Gate)
            parts = Choose(call, upload, root.Children("Part").ToList());
        CheckSize(call, parts);
        var checksum = await ChecksumAsync(call, upload, parts);
        CheckClaim(call, upload, claimed, checksum);
        ObjectVersion version;
        lock (bucket.Gate)
        {
            MultipartOperations.FindUnderGate(call, bucket);
            Preconditions.CheckWrite(call, bucket);
            version = Build(call, upload, parts, checksum ?? (call.Services.Options.Sink || call.Services.Options.EchoChecksumsUnverified ? claimed : null));
            bucket.Uploads.Remove(upload.UploadId);
            bucket.Put(version);
            foreach (var part in upload.Parts.Values)
                part.Content.Release();
        }

        call.SetVersion(bucket, version.VersionId);
        ObjectHeaders.GiveEncryption(call, upload.Headers);
        var xml = S3Xml.Root("CompleteMultipartUploadResult")
            .Add("Location", $"{call.Request.Http.Request.Scheme}://{call.Request.Http.Request.Host}{call.Request.RawPath}")
            .Add("Bucket", bucket.Name)
            .Add("Key", upload.Key)
            .Add("ETag", call.ETag(version.ETag));
        if (version.Checksum is { } stored)
            xml.Add(stored.Algorithm.Element, call.Checksum(stored.Value)).Add("ChecksumType", stored.Type);
        await call.RespondAsync(xml);
    }

    private static StoredChecksum? TakeClaim(S3Call call, MultipartUpload upload)
    {
        if (call.Services.Options.IgnoreChecksums)
            return null;
        var type = call.Request.Header("x-amz-checksum-type");
        if (type is not null && call.Services.Options.VerifyChecksums && !type.Equals(upload.ChecksumType, StringComparison.Ordinal))
        {
            throw S3Error.InvalidRequest(
                $"The upload was created using the {upload.ChecksumType} checksum mode. The complete request must use the same checksum mode.");
        }

        StoredChecksum? claim = null;
        foreach (var algorithm in ChecksumAlgorithm.All)
        {
            if (call.Request.Header(algorithm.Header) is not { } value)
                continue;
            if (claim is not null)
                throw S3Error.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
            if (!algorithm.IsWellFormed(value.Split('-')[0]))
                throw S3Error.InvalidRequest($"Value for {algorithm.Header} header is invalid.");
            claim = new StoredChecksum(algorithm, value, type ?? upload.ChecksumType);
            call.Request.Http.Request.Headers.Remove(algorithm.Header);
        }

        return claim;
    }

    private static List<UploadedPart> Choose(S3Call call, MultipartUpload upload, List<XElement> listed)
    {
        if (listed.Count is 0 or > 10000)
            throw S3Error.MalformedXml();
        var chosen = new List<UploadedPart>(listed.Count);
        foreach (var element in listed)
        {
            if (!int.TryParse(element.Child("PartNumber")?.Value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                throw S3Error.MalformedXml();
            if (chosen is [.., var before] && number <= before.Number)
                throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.");
            var etag = (element.Child("ETag")?.Value ?? throw S3Error.MalformedXml()).Trim().Trim('"');
            if (!upload.Parts.TryGetValue(number, out var part) || !part.ETag.Equals(etag, StringComparison.OrdinalIgnoreCase))
                throw InvalidPart(upload, number, etag);
            CheckPartChecksum(call, upload, element, part);
            chosen.Add(part);
        }

        var minimum = call.Services.Options.MinimumPartSize;
        if (chosen.Take(chosen.Count - 1).FirstOrDefault(p => p.Size < minimum) is { } small)
        {
            throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
                .With("ProposedSize", small.Size.ToString())
                .With("MinSizeAllowed", minimum.ToString())
                .With("PartNumber", small.Number.ToString())
                .With("ETag", small.ETag);
        }

        return chosen;
    }

    private static void CheckPartChecksum(S3Call call, MultipartUpload upload, XElement element, UploadedPart part)
    {
        if (!call.Services.Options.VerifyChecksums || upload.Algorithm is not { } algorithm)
            return;
        var given = ChecksumAlgorithm.All.FirstOrDefault(a => element.Child(a.Element) is not null);
        if (given is not null && given != algorithm && upload.AlgorithmWasAsked)
            throw InvalidPart(upload, part.Number, part.ETag);
        if (given == algorithm && !element.Child(algorithm.Element)!.Value.Trim().Equals(part.Checksum, StringComparison.Ordinal))
            throw InvalidPart(upload, part.Number, part.ETag);
        if (given is null && upload is { AlgorithmWasAsked: true, ChecksumType: "COMPOSITE" })
        {
            throw S3Error.InvalidRequest(
                $"The upload was created using a {algorithm.Name.ToLowerInvariant()} checksum. The complete request must include the checksum for each part. It was missing for part {part.Number} in the request.");
        }
    }

    private static S3Error InvalidPart(MultipartUpload upload, int number, string etag) => new S3Error(
        400,
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
        .With("UploadId", upload.UploadId)
        .With("PartNumber", number.ToString())
        .With("ETag", etag);

    private static void CheckSize(S3Call call, List<UploadedPart> parts)
    {
        if (call.Request.Header("x-amz-mp-object-size") is not { } size || call.Services.Options.Sink)
            return;
        if (!long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var expected) || expected != parts.Sum(p => p.Size))
            throw S3Error.InvalidRequest("The provided 'x-amz-mp-object-size' header value does not match what was computed.");
    }

    /// <summary>Computed from the stored bytes, not combined from what clients said about the parts.</summary>
    private static async Task<StoredChecksum?> ChecksumAsync(S3Call call, MultipartUpload upload, List<UploadedPart> parts)
    {
        if (upload.Algorithm is not { } algorithm || !call.Services.Options.VerifyChecksums)
            return null;
        if (upload.ChecksumType is "COMPOSITE")
            return new StoredChecksum(algorithm, algorithm.Compose([.. parts.Select(p => p.Checksum!)]), "COMPOSITE");
        using var checksum = algorithm.Create();
        foreach (var part in parts)
        {
            await part.Content.ReadAsync(0, part.Size, data =>
            {
                checksum.Append(data.Span);
                return ValueTask.CompletedTask;
            });
        }

        return new StoredChecksum(algorithm, Convert.ToBase64String(checksum.Finish()), "FULL_OBJECT");
    }

    private static void CheckClaim(S3Call call, MultipartUpload upload, StoredChecksum? claimed, StoredChecksum? computed)
    {
        if (claimed is null || computed is null || !call.Services.Options.VerifyChecksums)
            return;
        if (claimed.Algorithm != computed.Algorithm)
        {
            throw S3Error.InvalidRequest(
                $"Checksum Type mismatch occurred, expected checksum Type: {upload.Algorithm!.Name.ToLowerInvariant()}, actual checksum Type: {claimed.Algorithm.Name.ToLowerInvariant()}");
        }

        // A composite may be sent with its -N or without.
        if (!claimed.Value.Equals(computed.Value, StringComparison.Ordinal) && !claimed.Value.Equals(computed.Value.Split('-')[0], StringComparison.Ordinal))
            throw S3Error.BadDigest($"The {claimed.Algorithm.Name} you specified did not match the calculated checksum.");
    }

    private static ObjectVersion Build(S3Call call, MultipartUpload upload, List<UploadedPart> parts, StoredChecksum? checksum)
    {
        using var md5 = Checksum.Of(System.Security.Cryptography.HashAlgorithmName.MD5);
        foreach (var part in parts)
            md5.Append(Convert.FromHexString(part.ETag));
        return new ObjectVersion
        {
            Key = upload.Key,
            LastModified = call.Services.Clock.StorageNow,
            Content = Blob.Concatenate(parts.Select(p => p.Content)),
            ETag = $"{ObjectHeaders.ETagOf(Convert.ToHexStringLower(md5.Finish()), upload.Headers)}-{parts.Count}",
            StorageClass = upload.StorageClass,
            Checksum = checksum,
            Parts = parts,
            Headers = upload.Headers,
            Tags = upload.Tags,
        };
    }
}
