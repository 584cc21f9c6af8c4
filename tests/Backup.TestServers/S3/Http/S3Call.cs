using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Backup.TestServers.S3.Auth;
using Backup.TestServers.S3.Body;
using Backup.TestServers.S3.Checksums;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Http;

/// <summary>One request being served: its body as the faults let it through, and the one way to answer.</summary>
internal sealed class S3Call(S3Request request, S3Services services, RequestRecord record, OperationCounter counter, FaultPlan faults)
{
    private readonly HttpResponse _response = request.Http.Response;

    public S3Request Request { get; } = request;

    public S3Services Services { get; } = services;

    public RequestRecord Record { get; } = record;

    public FaultPlan Faults { get; } = faults;

    public PayloadSigning Signing { get; set; } = PayloadSigning.None;

    public Stream Body => Request.Http.Request.Body;

    /// <summary>The operation was done, its answer goes nowhere.</summary>
    public bool SwallowsAnswer => Faults.Has(FaultAction.Kind.ApplyThenReset);

    public string Key => Request.Key ?? "";

    public S3Bucket Bucket() => Services.Store.Bucket(Request.Bucket!);

    public Task<ReceivedBody> ReceiveAsync(params ChecksumAlgorithm?[] algorithms) => new BodyReceiver(this).ReceiveAsync(algorithms);

    public void Received(long bytes)
    {
        Record.BodyBytes += bytes;
        counter.Received(bytes);
        if (Faults.Find(FaultAction.Kind.ResetMidBody) is { } reset && Record.BodyBytes >= reset.Bytes)
            throw new ConnectionCutException();
    }

    /// <summary>A small document sent as XML, verified like any other body.</summary>
    public async Task<(XElement Root, byte[] Bytes, ReceivedBody Body)> ReceiveXmlAsync(string root)
    {
        using var bytes = new MemoryStream();
        // The sink throws object data away, not what it is told to do with it.
        if (Services.Options.Sink && Signing is { IsChunked: false })
            await Body.CopyToAsync(bytes);
        var body = await ReceiveAsync();
        if (bytes.Length is 0)
            await body.Content.ReadAsync(0, body.Length, async data => await bytes.WriteAsync(data));
        body.Content.Release();
        bytes.Position = 0;
        try
        {
            using var reader = XmlReader.Create(bytes, new XmlReaderSettings { CheckCharacters = false, DtdProcessing = DtdProcessing.Prohibit });
            var element = XElement.Load(reader, LoadOptions.PreserveWhitespace);
            return element.Name.LocalName.Equals(root, StringComparison.Ordinal) ? (element, bytes.ToArray(), body) : throw S3Error.MalformedXml();
        }
        catch (XmlException)
        {
            throw S3Error.MalformedXml();
        }
    }

    public void SetHeader(string name, string? value)
    {
        if (value is not null)
            _response.Headers[name] = value;
    }

    public void SetVersion(S3Bucket bucket, string versionId)
    {
        if (bucket.Versioning is not null)
            SetHeader("x-amz-version-id", versionId);
    }

    public string ETag(string etag)
    {
        if (Faults.Has(FaultAction.Kind.WrongETagBack))
            etag = (etag[0] is '0' ? "1" : "0") + etag[1..];
        return $"\"{etag}\"";
    }

    /// <summary>A checksum as it goes out, unless a fault turns its first bit.</summary>
    public string? Checksum(string? value)
    {
        if (value is null || !Faults.Has(FaultAction.Kind.WrongChecksumBack))
            return value;
        var suffix = value.IndexOf('-', StringComparison.Ordinal) is var dash and > 0 ? value[dash..] : "";
        var bytes = Convert.FromBase64String(value[..^suffix.Length]);
        bytes[0] ^= 0x80;
        return Convert.ToBase64String(bytes) + suffix;
    }

    public void SetChecksum(StoredChecksum? checksum)
    {
        if (checksum is null)
            return;
        SetHeader(checksum.Algorithm.Header, Checksum(checksum.Value));
        SetHeader("x-amz-checksum-type", checksum.Type);
    }

    public Task RespondAsync(int status) => RespondAsync(status, null, []);

    public Task RespondAsync(S3Xml xml, int status = 200) => RespondAsync(status, "application/xml", xml.ToBytes());

    public Task RespondAsync(S3Error error)
    {
        Record.ErrorCode = error.Code;
        foreach (var (name, value) in error.Headers)
            SetHeader(name, value);
        var xml = S3Xml.Root("Error", withNamespace: false).Add("Code", error.Code).Add("Message", error.Message);
        foreach (var (name, value) in error.Elements)
            xml.Add(name, value);
        xml.Add("Resource", Request.RawPath).Add("RequestId", _response.Headers["x-amz-request-id"].ToString()).Add("HostId", "strict-s3");
        return error.Status is 304 ? RespondAsync(304) : RespondAsync(error.Status, "application/xml", xml.ToBytes());
    }

    public async Task RespondAsync(int status, string? contentType, byte[] body)
    {
        if (!Begin(status, contentType, body.Length))
            return;
        if (body.Length > 0 && Request.Method is not "HEAD")
            await WriteAsync(body, body.Length);
    }

    public async Task RespondAsync(int status, Blob content, long offset, long length)
    {
        if (!Begin(status, null, length) || Request.Method is "HEAD")
            return;
        await content.ReadAsync(offset, length, async data => await WriteAsync(data, length));
    }

    /// <summary>200, white space, and then what really became of it.</summary>
    public async Task RespondOkWithErrorAsync(string code)
    {
        Record.Status = 200;
        Record.ErrorCode = code;
        _response.StatusCode = 200;
        _response.ContentType = "application/xml";
        await _response.WriteAsync(S3Xml.Declaration);
        for (var i = 0; i < 3; i++)
        {
            await _response.WriteAsync("   \n");
            await _response.Body.FlushAsync();
        }

        await _response.WriteAsync($"<Error><Code>{code}</Code><Message>We encountered an internal error. Please try again.</Message><RequestId>0</RequestId></Error>");
    }

    public int QueryNumber(string name, int otherwise)
    {
        if (Request.Query.GetValueOrDefault(name) is not { Length: > 0 } text)
            return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? Math.Min(number, otherwise)
            : throw S3Error.InvalidArgument($"Provided {name} not an integer or within integer range", name, text);
    }

    private long _written;

    private bool Begin(int status, string? contentType, long length)
    {
        if (SwallowsAnswer)
            return false;
        Record.Status = status;
        _response.StatusCode = status;
        if (contentType is not null)
            _response.ContentType = contentType;
        if (status is not (204 or 304))
            _response.ContentLength = length;
        return true;
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> data, long total)
    {
        if (Faults.Find(FaultAction.Kind.TruncateResponse) is { } cut && cut.Bytes < total)
        {
            var left = cut.Bytes - _written;
            data = data[..(int)Math.Min(data.Length, left)];
            await _response.Body.WriteAsync(data);
            _written += data.Length;
            if (_written < cut.Bytes)
                return;
            await _response.Body.FlushAsync();
            await Task.Delay(100);
            throw new ConnectionCutException();
        }

        await _response.Body.WriteAsync(data);
    }
}

/// <summary>A fault wants the connection gone.</summary>
internal sealed class ConnectionCutException : Exception;
