using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Backup.Engine.Aws;

namespace Backup.Engine.Stores.S3;

/// <summary>The rare calls, through the AWS SDK: listings, restore requests, buckets.</summary>
internal sealed class S3Control : IDisposable
{
    private const string UploadRule = "AtlassianBackup-abort-incomplete-uploads";
    private const int UploadDays = 7;

    private readonly string _bucket;
    private readonly AwsSession _session;
    private readonly AmazonS3Config _config;
    private readonly StoreOptions _options;
    private readonly SemaphoreSlim _creating = new(1, 1);
    private AmazonS3Client? _client;

    public S3Control(string bucket, AwsSession session, AmazonS3Config config, StoreOptions options)
    {
        (_bucket, _session, _config, _options) = (bucket, session, config, options);
        _config.ForcePathStyle = session.Endpoint is not null;
        // Otherwise the SDK adds trailers over http, which many S3-compatible endpoints refuse.
        _config.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
        _config.ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED;
        if (options.TrustedCertificate is not null)
            _config.HttpClientFactory = new TrustingFactory(options);
    }

    /// <summary>Lists objects by their whole keys.</summary>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Keys may hold characters that XML cannot: they are asked for in percent-encoding.
        var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = prefix, Encoding = EncodingType.Url, ExpectedBucketOwner = _options.ExpectedBucketOwner };
        do
        {
            var page = await CallAsync((client, token) => client.ListObjectsV2Async(request, token), cancellationToken);
            foreach (var item in page.S3Objects ?? [])
            {
                yield return new()
                {
                    Key = Decode(item.Key),
                    Size = item.Size ?? 0,
                    ETag = item.ETag?.Trim('"'),
                    StorageClass = item.StorageClass?.Value ?? "STANDARD",
                    LastModified = item.LastModified is { } time ? new(time.ToUniversalTime()) : DateTimeOffset.UnixEpoch,
                    Archive = S3Headers.ArchiveState(item.StorageClass?.Value, null),
                };
            }

            request.ContinuationToken = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    /// <summary>Lists unfinished uploads, oldest first for each key.</summary>
    public async IAsyncEnumerable<(string Key, string UploadId)> ListUploadsAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = _bucket, Prefix = prefix, Encoding = EncodingType.Url, ExpectedBucketOwner = _options.ExpectedBucketOwner };
        while (true)
        {
            var page = await CallAsync((client, token) => client.ListMultipartUploadsAsync(request, token), cancellationToken);
            foreach (var upload in page.MultipartUploads ?? [])
                yield return (Decode(upload.Key), upload.UploadId);
            if (page.IsTruncated != true)
                yield break;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker is null ? null : Decode(page.NextKeyMarker), page.NextUploadIdMarker);
        }
    }

    /// <summary>Lists the parts that S3 holds of an upload.</summary>
    public async Task<IReadOnlyDictionary<int, HeldPart>> ListPartsAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        var held = new Dictionary<int, HeldPart>();
        var request = new ListPartsRequest { BucketName = _bucket, Key = key, UploadId = uploadId, ExpectedBucketOwner = _options.ExpectedBucketOwner };
        while (true)
        {
            var page = await CallAsync((client, token) => client.ListPartsAsync(request, token), cancellationToken);
            foreach (var part in page.Parts ?? [])
                held[part.PartNumber ?? 0] = new(part.Size ?? 0, part.ETag?.Trim('"') ?? "", part.ChecksumCRC64NVME);
            if (page.IsTruncated != true)
                return held;
            request.PartNumberMarker = page.NextPartNumberMarker?.ToString();
        }
    }

    /// <summary>Asks for a readable copy.</summary>
    public async Task<ArchiveState> RestoreAsync(string key, RestoreRequest restore, CancellationToken cancellationToken)
    {
        var request = new RestoreObjectRequest
        {
            BucketName = _bucket,
            Key = key,
            VersionId = restore.VersionId,
            Days = restore.Days,
            RetrievalTier = restore.Tier == RestoreTier.Bulk ? GlacierJobTier.Bulk : GlacierJobTier.Standard,
            ExpectedBucketOwner = _options.ExpectedBucketOwner,
        };
        try
        {
            var response = await CallAsync((client, token) => client.RestoreObjectAsync(request, token), cancellationToken);
            return response.HttpStatusCode == System.Net.HttpStatusCode.OK ? ArchiveState.Readable : ArchiveState.Restoring;
        }
        catch (BackupException exception) when (exception.InnerException is AmazonS3Exception { ErrorCode: "RestoreAlreadyInProgress" })
        {
            return ArchiveState.Restoring;
        }
        catch (BackupException exception) when (exception.InnerException is AmazonS3Exception { ErrorCode: "InvalidObjectState" })
        {
            // It is in no archive class: there is nothing to wait for.
            return ArchiveState.Readable;
        }
    }

    /// <summary>
    /// Creates the bucket where there is none: versioned, non-current versions expire after <paramref name="versionDays"/> days, no public access,
    /// and unfinished uploads are removed after a week, so that a crash never leaves parts that are billed for ever.
    /// </summary>
    public async Task EnsureBucketAsync(int versionDays, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync((client, token) => client.PutBucketAsync(NewBucket(), token), cancellationToken);
        }
        catch (BackupException exception) when (exception.InnerException is AmazonS3Exception { ErrorCode: "BucketAlreadyOwnedByYou" })
        {
            return;
        }

        await CallAsync((client, token) => client.PutBucketVersioningAsync(new() { BucketName = _bucket, VersioningConfig = new() { Status = VersionStatus.Enabled } }, token), cancellationToken);
        await CallAsync((client, token) => client.PutPublicAccessBlockAsync(new()
        {
            BucketName = _bucket,
            PublicAccessBlockConfiguration = new() { BlockPublicAcls = true, BlockPublicPolicy = true, IgnorePublicAcls = true, RestrictPublicBuckets = true },
        }, token), cancellationToken);
        await CallAsync((client, token) => client.PutLifecycleConfigurationAsync(new() { BucketName = _bucket, Configuration = new() { Rules = Rules(versionDays) } }, token), cancellationToken);
    }

    public void Dispose() => _client?.Dispose();

    internal static string Decode(string key) => Uri.UnescapeDataString(key.Replace('+', ' '));

    private static List<LifecycleRule> Rules(int versionDays) =>
    [
        new()
        {
            Id = UploadRule,
            Status = LifecycleRuleStatus.Enabled,
            Filter = new() { LifecycleFilterPredicate = new LifecyclePrefixPredicate { Prefix = "" } },
            AbortIncompleteMultipartUpload = new() { DaysAfterInitiation = UploadDays },
        },
        new()
        {
            Id = "AtlassianBackup-expire-old-versions",
            Status = LifecycleRuleStatus.Enabled,
            Filter = new() { LifecycleFilterPredicate = new LifecyclePrefixPredicate { Prefix = "" } },
            NoncurrentVersionExpiration = new() { NoncurrentDays = versionDays },
            Expiration = new() { ExpiredObjectDeleteMarker = true },
        },
    ];

    private PutBucketRequest NewBucket() => _session.Region == "us-east-1"
        ? new() { BucketName = _bucket }
        : new() { BucketName = _bucket, PutBucketConfiguration = new() { LocationConstraint = _session.Region } };

    private async Task<T> CallAsync<T>(Func<AmazonS3Client, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var client = await ClientAsync(cancellationToken);
        try
        {
            return await call(client, cancellationToken);
        }
        catch (AmazonS3Exception exception)
        {
            var error = new S3Error(exception.StatusCode, exception.ErrorCode ?? $"{(int)exception.StatusCode}", exception.Message, null, HasBody: true);
            var failure = error.ToException($"s3://{_bucket}", _bucket, _session.Region);
            throw new BackupException(failure.Kind, failure.Message, failure.Advice, exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or AmazonClientException or IOException)
        {
            throw new BackupException(FailureKind.Unavailable, $"The store of 's3://{_bucket}' cannot be reached: {(exception.InnerException ?? exception).Message}", "Check -EndpointUrl, -Region, the network and its proxy.", exception);
        }
    }

    private async ValueTask<AmazonS3Client> ClientAsync(CancellationToken cancellationToken)
    {
        if (_client is { } client)
            return client;
        await _creating.WaitAsync(cancellationToken);
        try
        {
            return _client ??= new AmazonS3Client(await _session.GetCredentialsAsync(cancellationToken), _config);
        }
        finally
        {
            _creating.Release();
        }
    }

    private sealed class TrustingFactory(StoreOptions options) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(S3Http.CreateHandler(options));
    }
}
