using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Benchmarks.Sink;

/// <summary>What a sink knows of an object: everything but its content, which it has of the catalog's alone.</summary>
internal sealed record SinkObject(long Size, string ETag, string? Crc64Nvme, IReadOnlyList<KeyValuePair<string, string>> Metadata, DateTime Modified, byte[]? Content = null);

/// <summary>Names and sizes of what was sent, and how much that was.</summary>
internal sealed class SinkStore
{
    private readonly ConcurrentDictionary<string, SinkObject> _objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _uploads = new(StringComparer.Ordinal);
    private string[]? _sorted;
    private long _requests;
    private long _bytes;
    private int _upload;

    /// <summary>Added to every request.</summary>
    public TimeSpan Delay { get; set; }

    public void Count() => Interlocked.Increment(ref _requests);

    public void Received(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Forgets the counts, and the objects too where <paramref name="objects"/>.</summary>
    public void Reset(bool objects)
    {
        Interlocked.Exchange(ref _requests, 0);
        Interlocked.Exchange(ref _bytes, 0);
        if (!objects)
            return;
        _objects.Clear();
        _uploads.Clear();
        _sorted = null;
    }

    /// <summary>Requests, bytes of bodies, and objects, as <see cref="SinkProcess"/> reads them.</summary>
    public string Totals() => string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Read(ref _requests)} {Interlocked.Read(ref _bytes)} {_objects.Count} {_objects.Values.Sum(item => item.Size)}");

    public SinkObject? Find(string path) => _objects.GetValueOrDefault(path);

    public void Put(string path, SinkObject item)
    {
        _objects[path] = item;
        _sorted = null;
    }

    public void Remove(string path)
    {
        _objects.TryRemove(path, out _);
        _sorted = null;
    }

    public string StartUpload()
    {
        var id = Interlocked.Increment(ref _upload).ToString("x16", CultureInfo.InvariantCulture);
        _uploads[id] = 0;
        return id;
    }

    public void AddPart(string uploadId, long size) => _uploads.AddOrUpdate(uploadId, size, (_, before) => before + size);

    public long EndUpload(string uploadId) => _uploads.TryRemove(uploadId, out var size) ? size : 0;

    /// <summary>A page of ListObjects, version 1 or 2.</summary>
    public string List(string bucket, IReadOnlyDictionary<string, string> query)
    {
        var sorted = _sorted;
        if (sorted is null)
        {
            sorted = [.. _objects.Keys];
            Array.Sort(sorted, StringComparer.Ordinal);
            _sorted = sorted;
        }

        var v2 = query.GetValueOrDefault("list-type") == "2";
        var prefix = query.GetValueOrDefault("prefix") ?? "";
        var delimiter = query.GetValueOrDefault("delimiter") ?? "";
        var url = query.GetValueOrDefault("encoding-type") == "url";
        var max = query.TryGetValue("max-keys", out var number) ? int.Parse(number, CultureInfo.InvariantCulture) : 1000;
        var after = query.GetValueOrDefault("continuation-token") ?? query.GetValueOrDefault("start-after") ?? query.GetValueOrDefault("marker") ?? "";
        string Name(string name) => url ? Uri.EscapeDataString(name).Replace("%2F", "/", StringComparison.Ordinal) : System.Security.SecurityElement.Escape(name);

        var root = bucket + "/";
        var start = Array.BinarySearch(sorted, string.CompareOrdinal(root + after, root + prefix) > 0 ? root + after : root + prefix, StringComparer.Ordinal);
        start = start < 0 ? ~start : start;
        var items = new StringBuilder();
        var folders = new StringBuilder();
        var (count, last, truncated) = (0, "", false);
        string? folder = null;
        for (var i = start; i < sorted.Length && sorted[i].StartsWith(root + prefix, StringComparison.Ordinal); i++)
        {
            var key = sorted[i][root.Length..];
            if (after.Length > 0 && (string.CompareOrdinal(key, after) <= 0 || (delimiter.Length > 0 && after.EndsWith(delimiter, StringComparison.Ordinal) && key.StartsWith(after, StringComparison.Ordinal))))
                continue;
            var cut = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            if (cut >= 0 && folder is not null && key.StartsWith(folder, StringComparison.Ordinal))
                continue;
            if (count == max)
            {
                truncated = true;
                break;
            }

            count++;
            if (cut >= 0)
            {
                last = folder = key[..(cut + delimiter.Length)];
                folders.Append("<CommonPrefixes><Prefix>").Append(Name(folder)).Append("</Prefix></CommonPrefixes>");
            }
            else if (_objects.TryGetValue(sorted[i], out var item))
            {
                last = key;
                items.Append("<Contents><Key>").Append(Name(key)).Append("</Key><LastModified>").Append(item.Modified.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))
                    .Append("</LastModified><ETag>&quot;").Append(item.ETag).Append("&quot;</ETag><Size>").Append(item.Size).Append("</Size><StorageClass>STANDARD</StorageClass></Contents>");
            }
        }

        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">")
            .Append("<Name>").Append(bucket).Append("</Name><Prefix>").Append(Name(prefix)).Append("</Prefix><MaxKeys>").Append(max).Append("</MaxKeys>");
        if (delimiter.Length > 0)
            xml.Append("<Delimiter>").Append(Name(delimiter)).Append("</Delimiter>");
        if (url)
            xml.Append("<EncodingType>url</EncodingType>");
        if (v2)
            xml.Append("<KeyCount>").Append(count).Append("</KeyCount>");
        xml.Append("<IsTruncated>").Append(truncated ? "true" : "false").Append("</IsTruncated>");
        if (truncated)
            xml.Append(v2 ? "<NextContinuationToken>" : "<NextMarker>").Append(Name(last)).Append(v2 ? "</NextContinuationToken>" : "</NextMarker>");
        return xml.Append(items).Append(folders).Append("</ListBucketResult>").ToString();
    }
}
