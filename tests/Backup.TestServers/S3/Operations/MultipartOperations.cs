using Backup.TestServers.S3.Checksums;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>CreateMultipartUpload, UploadPart, AbortMultipartUpload. Completion has a file of its own.</summary>
internal static class MultipartOperations
{
    private const int HighestPart = 10000;

    public static async Task CreateMultipartUpload(S3Call call)
    {
        var bucket = call.Bucket();
        ObjectHeaders.CheckKey(call.Key);
        var headers = ObjectHeaders.Of(call.Request, bucket);
        var storageClass = StorageClasses.Check(call.Request.Header("x-amz-storage-class"));
        await call.ReceiveAsync();
        var (algorithm, type, asked) = Checksum(call);
        var upload = new MultipartUpload
        {
            UploadId = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray()) + Convert.ToHexStringLower(Guid.NewGuid().ToByteArray()),
            Key = call.Key,
            Initiated = call.Services.Clock.StorageNow,
            StorageClass = storageClass,
            Headers = headers,
            Tags = ObjectHeaders.Tags(call.Request.Header("x-amz-tagging")),
            Algorithm = algorithm,
            ChecksumType = type,
            AlgorithmWasAsked = asked,
        };
        lock (bucket.Gate)
            bucket.Uploads.Add(upload.UploadId, upload);
        if (asked)
        {
            call.SetHeader("x-amz-checksum-algorithm", algorithm?.Name);
            call.SetHeader("x-amz-checksum-type", type);
        }

        ObjectHeaders.GiveEncryption(call, headers);
        await call.RespondAsync(S3Xml.Root("InitiateMultipartUploadResult").Add("Bucket", bucket.Name).Add("Key", call.Key).Add("UploadId", upload.UploadId));
    }

    public static async Task UploadPart(S3Call call)
    {
        var (bucket, number) = (call.Bucket(), PartNumber(call));
        var upload = Find(call, bucket);
        var body = await call.ReceiveAsync(upload.Algorithm);
        CheckAlgorithm(call, upload, body.Claimed?.Algorithm);
        var checksum = upload.Algorithm is null ? null : body.ChecksumOf(upload.Algorithm);
        Store(call, bucket, new UploadedPart(
            number, body.Length, body.ETag, checksum, body.Claimed is not null, call.Services.Clock.StorageNow, body.Content));
        call.SetHeader("ETag", call.ETag(body.ETag));
        var echoed = body.Claimed?.Algorithm ?? upload.Algorithm;
        if (echoed is not null)
            call.SetHeader(echoed.Header, call.Checksum(body.ChecksumOf(echoed)));
        ObjectHeaders.GiveEncryption(call, upload.Headers);
        await call.RespondAsync(200);
    }

    public static async Task UploadPartCopy(S3Call call)
    {
        var (bucket, number) = (call.Bucket(), PartNumber(call));
        var upload = Find(call, bucket);
        await call.ReceiveAsync();
        var source = ObjectWrites.Source(call);
        Blob content;
        lock (source.Bucket.Gate)
        {
            var original = VersionLookup.Find(source.Bucket, source.Key, source.VersionId, "GET");
            if (!RestoreOperations.IsReadable(original, call.Services.Clock.StorageNow))
                throw new S3Error(403, "ObjectNotInActiveTierError", "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.");
            ObjectWrites.CheckSource(call, original);
            content = original.Content.Copy();
        }

        var (offset, length) = CopyRange(call, content.Length);
        await using var writer = new BlobWriter(call.Services.Store.DataDirectory);
        using var md5 = Checksums.Checksum.Of(System.Security.Cryptography.HashAlgorithmName.MD5);
        using var checksum = upload.Algorithm?.Create();
        await content.ReadAsync(offset, length, async data =>
        {
            md5.Append(data.Span);
            checksum?.Append(data.Span);
            await writer.WriteAsync(data);
        });
        content.Release();
        var etag = Convert.ToHexStringLower(md5.Finish());
        var value = checksum is null ? null : Convert.ToBase64String(checksum.Finish());
        var now = call.Services.Clock.StorageNow;
        Store(call, bucket, new UploadedPart(number, length, etag, value, ChecksumWasSent: true, now, await writer.FinishAsync()));
        var xml = S3Xml.Root("CopyPartResult").Add("LastModified", now).Add("ETag", call.ETag(etag));
        if (value is not null)
            xml.Add(upload.Algorithm!.Element, call.Checksum(value));
        await call.RespondAsync(xml);
    }

    public static Task AbortMultipartUpload(S3Call call)
    {
        var bucket = call.Bucket();
        lock (bucket.Gate)
        {
            var upload = FindUnderGate(call, bucket);
            bucket.Uploads.Remove(upload.UploadId);
            foreach (var part in upload.Parts.Values)
                part.Content.Release();
        }

        return call.RespondAsync(204);
    }

    public static MultipartUpload Find(S3Call call, S3Bucket bucket)
    {
        lock (bucket.Gate)
            return FindUnderGate(call, bucket);
    }

    public static MultipartUpload FindUnderGate(S3Call call, S3Bucket bucket) =>
        bucket.Uploads.TryGetValue(call.Request.UploadId!, out var upload) && upload.Key.Equals(call.Key, StringComparison.Ordinal)
            ? upload
            : throw S3Error.NoSuchUpload(call.Request.UploadId!);

    private static int PartNumber(S3Call call) => call.Request.PartNumber is { } number and >= 1 and <= HighestPart
        ? number
        : throw S3Error.InvalidArgument(
            "Part number must be an integer between 1 and 10000, inclusive", "partNumber", call.Request.Query.GetValueOrDefault("partNumber", ""));

    private static void Store(S3Call call, S3Bucket bucket, UploadedPart part)
    {
        lock (bucket.Gate)
        {
            // Aborted or completed while the part was on its way: the part is lost, as on S3.
            var upload = FindUnderGate(call, bucket);
            if (upload.Parts.TryGetValue(part.Number, out var replaced))
                replaced.Content.Release();
            upload.Parts[part.Number] = part;
            upload.PartUploads[part.Number] = upload.PartUploads.GetValueOrDefault(part.Number) + 1;
        }
    }

    private static void CheckAlgorithm(S3Call call, MultipartUpload upload, ChecksumAlgorithm? given)
    {
        if (!upload.AlgorithmWasAsked || !call.Services.Options.VerifyChecksums || given == upload.Algorithm)
            return;
        if (given is null && upload.ChecksumType is "FULL_OBJECT")
            return;
        throw S3Error.InvalidRequest(
            $"Checksum Type mismatch occurred, expected checksum Type: {upload.Algorithm!.Name.ToLowerInvariant()}, actual checksum Type: {given?.Name.ToLowerInvariant() ?? "null"}");
    }

    private static (ChecksumAlgorithm? Algorithm, string Type, bool Asked) Checksum(S3Call call)
    {
        if (call.Services.Options.IgnoreChecksums)
            return (null, "FULL_OBJECT", false);
        var name = call.Request.Header("x-amz-checksum-algorithm");
        var type = call.Request.Header("x-amz-checksum-type");
        if (name is null)
        {
            return type is null
                ? (ChecksumAlgorithm.Crc64Nvme, "FULL_OBJECT", false)
                : throw S3Error.InvalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
        }

        var algorithm = ChecksumAlgorithm.Find(name)
            ?? throw S3Error.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
        type ??= algorithm.DefaultType;
        if (type is not ("FULL_OBJECT" or "COMPOSITE"))
            throw S3Error.InvalidRequest("Value for x-amz-checksum-type header is invalid.");
        if (type is "FULL_OBJECT" ? !algorithm.FullObject : !algorithm.Composite)
            throw S3Error.InvalidRequest($"The {type} checksum type cannot be used with the {algorithm.Name.ToLowerInvariant()} checksum algorithm.");
        return (algorithm, type, true);
    }

    private static (long Offset, long Length) CopyRange(S3Call call, long size)
    {
        if (call.Request.Header("x-amz-copy-source-range") is not { } header)
            return (0, size);
        var ends = header.Replace("bytes=", "", StringComparison.Ordinal).Split('-');
        if (ends.Length is 2 && long.TryParse(ends[0], out var first) && long.TryParse(ends[1], out var last) && first <= last && last < size)
            return (first, last - first + 1);
        throw S3Error.InvalidArgument("Range specified is not valid for source object", "x-amz-copy-source-range", header);
    }
}
