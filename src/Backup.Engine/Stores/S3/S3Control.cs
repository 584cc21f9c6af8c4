using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Backup.Engine.Aws;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Stores.S3;

/// <summary>An upload that was neither completed nor aborted.</summary>
/// <param name="Key">The whole key.</param>
/// <param name="UploadId">Its id.</param>
/// <param name="Initiated">When it was begun, in UTC.</param>
/// <param name="StorageClass">The class that it was begun with, or null where the store does not say.</param>
/// <param name="ChecksumAlgorithm">The checksum that it was begun with, or null where the store does not say.</param>
internal sealed record OpenUpload(string Key, string UploadId, DateTime Initiated, string? StorageClass, string? ChecksumAlgorithm);

/// <summary>What a bucket is set to; null where it may not be looked at, or the endpoint does not say.</summary>
/// <param name="IsVersioned">Overwritten and deleted objects stay.</param>
/// <param name="HasObjectLock">Objects can be locked.</param>
internal sealed record BucketFacts(bool? IsVersioned, bool? HasObjectLock);

/// <summary>The rare calls, through the AWS SDK: listings, restore requests, buckets.</summary>
internal sealed class S3Control : IDisposable
{
    private const string UploadRule = "AtlassianBackup-abort-incomplete-uploads";
    private const int UploadDays = 7;
    private static readonly TimeSpan CleanupTimeout = TimeSpan.FromSeconds(30);

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
        // The SDK's own connections would wait for minutes where nothing answers.
        _config.HttpClientFactory = new ConnectionFactory(options);
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
                    Key = Key(item.Key, page.Encoding),
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

    /// <summary>Lists unfinished uploads, those of one key next to each other.</summary>
    public async IAsyncEnumerable<OpenUpload> ListUploadsAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = _bucket, Prefix = prefix, Encoding = EncodingType.Url, ExpectedBucketOwner = _options.ExpectedBucketOwner };
        while (true)
        {
            var page = await CallAsync((client, token) => client.ListMultipartUploadsAsync(request, token), cancellationToken);
            foreach (var upload in page.MultipartUploads ?? [])
                yield return new(Key(upload.Key, page.EncodingType), upload.UploadId, upload.Initiated?.ToUniversalTime() ?? default, upload.StorageClass?.Value, upload.ChecksumAlgorithm?.Value);
            if (page.IsTruncated != true)
                yield break;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker is null ? null : Key(page.NextKeyMarker, page.EncodingType), page.NextUploadIdMarker);
        }
    }

    /// <summary>Lists the parts that S3 holds of an upload.</summary>
    public async Task<IReadOnlyDictionary<int, HeldPart>> ListPartsAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        var held = new Dictionary<int, HeldPart>();
        var request = new ListPartsRequest { BucketName = _bucket, Key = key, UploadId = uploadId, ExpectedBucketOwner = _options.ExpectedBucketOwner };
        while (true)
        {
            var page = await CallAsync((client, token) => client.ListPartsAsync(request, token), cancellationToken, key);
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
            var response = await CallAsync((client, token) => client.RestoreObjectAsync(request, token), cancellationToken, key);
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
    /// and unfinished uploads are removed after a week, so that a crash never leaves parts that are billed for ever. A bucket that is there is left
    /// as it is: its rules are its owner's.
    /// </summary>
    public async Task EnsureBucketAsync(int versionDays, CancellationToken cancellationToken)
    {
        // In us-east-1 creating one's own bucket again succeeds, so that has to be asked before.
        if (await BucketExistsAsync(cancellationToken))
            return;
        try
        {
            await CallAsync((client, token) => client.PutBucketAsync(NewBucket(), token), cancellationToken);
        }
        catch (BackupException exception) when (exception.InnerException is AmazonS3Exception { ErrorCode: "BucketAlreadyOwnedByYou" })
        {
            return;
        }

        try
        {
            await ConfigureAsync(versionDays, cancellationToken);
        }
        catch
        {
            // Half made it would be taken for somebody's own the next time. It is empty.
            using var deadline = new CancellationTokenSource(CleanupTimeout);
            try
            {
                await CallAsync((client, token) => client.DeleteBucketAsync(new DeleteBucketRequest { BucketName = _bucket }, token), deadline.Token);
            }
            catch (Exception exception) when (exception is BackupException or OperationCanceledException)
            {
                _options.Logger?.LogWarning("The bucket '{Bucket}' was created and neither configured nor removed: {Reason}", _bucket, exception.Message);
            }

            throw;
        }
    }

    /// <summary>Looks at what the bucket is set to. It changes nothing.</summary>
    public async Task<BucketFacts> DescribeBucketAsync(CancellationToken cancellationToken)
    {
        var versioning = await TryAsync(async () => (await CallAsync((client, token) => client.GetBucketVersioningAsync(new GetBucketVersioningRequest { BucketName = _bucket, ExpectedBucketOwner = _options.ExpectedBucketOwner }, token), cancellationToken)).VersioningConfig?.Status == VersionStatus.Enabled);
        var locks = await TryAsync(async () => (await CallAsync((client, token) => client.GetObjectLockConfigurationAsync(new() { BucketName = _bucket, ExpectedBucketOwner = _options.ExpectedBucketOwner }, token), cancellationToken)).ObjectLockConfiguration?.ObjectLockEnabled == ObjectLockEnabled.Enabled);
        return new(versioning, locks);
    }

    private static async Task<bool?> TryAsync(Func<Task<bool>> look)
    {
        try
        {
            return await look();
        }
        catch (BackupException exception)
        {
            // A bucket that never had Object Lock answers so.
            return exception.InnerException is AmazonS3Exception { ErrorCode: "ObjectLockConfigurationNotFoundError" } ? false : null;
        }
    }

    private async Task<bool> BucketExistsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync((client, token) => client.HeadBucketAsync(new HeadBucketRequest { BucketName = _bucket, ExpectedBucketOwner = _options.ExpectedBucketOwner }, token), cancellationToken);
            return true;
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.PermissionDenied)
        {
            // Whether it is somebody else's, creating it tells.
            return false;
        }
    }

    private async Task ConfigureAsync(int versionDays, CancellationToken cancellationToken)
    {
        await CallAsync((client, token) => client.PutBucketVersioningAsync(new() { BucketName = _bucket, VersioningConfig = new() { Status = VersionStatus.Enabled } }, token), cancellationToken);
        await CallAsync((client, token) => client.PutPublicAccessBlockAsync(new()
        {
            BucketName = _bucket,
            PublicAccessBlockConfiguration = new() { BlockPublicAcls = true, BlockPublicPolicy = true, IgnorePublicAcls = true, RestrictPublicBuckets = true },
        }, token), cancellationToken);
        await CallAsync((client, token) => client.PutLifecycleConfigurationAsync(new() { BucketName = _bucket, Configuration = new() { Rules = Rules(versionDays) } }, token), cancellationToken);
    }

    public void Dispose() => _client?.Dispose();

    // An endpoint that does not know the encoding gives keys as they are, plus signs included.
    private static string Key(string listed, EncodingType? encoding) => encoding == EncodingType.Url ? Decode(listed) : listed;

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

    private async Task<T> CallAsync<T>(Func<AmazonS3Client, CancellationToken, Task<T>> call, CancellationToken cancellationToken, string? key = null)
    {
        var client = await ClientAsync(cancellationToken);
        // Where there are none any more, this says so in its own words.
        await _session.GetKeysAsync(cancellationToken);
        var what = key is null ? $"s3://{_bucket}" : $"s3://{_bucket}/{key}";
        try
        {
            return await call(client, cancellationToken);
        }
        catch (AmazonS3Exception exception)
        {
            var error = new S3Error(exception.StatusCode, exception.ErrorCode ?? $"{(int)exception.StatusCode}", exception.Message, null, HasBody: true);
            var failure = error.ToException(what, _bucket, _session.Region);
            throw new BackupException(failure.Kind, failure.Message, failure.Advice, exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BackupException(FailureKind.TimedOut, $"'{what}' got no answer in time.", "Check the network, then run again: what is stored stays stored.", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or AmazonClientException or AmazonServiceException or IOException or TimeoutException)
        {
            var origin = _session.Endpoint is { } endpoint ? S3Http.OriginOf(endpoint) : $"s3.{_session.Region}";
            throw new BackupException(FailureKind.Unavailable, $"The store of '{what}' at {origin} cannot be reached: {(exception.InnerException ?? exception).Message.TrimEnd('.')}.", "Check -EndpointUrl, -Region, the network and its proxy.", exception);
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

    private sealed class ConnectionFactory(StoreOptions options) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(S3Http.CreateHandler(options));
    }
}
