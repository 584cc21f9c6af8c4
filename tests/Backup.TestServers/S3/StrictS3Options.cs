namespace Backup.TestServers.S3;

/// <summary>How the strict S3 is started.</summary>
public sealed record StrictS3Options
{
    /// <summary>0: any free port.</summary>
    public int Port { get; init; }

    public bool Tls { get; init; }

    public string AccessKey { get; init; } = "test";

    public string SecretKey { get; init; } = "testsecret";

    public string? SessionToken { get; init; }

    public string Region { get; init; } = "us-east-1";

    public string AccountId { get; init; } = "123456789012";

    /// <summary>Buckets that exist from the start.</summary>
    public IReadOnlyList<string> Buckets { get; init; } = [];

    /// <summary>Bodies are read and thrown away, nothing is verified, no request is logged: for benchmarks.</summary>
    public bool Sink { get; init; }

    /// <summary>Added to every request: a simulated round trip.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Where bodies above 1 MiB go; a directory of its own under the temporary one by default.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The smallest part that is not the last. S3 has 5 MiB.</summary>
    public long MinimumPartSize { get; init; } = 5 * 1024 * 1024;

    /// <summary>How long a RestoreObject takes.</summary>
    public TimeSpan RestoreDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one of RestoreRequest's days lasts. At 24 hours the expiry is rounded up to midnight UTC, as S3 does.</summary>
    public TimeSpan RestoreDay { get; init; } = TimeSpan.FromDays(1);

    /// <summary>x-amz-content-sha256 is compared with the body.</summary>
    public bool VerifyPayloadHash { get; init; } = true;

    /// <summary>UNSIGNED-PAYLOAD without TLS: S3 clients must not, and by default may not.</summary>
    public bool AllowUnsignedPayloadOverHttp { get; init; }

    /// <summary>A lesser endpoint: checksum headers are neither verified, stored nor echoed.</summary>
    public bool IgnoreChecksums { get; init; }

    /// <summary>A lesser endpoint: checksum headers are stored and echoed as they came.</summary>
    public bool EchoChecksumsUnverified { get; init; }

    /// <summary>A lesser endpoint: 501 NotImplemented on checksum headers and aws-chunked trailers.</summary>
    public bool RejectChecksumHeaders { get; init; }

    /// <summary>A lesser endpoint: If-None-Match on a write is not heeded.</summary>
    public bool IgnoreConditions { get; init; }

    /// <summary>A lesser endpoint: Content-MD5 is not verified.</summary>
    public bool IgnoreContentMd5 { get; init; }

    /// <summary>ETags are not MD5, as with SSE-KMS.</summary>
    public bool OpaqueETags { get; init; }

    internal bool VerifyChecksums => !Sink && !IgnoreChecksums && !EchoChecksumsUnverified;
}
