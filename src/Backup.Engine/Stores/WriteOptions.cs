namespace Backup.Engine.Stores;

/// <summary>How an object is written.</summary>
public sealed record WriteOptions
{
    /// <summary>The defaults.</summary>
    public static WriteOptions Default { get; } = new();

    /// <summary>The exact number of bytes that the source will give, or null where that is not known.</summary>
    public long? Length { get; init; }

    /// <summary>The SHA-256 that the source must have, as hexadecimal digits, or null.</summary>
    public string? ExpectedSha256 { get; init; }

    /// <summary>Fail with <see cref="FailureKind.AlreadyExists"/> where the key exists.</summary>
    public bool OnlyIfAbsent { get; init; }

    /// <summary>With <see cref="OnlyIfAbsent"/>: look before anything is sent. False where the caller has just looked, which spares a request a write.</summary>
    public bool LookFirst { get; init; } = true;

    /// <summary>The storage class as S3 names it, or null for the store's default.</summary>
    public string? StorageClass { get; init; }

    /// <summary>The media type, or null.</summary>
    public string? ContentType { get; init; }

    /// <summary>Metadata to keep with the object: lower-case ASCII names, any Unicode values, 2 KB in all.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Receives the number of bytes of each block that has been sent (a retried block is reported once).</summary>
    public IProgress<long>? Progress { get; init; }
}
