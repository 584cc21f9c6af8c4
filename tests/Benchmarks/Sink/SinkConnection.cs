using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Stores.Checksums;

namespace Benchmarks.Sink;

/// <summary>One connection: request after request.</summary>
internal sealed class SinkConnection(Socket socket, SinkStore store)
{
    // Small bodies are looked at: deletions, completions, and the probe for a store's checksums.
    private const int LookedAt = 256 << 10;
    private const int ProbeSize = 1 << 10;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(128 << 10);
    private readonly Dictionary<string, string> _headers = new(StringComparer.OrdinalIgnoreCase);
    private int _start;
    private int _end;

    private string _method = "";
    private string _bucket = "";
    private string _key = "";
    private Dictionary<string, string> _query = [];

    public async Task RunAsync()
    {
        try
        {
            using (socket)
            {
                while (await ReadHeadAsync())
                    await ServeAsync();
            }
        }
        catch (SocketException)
        {
            // The client is gone.
        }
    }

    // A second run reads what the first one noted.
    private bool IsKept => _method == "PUT" && _key.StartsWith("_catalog/", StringComparison.Ordinal);

    private string? Header(string name) => _headers.GetValueOrDefault(name);

    private async ValueTask<bool> ReadHeadAsync()
    {
        while (true)
        {
            var head = _buffer.AsSpan(_start, _end - _start);
            var length = head.IndexOf("\r\n\r\n"u8);
            if (length >= 0)
            {
                Parse(head[..length]);
                _start += length + 4;
                return true;
            }

            if (_start > 0)
            {
                head.CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            if (_end == _buffer.Length)
                return false;
            var read = await socket.ReceiveAsync(_buffer.AsMemory(_end));
            if (read == 0)
                return false;
            _end += read;
        }
    }

    private void Parse(ReadOnlySpan<byte> head)
    {
        var text = Encoding.Latin1.GetString(head);
        var lines = text.AsSpan().EnumerateLines();
        lines.MoveNext();
        var line = lines.Current;
        var space = line.IndexOf(' ');
        _method = line[..space].ToString();
        var target = line[(space + 1)..line.LastIndexOf(' ')];
        var mark = target.IndexOf('?');
        _query = [];
        if (mark >= 0)
        {
            foreach (var range in target[(mark + 1)..].Split('&'))
            {
                var pair = target[(mark + 1)..][range];
                var equals = pair.IndexOf('=');
                _query[Uri.UnescapeDataString(equals < 0 ? pair : pair[..equals])] = equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..]);
            }

            target = target[..mark];
        }

        target = target.TrimStart('/');
        var slash = target.IndexOf('/');
        (_bucket, _key) = slash < 0 ? (target.ToString(), "") : (target[..slash].ToString(), Uri.UnescapeDataString(target[(slash + 1)..]));

        _headers.Clear();
        while (lines.MoveNext())
        {
            var colon = lines.Current.IndexOf(':');
            // Of the dozen headers of a request these are the ones that something depends on.
            if (colon > 0 && lines.Current[0] is 'c' or 'C' or 'e' or 'E' or 'x' or 'X')
                _headers[lines.Current[..colon].ToString()] = lines.Current[(colon + 1)..].Trim().ToString();
        }
    }

    private async ValueTask ServeAsync()
    {
        var length = Header("content-length") is { } declared ? long.Parse(declared, CultureInfo.InvariantCulture) : 0;
        if (_bucket.StartsWith("-sink", StringComparison.Ordinal))
        {
            Command();
            await SendAsync(200, store.Totals());
            return;
        }

        store.Count();
        if (Header("expect") is not null)
            await socket.SendAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray());

        // Whoever gives a digest believes his own; the others compare the entity tag with the MD5 of what they sent.
        var given = Header("content-md5");
        var hashes = _method == "PUT" && given is null && !_headers.Keys.Any(name => name.StartsWith("x-amz-checksum-", StringComparison.OrdinalIgnoreCase));
        using var md5 = hashes ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
        var kept = await ReceiveAsync(length, md5);
        if (store.Delay > TimeSpan.Zero)
            await Task.Delay(store.Delay);
        var etag = given is not null ? Convert.ToHexStringLower(Convert.FromBase64String(given))
            : md5 is not null ? Convert.ToHexStringLower(md5.GetHashAndReset())
            : "d41d8cd98f00b204e9800998ecf8427e";
        store.Received(_method == "PUT" ? length : 0);

        if (_key.Length == 0)
            await ServeBucketAsync(kept);
        else
            await ServeObjectAsync(length, kept, etag);
    }

    private void Command()
    {
        if (_query.TryGetValue("reset", out var objects))
            store.Reset(objects == "all");
        if (_query.TryGetValue("delay", out var delay))
            store.Delay = TimeSpan.FromMilliseconds(int.Parse(delay, CultureInfo.InvariantCulture));
    }

    private async ValueTask<byte[]> ReceiveAsync(long length, IncrementalHash? md5)
    {
        var kept = length is > 0 && (length <= ProbeSize || (_method == "POST" && length <= LookedAt) || IsKept) ? new byte[length] : [];
        var received = 0L;
        while (received < length)
        {
            if (_start == _end)
            {
                (_start, _end) = (0, await socket.ReceiveAsync(_buffer));
                if (_end == 0)
                    throw new SocketException((int)SocketError.ConnectionReset);
            }

            var count = (int)Math.Min(_end - _start, length - received);
            md5?.AppendData(_buffer, _start, count);
            if (kept.Length > 0)
                _buffer.AsSpan(_start, count).CopyTo(kept.AsSpan((int)received));
            _start += count;
            received += count;
        }

        return kept;
    }

    private ValueTask ServeBucketAsync(byte[] body) => (_method, _query) switch
    {
        ("PUT" or "HEAD", _) => SendAsync(200, ""),
        ("POST", _) when _query.ContainsKey("delete") => DeleteAsync(Encoding.UTF8.GetString(body)),
        ("GET", _) when _bucket.Length == 0 => SendAsync(200, "<ListAllMyBucketsResult><Owner><ID>sink</ID></Owner><Buckets></Buckets></ListAllMyBucketsResult>"),
        ("GET", _) when _query.ContainsKey("location") => SendAsync(200, "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>"),
        ("GET", _) when _query.ContainsKey("uploads") => SendAsync(200, $"<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{_bucket}</Bucket><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"),
        ("GET", _) => SendAsync(200, store.List(_bucket, _query)),
        _ => SendAsync(501, "<Error><Code>NotImplemented</Code><Message>The sink does not do that.</Message></Error>"),
    };

    private ValueTask DeleteAsync(string body)
    {
        foreach (var item in body.Split("<Key>").Skip(1))
            store.Remove($"{_bucket}/{WebUtilityDecode(item[..item.IndexOf("</Key>", StringComparison.Ordinal)])}");
        return SendAsync(200, "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></DeleteResult>");
    }

    private static string WebUtilityDecode(string xml) => System.Net.WebUtility.HtmlDecode(xml);

    private async ValueTask ServeObjectAsync(long length, byte[] body, string etag)
    {
        var path = $"{_bucket}/{_key}";
        var crc = Header("x-amz-checksum-crc64nvme");
        switch (_method)
        {
            case "PUT" when crc is not null && body.Length > 0 && Crc64Nvme.ToBase64(Crc64Nvme.Hash(body)) != crc:
                await SendAsync(400, "<Error><Code>BadDigest</Code><Message>The CRC64NVME you specified did not match the calculated checksum.</Message></Error>");
                break;
            case "PUT" when _query.TryGetValue("uploadId", out var id):
                store.AddPart(id, length);
                await SendAsync(200, "", etag, crc);
                break;
            case "PUT":
                var metadata = _headers.Where(header => header.Key.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase)).ToArray();
                store.Put(path, new(Header("x-amz-decoded-content-length") is { } decoded ? long.Parse(decoded, CultureInfo.InvariantCulture) : length, etag, crc, metadata, DateTime.UtcNow, IsKept ? body : null));
                await SendAsync(200, "", etag, crc);
                break;
            case "POST" when _query.ContainsKey("uploads"):
                await SendAsync(200, $"<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{_bucket}</Bucket><Key>{System.Security.SecurityElement.Escape(_key)}</Key><UploadId>{store.StartUpload()}</UploadId></InitiateMultipartUploadResult>");
                break;
            case "POST" when _query.TryGetValue("uploadId", out var upload):
                etag += "-1";
                store.Put(path, new(store.EndUpload(upload), etag, crc, [], DateTime.UtcNow));
                await SendAsync(200, $"<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{_bucket}</Bucket><Key>{System.Security.SecurityElement.Escape(_key)}</Key><ETag>&quot;{etag}&quot;</ETag>{(crc is null ? "" : $"<ChecksumCRC64NVME>{crc}</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>")}</CompleteMultipartUploadResult>");
                break;
            case "DELETE":
                store.Remove(path);
                await SendAsync(204, "");
                break;
            case "HEAD" when store.Find(path) is { } item:
                await SendAsync(200, "", item.ETag, item.Crc64Nvme, item);
                break;
            case "GET" when store.Find(path) is { Content: { } content } item:
                await SendAsync(200, "", item.ETag, item.Crc64Nvme, item);
                await SendAsync(content);
                break;
            default:
                await SendAsync(404, _method == "HEAD" ? "" : "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>");
                break;
        }
    }

    private async ValueTask SendAsync(int status, string body, string? etag = null, string? crc = null, SinkObject? item = null)
    {
        var text = new StringBuilder(256)
            .Append("HTTP/1.1 ").Append(status).Append(status switch { 200 => " OK", 204 => " No Content", 404 => " Not Found", _ => " Error" })
            .Append("\r\nServer: sink\r\nx-amz-request-id: 1\r\nDate: ").Append(DateTime.UtcNow.ToString("r", CultureInfo.InvariantCulture)).Append("\r\n");
        if (etag is not null)
            text.Append("ETag: \"").Append(etag).Append("\"\r\n");
        if (crc is not null)
            text.Append("x-amz-checksum-crc64nvme: ").Append(crc).Append("\r\nx-amz-checksum-type: FULL_OBJECT\r\n");
        if (item is not null)
        {
            text.Append("Last-Modified: ").Append(item.Modified.ToString("r", CultureInfo.InvariantCulture)).Append("\r\n");
            foreach (var (name, value) in item.Metadata)
                text.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        text.Append(body.Length > 0 ? "Content-Type: application/xml\r\n" : "");
        if (status != 204)
            text.Append("Content-Length: ").Append(item?.Size ?? body.Length).Append("\r\n");
        text.Append("\r\n").Append(body);
        // Names in the bodies are percent-encoded or ASCII in all of the data sets.
        await SendAsync(Encoding.Latin1.GetBytes(text.ToString()));
    }

    private async ValueTask SendAsync(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent));
    }
}
