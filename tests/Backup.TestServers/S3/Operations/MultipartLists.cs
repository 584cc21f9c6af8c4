using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>ListParts and ListMultipartUploads.</summary>
internal static class MultipartLists
{
    private const int Most = 1000;

    public static Task ListParts(S3Call call)
    {
        var bucket = call.Bucket();
        var (max, marker) = (call.QueryNumber("max-parts", Most), call.QueryNumber("part-number-marker", int.MaxValue));
        if (marker is int.MaxValue)
            marker = 0;
        List<UploadedPart> parts;
        MultipartUpload upload;
        lock (bucket.Gate)
        {
            upload = MultipartOperations.FindUnderGate(call, bucket);
            parts = [.. upload.Parts.Values.Where(p => p.Number > marker).Take(max + 1)];
        }

        var truncated = parts.Count > max;
        parts = [.. parts.Take(max)];
        var xml = S3Xml.Root("ListPartsResult")
            .Add("Bucket", bucket.Name)
            .Add("Key", upload.Key)
            .Add("UploadId", upload.UploadId);
        AddOwners(call, xml)
            .Add("StorageClass", upload.StorageClass)
            .Add("PartNumberMarker", marker)
            .Add("NextPartNumberMarker", parts is [.., var last] ? last.Number : 0)
            .Add("MaxParts", max)
            .Add("IsTruncated", truncated)
            .Add("ChecksumAlgorithm", upload.Algorithm?.Name)
            .Add("ChecksumType", upload.Algorithm is null ? null : upload.ChecksumType);
        foreach (var part in parts)
        {
            xml.Open("Part").Add("PartNumber", part.Number).Add("LastModified", part.LastModified).Add("ETag", call.ETag(part.ETag)).Add("Size", part.Size);
            if (upload.Algorithm is { } algorithm)
                xml.Add(algorithm.Element, call.Checksum(part.Checksum));
            xml.Close();
        }

        return call.RespondAsync(xml);
    }

    public static Task ListMultipartUploads(S3Call call)
    {
        var bucket = call.Bucket();
        var query = call.Request.Query;
        var encoding = new KeyEncoding(call.Request);
        var (prefix, keyMarker, idMarker) = (query.GetValueOrDefault("prefix", ""), query.GetValueOrDefault("key-marker", ""), query.GetValueOrDefault("upload-id-marker", ""));
        var max = call.QueryNumber("max-uploads", Most);
        List<MultipartUpload> uploads;
        lock (bucket.Gate)
        {
            uploads =
            [
                .. bucket.Uploads.Values
                    .Where(u => u.Key.StartsWith(prefix, StringComparison.Ordinal) && IsBehind(u, keyMarker, idMarker))
                    .OrderBy(u => u.Key, Utf8Order.Instance)
                    .ThenBy(u => u.UploadId, StringComparer.Ordinal)
                    .Take(max + 1),
            ];
        }

        var truncated = uploads.Count > max;
        uploads = [.. uploads.Take(max)];
        var last = truncated ? uploads[^1] : null;
        var xml = S3Xml.Root("ListMultipartUploadsResult")
            .Add("Bucket", bucket.Name)
            .Add("KeyMarker", encoding.Encode(keyMarker))
            .Add("UploadIdMarker", idMarker)
            .Add("NextKeyMarker", encoding.Encode(last?.Key))
            .Add("NextUploadIdMarker", last?.UploadId)
            .Add("EncodingType", encoding.Name)
            .Add("Prefix", encoding.Encode(prefix))
            .Add("MaxUploads", max)
            .Add("IsTruncated", truncated);
        foreach (var upload in uploads)
        {
            xml.Open("Upload").Add("Key", encoding.Encode(upload.Key)).Add("UploadId", upload.UploadId);
            AddOwners(call, xml)
                .Add("StorageClass", upload.StorageClass)
                .Add("Initiated", upload.Initiated)
                .Add("ChecksumAlgorithm", upload.Algorithm?.Name)
                .Add("ChecksumType", upload.Algorithm is null ? null : upload.ChecksumType)
                .Close();
        }

        return call.RespondAsync(xml);
    }

    private static bool IsBehind(MultipartUpload upload, string keyMarker, string idMarker)
    {
        if (keyMarker.Length is 0)
            return true;
        var order = Utf8Order.Instance.Compare(upload.Key, keyMarker);
        return order > 0 || (order is 0 && idMarker.Length > 0 && string.CompareOrdinal(upload.UploadId, idMarker) > 0);
    }

    private static S3Xml AddOwners(S3Call call, S3Xml xml) => xml
        .Open("Initiator").Add("ID", call.Services.Options.AccountId).Close()
        .Open("Owner").Add("ID", call.Services.Options.AccountId).Close();
}
