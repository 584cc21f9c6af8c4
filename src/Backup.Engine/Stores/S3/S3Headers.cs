using System.Globalization;

namespace Backup.Engine.Stores.S3;

/// <summary>The headers that objects are written with.</summary>
internal static class S3Headers
{
    /// <summary>The metadata name that keeps the content's SHA-256.</summary>
    public const string Sha256 = "sha256";

    /// <summary>Class, encryption, media type and metadata. A hash that is known before the data is sent is kept as metadata.</summary>
    public static void WithObjectHeaders(this S3Request request, WriteOptions options, StoreOptions store, string? sha256)
    {
        request.With("x-amz-storage-class", options.StorageClass)
            .With("content-type", options.ContentType)
            .With("x-amz-server-side-encryption", store.ServerSideEncryption)
            .With("x-amz-server-side-encryption-aws-kms-key-id", store.KmsKeyId);
        if (store.ObjectLockMode is { } mode)
        {
            request.With("x-amz-object-lock-mode", mode)
                .With("x-amz-object-lock-retain-until-date", store.Time.GetUtcNow().AddDays(store.ObjectLockDays).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        }

        foreach (var (name, value) in options.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal))
            request.With("x-amz-meta-" + name, S3Encoding.Metadata(value));
        if (sha256 is not null && options.Metadata?.ContainsKey(Sha256) != true)
            request.With("x-amz-meta-" + Sha256, sha256);
    }

    /// <summary>The header by which the store verifies what it receives.</summary>
    public static S3Request WithChecksum(this S3Request request, ObjectChecksum checksum) => checksum.Algorithm switch
    {
        ObjectChecksum.Crc64Nvme => request.With("x-amz-checksum-crc64nvme", checksum.Value),
        ObjectChecksum.Md5 => request.With("content-md5", Convert.ToBase64String(Convert.FromHexString(checksum.Value))),
        _ => request,
    };

    /// <summary>Whether an object can be read (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, x-amz-restore).</summary>
    public static ArchiveState ArchiveState(string? storageClass, string? restore) => restore switch
    {
        null => storageClass is "GLACIER" or "DEEP_ARCHIVE" ? Stores.ArchiveState.Archived : Stores.ArchiveState.Readable,
        _ when restore.Contains("ongoing-request=\"true\"", StringComparison.Ordinal) => Stores.ArchiveState.Restoring,
        _ => Stores.ArchiveState.Readable,
    };
}
