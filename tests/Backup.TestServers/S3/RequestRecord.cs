namespace Backup.TestServers.S3;

/// <summary>One request as it came in, and how it was answered. Status is 0 until then, and stays 0 when the connection was cut.</summary>
public sealed class RequestRecord
{
    private long _bodyBytes;

    public required string Method { get; init; }

    /// <summary>The path as sent, escapes included.</summary>
    public required string Path { get; init; }

    public required string Query { get; init; }

    /// <summary>PutObject, UploadPart, ListObjectsV2…</summary>
    public required string Operation { get; init; }

    public required string? Bucket { get; init; }

    public required string? Key { get; init; }

    public int? PartNumber { get; init; }

    public string? UploadId { get; init; }

    public string? VersionId { get; init; }

    /// <summary>All headers but Authorization, names in lower case.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public DateTime ReceivedAt { get; } = DateTime.UtcNow;

    public int Status { get; internal set; }

    public string? ErrorCode { get; internal set; }

    /// <summary>Bytes of the body after decoding aws-chunked.</summary>
    public long BodyBytes
    {
        get => Volatile.Read(ref _bodyBytes);
        internal set => Volatile.Write(ref _bodyBytes, value);
    }

    public override string ToString() => $"{Status} {Operation} {Method} {Path}{(Query.Length > 0 ? "?" + Query : "")} {BodyBytes} bytes {ErrorCode}";
}
