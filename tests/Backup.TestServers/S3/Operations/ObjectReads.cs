using System.Globalization;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>GetObject, HeadObject, GetObjectAttributes.</summary>
internal static class ObjectReads
{
    public static Task GetObject(S3Call call) => Read(call, withBody: true);

    public static Task HeadObject(S3Call call) => Read(call, withBody: false);

    public static Task GetObjectAttributes(S3Call call)
    {
        var bucket = call.Bucket();
        var version = VersionLookup.Find(call, bucket);
        var asked = (call.Request.Header("x-amz-object-attributes") ?? throw S3Error.InvalidArgument(
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty", "x-amz-object-attributes", ""))
            .Split(',', StringSplitOptions.TrimEntries);
        call.SetHeader("Last-Modified", version.LastModified.ToString("r", CultureInfo.InvariantCulture));
        call.SetVersion(bucket, version.VersionId);
        var xml = S3Xml.Root("GetObjectAttributesResponse");
        if (asked.Contains("ETag", StringComparer.Ordinal))
            xml.Add("ETag", call.ETag(version.ETag).Trim('"'));
        if (asked.Contains("Checksum", StringComparer.Ordinal) && version.Checksum is { } checksum)
            xml.Open("Checksum").Add(checksum.Algorithm.Element, call.Checksum(checksum.Value)).Add("ChecksumType", checksum.Type).Close();
        if (asked.Contains("ObjectParts", StringComparer.Ordinal) && version.Parts.Count > 0)
            AddParts(xml, version);
        if (asked.Contains("StorageClass", StringComparer.Ordinal))
            xml.Add("StorageClass", version.StorageClass);
        if (asked.Contains("ObjectSize", StringComparer.Ordinal))
            xml.Add("ObjectSize", version.Content.Length);
        return call.RespondAsync(xml);
    }

    private static void AddParts(S3Xml xml, ObjectVersion version)
    {
        xml.Open("ObjectParts").Add("TotalPartsCount", version.Parts.Count).Add("PartNumberMarker", 0).Add("MaxParts", 1000).Add("IsTruncated", value: false);
        foreach (var part in version.Parts.Where(_ => version.Checksum?.Type is "COMPOSITE").Take(1000))
            xml.Open("Part").Add("PartNumber", part.Number).Add("Size", part.Size).Add(version.Checksum!.Algorithm.Element, part.Checksum).Close();
        xml.Close();
    }

    private static async Task Read(S3Call call, bool withBody)
    {
        var bucket = call.Bucket();
        ObjectVersion version;
        Blob content;
        var now = call.Services.Clock.StorageNow;
        lock (bucket.Gate)
        {
            version = VersionLookup.Find(bucket, call.Key, call.Request.VersionId, call.Request.Method);
            content = version.Content.Copy();
        }

        try
        {
            Preconditions.CheckRead(call, version);
            if (withBody && !RestoreOperations.IsReadable(version, now))
            {
                throw new S3Error(403, "InvalidObjectState", "The operation is not valid for the object's storage class")
                    .With("StorageClass", version.StorageClass);
            }

            ObjectHeaders.Give(call, version);
            call.SetVersion(bucket, version.VersionId);
            call.SetHeader("x-amz-restore", RestoreOperations.Header(version, now));
            Override(call);
            var (offset, length, partial) = Part(call, version) ?? Range(call, version.Content.Length);
            if (partial)
                call.SetHeader("Content-Range", $"bytes {offset}-{offset + length - 1}/{version.Content.Length}");
            if ((!partial || length == version.Content.Length) && call.Request.Header("x-amz-checksum-mode") is ("ENABLED" or "enabled"))
                call.SetChecksum(version.Checksum);


            await call.RespondAsync(partial ? 206 : 200, content, offset, length);
        }
        finally
        {
            content.Release();
        }
    }

    private static (long Offset, long Length, bool Partial)? Part(S3Call call, ObjectVersion version)
    {
        if (!call.Request.Has("partNumber"))
            return null;
        var number = call.Request.PartNumber
            ?? throw S3Error.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", call.Request.Query["partNumber"]);
        if (call.Request.Header("range") is not null)
            throw S3Error.InvalidRequest("Cannot specify both Range header and partNumber query parameter");
        if (version.Parts.Count is 0 && number is 1)
            return version.Content.Length is 0 ? (0, 0, false) : (0, version.Content.Length, true);
        if (number < 1 || number > version.Parts.Count)
            throw new S3Error(416, "InvalidPartNumber", "The requested partnumber is not satisfiable").With("ActualPartCount", Math.Max(1, version.Parts.Count).ToString());
        call.SetHeader("x-amz-mp-parts-count", version.Parts.Count.ToString());
        return (version.Parts.Take(number - 1).Sum(p => p.Size), version.Parts[number - 1].Size, true);
    }

    private static (long Offset, long Length, bool Partial) Range(S3Call call, long size)
    {
        var whole = (0L, size, false);
        if (call.Request.Header("range") is not { } header || !header.StartsWith("bytes=", StringComparison.Ordinal))
            return whole;
        var ends = header["bytes=".Length..].Split('-');
        if (ends.Length is not 2)
            return whole;
        var first = long.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var from) ? from : (long?)null;
        var last = long.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out var to) ? to : (long?)null;
        if ((first is null && last is null) || (first is null && ends[0].Length > 0) || (last is null && ends[1].Length > 0) || last < first)
            return whole;
        if (first is null && last > 0 && size > 0)
            return (Math.Max(0, size - last.Value), Math.Min(size, last.Value), true);
        if (first is null || first >= size)
        {
            throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable")
                .With("RangeRequested", header)
                .With("ActualObjectSize", size.ToString())
                .WithHeader("Content-Range", $"bytes */{size}");
        }

        return (first.Value, Math.Min(last ?? long.MaxValue, size - 1) - first.Value + 1, true);
    }

    private static void Override(S3Call call)
    {
        foreach (var name in (string[])["content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"])
            call.SetHeader(name, call.Request.Query.GetValueOrDefault("response-" + name));
    }
}
