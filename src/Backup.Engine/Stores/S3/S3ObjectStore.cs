using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Amazon.S3;
using Backup.Engine.Aws;
using Backup.Engine.Stores.Checksums;
using Backup.Engine.Stores.Transfer;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Stores.S3;

/// <summary>
/// Objects in an S3 bucket, or below a prefix of one; of AWS or of any S3-compatible endpoint. Object data goes through our own
/// transport, rare control calls through the AWS SDK.
/// </summary>
public sealed class S3ObjectStore : IObjectStore
{
    private const int MaxKeyBytes = 1024;
    private const int DeleteBatch = 1000;

    private readonly AwsSession _session;
    private readonly StoreOptions _options;
    private readonly S3Http _http;
    private readonly S3Control _control;
    private readonly BlockPool _pool = new();
    private readonly MemoryBudget _budget;
    private readonly ResumableUploads _resumable;
    private readonly SemaphoreSlim _detecting = new(1, 1);
    private S3Proof? _proof;
    private volatile bool _isThere;

    private S3ObjectStore(StoreLocation location, StoreOptions options)
    {
        Location = location;
        _options = Checked(options);
        var config = new AmazonS3Config();
        _session = new(options.Aws, config);
        _budget = new(options.MemoryBudget);
        _http = new(location.Bucket!, _session, options);
        _control = new(location.Bucket!, _session, config, options);
        _resumable = new(_control, location.Prefix, options.Logger);
        // AWS verifies CRC-64/NVME: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
        _proof = _session.Endpoint is null ? S3Proof.Crc64Nvme : null;
        Abilities = new(StorageClasses: true, Versions: true, ArchiveRestore: true, options.MaxConcurrency);
    }

    /// <inheritdoc/>
    public StoreLocation Location { get; }

    /// <inheritdoc/>
    public StoreAbilities Abilities { get; }

    /// <summary>The bytes of object data handed to the network, failed attempts included.</summary>
    public long BytesSent => _http.BytesSent;

    internal MemoryBudget Memory => _budget;

    internal BlockPool Blocks => _pool;

    /// <summary>Opens a bucket. Nothing is contacted yet.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where no region can be found.</exception>
    public static S3ObjectStore Open(StoreLocation location, StoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(location);
        return location.IsS3
            ? new(location, options ?? new())
            : throw new BackupException(FailureKind.InvalidInput, $"'{location}' is not an S3 location.");
    }

    /// <inheritdoc/>
    public async Task CheckAsync(bool forWriting, CancellationToken cancellationToken = default)
    {
        // A HEAD would do, but its errors have no body and so no reason.
        var request = new S3Request(HttpMethod.Get, null).Ask("list-type", "2").Ask("max-keys", "1").Ask("prefix", Location.Prefix);
        var (response, error, _) = await _http.TrySendAsync(request, cancellationToken);
        response?.Dispose();
        if (error is { Code: "NoSuchBucket" } && forWriting && _options.CreateBucket)
        {
            await _control.EnsureBucketAsync(_options.KeepVersionDays, cancellationToken);
            _options.Logger?.LogInformation("The bucket '{Bucket}' was created.", Location.Bucket);
        }
        else if (error is not null)
        {
            throw error.ToException(_http.NameOf(null), Location.Bucket!, _session.Region);
        }

        _isThere = true;
        if (forWriting)
            await ProofAsync(cancellationToken);
    }

    /// <summary>What the bucket is set to, where that may be looked at.</summary>
    internal Task<BucketFacts> DescribeBucketAsync(CancellationToken cancellationToken) => _control.DescribeBucketAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<StoredObject> WriteAsync(string key, Stream content, WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        options ??= WriteOptions.Default;
        var fullKey = FullKey(key);
        cancellationToken.ThrowIfCancellationRequested();
        if (options is { OnlyIfAbsent: true, LookFirst: true } && await HeadAsync(key, null, cancellationToken) is not null)
            throw AlreadyExists(fullKey);

        var proof = await ProofAsync(cancellationToken);
        using var source = new SourceReader(content, _http.NameOf(fullKey), options);
        // A part is never exchanged for a larger one: whoever held one and waited for another could wait for ever.
        var plan = new PartPlan(options.Length, _options.PartSize);
        var first = await PartBuffer.CreateAsync(_pool, _budget, Math.Min(options.Length ?? long.MaxValue, plan.SizeOf(1)), cancellationToken);
        try
        {
            await first.FillAsync(source, cancellationToken);
            if (await source.AtEndAsync(cancellationToken))
                return await PutAsync(fullKey, first, source, options, proof, cancellationToken);
        }
        catch
        {
            first.Dispose();
            throw;
        }

        var upload = new MultipartUpload(_http, _pool, _budget, _resumable, fullKey, options, proof, plan, (written, response, size) => Describe(written[Location.Prefix.Length..], response, size));
        return await upload.RunAsync(source, first, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ObjectContent> ReadAsync(string key, ReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        var fullKey = FullKey(key);
        if (options.Offset < 0 || options.Length < 0)
            throw new BackupException(FailureKind.InvalidInput, $"A range of '{_http.NameOf(fullKey)}' cannot begin at {options.Offset} and be {options.Length} bytes long.");
        if (options.Length == 0)
        {
            var head = await HeadAsync(key, options.VersionId, cancellationToken) ?? throw NotFound(fullKey);
            return options.Offset <= head.Size ? new(head, Stream.Null) : throw OutOfRange(fullKey, options.Offset, head.Size);
        }

        var reader = new ObjectReader(_http, fullKey, options, _options);
        var response = await reader.OpenAsync(cancellationToken);
        return new(Describe(key, response, response.ObjectSize), reader);
    }

    /// <inheritdoc/>
    public async Task<StoredObject?> HeadAsync(string key, string? versionId = null, CancellationToken cancellationToken = default)
    {
        var fullKey = FullKey(key);
        var request = Versioned(new S3Request(HttpMethod.Head, fullKey).With("x-amz-checksum-mode", "ENABLED"), versionId);
        var (response, error, _) = await _http.TrySendAsync(request, cancellationToken);
        if (response is not null)
        {
            using (response)
                return Describe(key, response, response.ContentLength ?? 0);
        }

        if (error!.Status == HttpStatusCode.NotFound)
        {
            // HEAD says 404 for a missing bucket and a missing object alike; once the bucket has answered it is the object.
            if (!_isThere)
                await CheckAsync(forWriting: false, cancellationToken);
            return null;
        }

        // A deleted object's marker, asked for by its version.
        if (error.Status == HttpStatusCode.MethodNotAllowed)
            return null;

        // HEAD has no body to say why; the same by GET has. Where GET finds that the keys have expired it renews them, and HEAD succeeds.
        var get = Versioned(new S3Request(HttpMethod.Get, fullKey).With("range", "bytes=0-0"), versionId);
        (response, var reason, _) = await _http.TrySendAsync(get, cancellationToken);
        response?.Dispose();
        if (reason is null or { Status: HttpStatusCode.RequestedRangeNotSatisfiable })
        {
            (response, reason, _) = await _http.TrySendAsync(request, cancellationToken);
            if (response is not null)
            {
                using (response)
                    return Describe(key, response, response.ContentLength ?? 0);
            }
        }

        throw reason!.ToException(_http.NameOf(fullKey), Location.Bucket!, _session.Region);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var item in _control.ListAsync(Location.Prefix + prefix, cancellationToken))
            yield return item with { Key = item.Key[Location.Prefix.Length..] };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<DeleteResult> DeleteAsync(IAsyncEnumerable<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var batch in keys.Chunk(DeleteBatch).WithCancellation(cancellationToken))
        {
            var results = new List<DeleteResult>(batch.Length);
            var together = new List<string>(batch.Length);
            foreach (var key in batch)
            {
                if (WhyNoKey(Location.Prefix + key) is { } reason)
                    results.Add(new(key, reason));
                else if (XmlText.CanHold(key))
                    together.Add(key);
                else
                    results.Add(new(key, await DeleteOneAsync(key, cancellationToken)));
            }

            if (together.Count > 0)
            {
                var failures = await DeleteBatchAsync(together, cancellationToken);
                results.AddRange(together.Select(key => new DeleteResult(key, failures.GetValueOrDefault(key))));
            }

            foreach (var result in results)
                yield return result;
        }
    }

    /// <inheritdoc/>
    public Task ExpireVersionsAsync(TimeSpan olderThan, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<ArchiveState> RequestRestoreAsync(string key, RestoreRequest request, CancellationToken cancellationToken = default) =>
        _control.RestoreAsync(FullKey(key), request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        _control.Dispose();
        return ValueTask.CompletedTask;
    }

    internal async Task<S3Proof> ProofAsync(CancellationToken cancellationToken)
    {
        if (_proof is { } known)
            return known;
        await _detecting.WaitAsync(cancellationToken);
        try
        {
            return _proof ??= await new S3ProofDetector(_http, Location.Prefix, _pool, _budget, _options.Logger).DetectAsync(cancellationToken);
        }
        finally
        {
            _detecting.Release();
        }
    }

    private static StoreOptions Checked(StoreOptions options)
    {
        var broken = options switch
        {
            { MemoryBudget: < 1 } => nameof(options.MemoryBudget),
            { PartSize: < 1 } => nameof(options.PartSize),
            { MaxConcurrency: < 1 } => nameof(options.MaxConcurrency),
            { MaxBandwidth: < 1 } => nameof(options.MaxBandwidth),
            { MaxAttempts: < 1 } => nameof(options.MaxAttempts),
            _ when options.StallTimeout <= TimeSpan.Zero => nameof(options.StallTimeout),
            _ when options.ConnectTimeout <= TimeSpan.Zero => nameof(options.ConnectTimeout),
            _ => null,
        };
        return broken is null ? options : throw new BackupException(FailureKind.InvalidInput, $"{broken} must be greater than 0.");
    }

    private async Task<StoredObject> PutAsync(string fullKey, PartBuffer part, SourceReader source, WriteOptions options, S3Proof proof, CancellationToken cancellationToken)
    {
        using (part)
        {
            var request = new S3Request(HttpMethod.Put, fullKey) { Part = part, PayloadSha256 = source.Sha256, SignPayload = proof == S3Proof.SignedPayload };
            request.WithObjectHeaders(options, _options, source.Sha256);
            var expected = proof switch
            {
                S3Proof.Crc64Nvme => new ObjectChecksum(ObjectChecksum.Crc64Nvme, Crc64Nvme.ToBase64(source.Crc64)),
                S3Proof.Md5 => new(ObjectChecksum.Md5, Convert.ToHexStringLower(part.Hash(HashAlgorithmName.MD5))),
                _ => new(ObjectChecksum.SignedSha256, source.Sha256),
            };
            request.WithChecksum(expected);
            if (options.OnlyIfAbsent)
                request.With("if-none-match", "*");

            var (response, error, attempts) = await _http.TrySendAsync(request, cancellationToken);
            if (error?.Kind == FailureKind.AlreadyExists && attempts > 1 && await IsOursAsync(fullKey, expected, source.Count, cancellationToken) is { } ours)
            {
                options.Progress?.Report(part.Length);
                return ours;
            }

            if (response is null)
                throw error!.ToException(_http.NameOf(fullKey), Location.Bucket!, _session.Region, options.StorageClass);
            using (response)
            {
                Confirm(_http.NameOf(fullKey), expected, expected.Algorithm switch
                {
                    ObjectChecksum.Crc64Nvme => response.Header("x-amz-checksum-crc64nvme"),
                    ObjectChecksum.Md5 => response.ETag,
                    // The signature was the proof; but what answered has to be a store.
                    _ => response.ETag is null ? null : expected.Value,
                });
                options.Progress?.Report(part.Length);
                return Describe(fullKey[Location.Prefix.Length..], response, source.Count) with
                {
                    Sha256 = source.Sha256,
                    Checksum = expected,
                    StorageClass = options.StorageClass ?? "STANDARD",
                    Metadata = options.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal),
                    Archive = ArchiveState.Readable,
                };
            }
        }
    }

    /// <summary>After a conditional write that was sent twice was refused: whether the first one had arrived after all.</summary>
    private async Task<StoredObject?> IsOursAsync(string fullKey, ObjectChecksum expected, long size, CancellationToken cancellationToken)
    {
        var head = await HeadAsync(fullKey[Location.Prefix.Length..], null, cancellationToken);
        return head is not null && head.Size == size && (head.Checksum == expected || head.Sha256 == expected.Value) ? head with { Checksum = expected } : null;
    }

    /// <summary>Holds the store to its own word about what it received.</summary>
    internal static void Confirm(string name, ObjectChecksum expected, string? received)
    {
        if (received is null || !received.Equals(expected.Value, StringComparison.OrdinalIgnoreCase))
            throw new BackupException(FailureKind.ChecksumMismatch, $"The store confirmed '{name}' with {expected.Algorithm} '{received ?? "nothing"}', not '{expected.Value}'.", "What was stored is not what was sent: run again, and check the store if it stays.");
    }

    private async Task<BackupException?> DeleteOneAsync(string key, CancellationToken cancellationToken)
    {
        var fullKey = FullKey(key);
        var (response, error, _) = await _http.TrySendAsync(new(HttpMethod.Delete, fullKey), cancellationToken);
        response?.Dispose();
        return error?.ToException(_http.NameOf(fullKey), Location.Bucket!, _session.Region);
    }

    private async Task<Dictionary<string, BackupException>> DeleteBatchAsync(List<string> keys, CancellationToken cancellationToken)
    {
        var body = new StringBuilder("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
        foreach (var key in keys)
            body.Append("<Object><Key>").Append(XmlText.Escape(FullKey(key))).Append("</Key></Object>");
        var bytes = Encoding.UTF8.GetBytes(body.Append("</Delete>").ToString());
        var request = new S3Request(HttpMethod.Post, null) { Body = bytes }
            .Ask("delete")
            .With("content-type", "application/xml")
            .With("content-md5", Convert.ToBase64String(MD5.HashData(bytes)));
        var failures = new Dictionary<string, BackupException>(StringComparer.Ordinal);
        var (response, error, _) = await _http.TrySendAsync(request, cancellationToken);
        if (response is null)
        {
            var failure = error!.ToException(_http.NameOf(null), Location.Bucket!, _session.Region);
            foreach (var key in keys)
                failures[key] = failure;
            return failures;
        }

        using (response)
        {
            // Only a DeleteResult says that what it does not name is gone.
            if (XmlFields.Read(response.Text).Root() != "DeleteResult")
            {
                var strange = new BackupException(FailureKind.Unavailable, $"What answered for '{_http.NameOf(null)}' does not say whether anything was deleted.", "Check -EndpointUrl and the network's proxy.");
                return keys.ToDictionary(key => key, _ => strange, StringComparer.Ordinal);
            }

            foreach (var (key, code, message) in XmlText.DeleteErrors(response.Text))
                failures[key[Location.Prefix.Length..]] = new S3Error(HttpStatusCode.BadRequest, code, message, null, HasBody: true).ToException(_http.NameOf(key), Location.Bucket!, _session.Region);
        }

        return failures;
    }

    private static StoredObject Describe(string key, S3Response response, long size)
    {
        var metadata = response.Metadata();
        var storageClass = response.Header("x-amz-storage-class") ?? "STANDARD";
        var etag = response.ETag;
        return new()
        {
            Key = key,
            Size = size,
            Sha256 = metadata.GetValueOrDefault(S3Headers.Sha256),
            Checksum = response.Header("x-amz-checksum-crc64nvme") is { } crc ? new(ObjectChecksum.Crc64Nvme, crc)
                // Of an object that KMS encrypted the entity tag is no hash of the content.
                : etag is { Length: >= 32 } && response.Header("x-amz-server-side-encryption")?.StartsWith("aws:", StringComparison.Ordinal) != true ? new(ObjectChecksum.Md5, etag)
                : null,
            ETag = etag,
            VersionId = response.VersionId,
            StorageClass = storageClass,
            LastModified = response.LastModified.ToUniversalTime(),
            Archive = S3Headers.ArchiveState(storageClass, response.Header("x-amz-restore")),
            LockedUntil = DateTimeOffset.TryParse(response.Header("x-amz-object-lock-retain-until-date"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until) ? until : null,
            Metadata = metadata,
        };
    }

    private string FullKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Length == 0)
            throw new BackupException(FailureKind.InvalidInput, "A key is empty.");
        var fullKey = Location.Prefix + key;
        return WhyNoKey(fullKey) is { } reason ? throw reason : fullKey;
    }

    private static BackupException? WhyNoKey(string fullKey)
    {
        try
        {
            var bytes = StrictUtf8.GetByteCount(fullKey);
            return bytes is > 0 and <= MaxKeyBytes ? null : new(FailureKind.InvalidInput, $"The key '{(fullKey.Length > 80 ? fullKey[..80] + "…" : fullKey)}' is {bytes} bytes long; S3 takes 1 to {MaxKeyBytes}.");
        }
        catch (EncoderFallbackException exception)
        {
            return new(FailureKind.InvalidInput, "A key is not well-formed Unicode.", null, exception);
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static S3Request Versioned(S3Request request, string? versionId) => versionId is null ? request : request.Ask("versionId", versionId);

    private BackupException AlreadyExists(string fullKey) => new(FailureKind.AlreadyExists, $"'{_http.NameOf(fullKey)}' exists already.");

    private BackupException NotFound(string fullKey) => new(FailureKind.NotFound, $"'{_http.NameOf(fullKey)}' does not exist.");

    private BackupException OutOfRange(string fullKey, long offset, long size) =>
        new(FailureKind.InvalidInput, $"'{_http.NameOf(fullKey)}' has {size} bytes; nothing begins at {offset}.");
}
