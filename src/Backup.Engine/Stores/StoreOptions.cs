using Backup.Engine.Aws;

namespace Backup.Engine.Stores;

/// <summary>How a store is opened. Everything has a default.</summary>
public sealed record StoreOptions
{
    /// <summary>Credentials, region and endpoint of S3.</summary>
    public AwsOptions Aws { get; init; } = new();

    /// <summary>The account that must own the bucket (12 digits), or null.</summary>
    public string? ExpectedBucketOwner { get; init; }

    /// <summary>
    /// Whether the bucket is made where it is missing: versioned, old versions expire after <see cref="KeepVersionDays"/>, public access blocked,
    /// unfinished uploads removed. It then has to belong to the caller's own account, where that is known.
    /// </summary>
    public bool CreateBucket { get; init; }

    /// <summary>How many days a bucket that is made keeps overwritten and deleted objects.</summary>
    public int KeepVersionDays { get; init; } = 180;

    /// <summary>S3 Object Lock for what is written (<c>GOVERNANCE</c> or <c>COMPLIANCE</c>), or null. The bucket must have it enabled.</summary>
    public string? ObjectLockMode { get; init; }

    /// <summary>How many days it locks.</summary>
    public int ObjectLockDays { get; init; }

    /// <summary>The most bytes that may be held in transfer buffers at once.</summary>
    public long MemoryBudget { get; init; } = 128L << 20;

    /// <summary>The smallest part of a multipart upload, in bytes; at least 5 MiB on AWS. Objects up to this size are sent in one request.</summary>
    public int PartSize { get; init; } = 8 << 20;

    /// <summary>The most requests in flight; the store finds the best number below it by itself.</summary>
    public int MaxConcurrency { get; init; } = 256;

    /// <summary>Bytes a second to stay below, or null for no limit.</summary>
    public long? MaxBandwidth { get; init; }

    /// <summary>How often a request is tried before its failure is reported.</summary>
    public int MaxAttempts { get; init; } = 6;

    /// <summary>How long a request may go without a byte moving before it is tried again.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it may take to connect, TLS included, before it is tried again.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Server-side encryption as S3 names it (<c>AES256</c>, <c>aws:kms</c>, <c>aws:kms:dsse</c>), or null for the bucket's default.</summary>
    public string? ServerSideEncryption { get; init; }

    /// <summary>The KMS key for it, or null.</summary>
    public string? KmsKeyId { get; init; }

    /// <summary>Trusts this certificate for TLS instead of the system's authorities (private endpoints, tests).</summary>
    public System.Security.Cryptography.X509Certificates.X509Certificate2? TrustedCertificate { get; init; }

    /// <summary>The clock, for tests.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives decisions (retries, detected abilities, tuning), or null.</summary>
    public Microsoft.Extensions.Logging.ILogger? Logger { get; init; }
}
