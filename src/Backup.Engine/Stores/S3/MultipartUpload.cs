using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Stores.Checksums;
using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Stores.S3;

/// <summary>
/// Writes one large object in parts. Parts are read in order and sent side by side, as many as the memory budget and the gate allow.
/// An upload that a killed run left behind is continued: the source is read again, and of its parts only those are sent that S3 does not hold.
/// </summary>
internal sealed class MultipartUpload(
    S3Http http,
    BlockPool pool,
    MemoryBudget budget,
    ResumableUploads resumable,
    string key,
    WriteOptions options,
    S3Proof proof,
    PartPlan plan,
    Func<string, S3Response, long, StoredObject> describe)
{
    private const string ChecksumAlgorithm = "CRC64NVME";
    private static readonly TimeSpan CompleteTimeout = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan CleanupTimeout = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<int, SentPart> _sent = new();
    private IReadOnlyList<string> _superseded = [];
    private bool _isContinued;

    /// <summary>Sends everything and makes the object visible.</summary>
    /// <param name="source">The source, which <paramref name="buffer"/> was filled from.</param>
    /// <param name="buffer">The first part.</param>
    /// <param name="cancellationToken">Cancels the upload, and removes what was sent of it.</param>
    public async Task<StoredObject> RunAsync(SourceReader source, PartBuffer buffer, CancellationToken cancellationToken)
    {
        string? uploadId = null;
        var sending = new List<Task>();
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            IReadOnlyDictionary<int, HeldPart> held;
            try
            {
                (uploadId, held) = await StartAsync(cancellationToken);
            }
            catch
            {
                buffer.Dispose();
                throw;
            }

            await SendPartsAsync(uploadId, held, source, buffer, sending, failed);
            var stored = await CompleteAsync(uploadId, source, cancellationToken);
            foreach (var superseded in _superseded)
                await AbortAsync(superseded);
            return stored;
        }
        catch (Exception exception)
        {
            await failed.CancelAsync();
            await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (uploadId is not null)
                await AbortAsync(uploadId);
            // A part that failed cancels the reading: the part's failure is the one to tell.
            if (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested && sending.Find(task => task.IsFaulted) is { } culprit)
                await culprit;
            throw;
        }
    }

    private async Task SendPartsAsync(string uploadId, IReadOnlyDictionary<int, HeldPart> held, SourceReader source, PartBuffer first, List<Task> sending, CancellationTokenSource failed)
    {
        var token = failed.Token;
        var buffer = first;
        for (var number = 1; ; number++)
        {
            var end = false;
            try
            {
                end = await source.AtEndAsync(token);
                if (number == PartPlan.MaxParts && !end)
                    throw new BackupException(FailureKind.InvalidInput, $"'{http.NameOf(key)}' is larger than S3 takes in {PartPlan.MaxParts} parts.");
            }
            catch
            {
                buffer.Dispose();
                throw;
            }

            sending.Add(SendPartAsync(uploadId, number, held.GetValueOrDefault(number), buffer, source.EndPart(), failed));
            if (end)
                break;
            buffer = await PartBuffer.CreateAsync(pool, budget, plan.SizeOf(number + 1), token);
            try
            {
                await buffer.FillAsync(source, token);
            }
            catch
            {
                buffer.Dispose();
                throw;
            }
        }

        await Task.WhenAll(sending);
    }

    private async Task SendPartAsync(string uploadId, int number, HeldPart? held, PartBuffer buffer, ulong crc64, CancellationTokenSource failed)
    {
        // Hashing a part and starting to send it must not hold up the reading of the next.
        await Task.Yield();
        using (buffer)
        {
            try
            {
                var crc = proof == S3Proof.Crc64Nvme ? Crc64Nvme.ToBase64(crc64) : null;
                var md5 = proof == S3Proof.Md5 || (held is not null && held.Crc64Nvme is null) ? buffer.Hash(HashAlgorithmName.MD5) : null;
                if (held is not null && held.Size == buffer.Length && (held.Crc64Nvme is not null ? held.Crc64Nvme == crc : held.ETag == Convert.ToHexStringLower(md5!)))
                {
                    _sent[number] = new(held.ETag, crc, md5);
                }
                else
                {
                    var request = new S3Request(HttpMethod.Put, key) { Part = buffer, SignPayload = proof == S3Proof.SignedPayload }
                        .Ask("partNumber", $"{number}").Ask("uploadId", uploadId)
                        .With("x-amz-checksum-crc64nvme", crc)
                        .With("content-md5", proof == S3Proof.Md5 ? Convert.ToBase64String(md5!) : null);
                    using var response = await http.SendAsync(request, failed.Token);
                    var etag = response.ETag ?? "";
                    if (crc is not null)
                        S3ObjectStore.Confirm($"{http.NameOf(key)}, part {number}", new(ObjectChecksum.Crc64Nvme, crc), response.Header("x-amz-checksum-crc64nvme"));
                    else if (proof == S3Proof.Md5)
                        S3ObjectStore.Confirm($"{http.NameOf(key)}, part {number}", new(ObjectChecksum.Md5, Convert.ToHexStringLower(md5!)), etag);
                    _sent[number] = new(etag, crc, md5);
                }

                options.Progress?.Report(buffer.Length);
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }
    }

    private async Task<(string UploadId, IReadOnlyDictionary<int, HeldPart> Held)> StartAsync(CancellationToken cancellationToken)
    {
        var left = await resumable.ClaimAsync(key, options.StorageClass ?? "STANDARD", proof == S3Proof.Crc64Nvme ? ChecksumAlgorithm : null, cancellationToken);
        _superseded = left.Superseded;
        if (left.Continued is { } interrupted)
        {
            _isContinued = true;
            return interrupted;
        }

        var request = new S3Request(HttpMethod.Post, key).Ask("uploads");
        request.WithObjectHeaders(options, http.Options, options.ExpectedSha256?.ToLowerInvariant());
        if (proof == S3Proof.Crc64Nvme)
            request.With("x-amz-checksum-algorithm", ChecksumAlgorithm).With("x-amz-checksum-type", "FULL_OBJECT");
        var (response, error, _) = await http.TrySendAsync(request, cancellationToken);
        if (response is null)
            throw error!.ToException(http.NameOf(key), http.Bucket, http.Region, options.StorageClass);
        using var answer = response;
        return XmlFields.Read(response.Text).GetValueOrDefault("UploadId") is { } id
            ? (id, new Dictionary<int, HeldPart>())
            : throw new BackupException(FailureKind.Unavailable, $"The store began no upload for '{http.NameOf(key)}': it answered without an upload id.");
    }

    private async Task<StoredObject> CompleteAsync(string uploadId, SourceReader source, CancellationToken cancellationToken)
    {
        var parts = _sent.OrderBy(part => part.Key).ToList();
        var body = new StringBuilder("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        foreach (var (number, part) in parts)
        {
            body.Append("<Part><PartNumber>").Append(number).Append("</PartNumber><ETag>&quot;").Append(XmlText.Escape(part.ETag)).Append("&quot;</ETag>");
            if (part.Crc64Nvme is { } crc)
                body.Append("<ChecksumCRC64NVME>").Append(crc).Append("</ChecksumCRC64NVME>");
            body.Append("</Part>");
        }

        var expected = proof switch
        {
            S3Proof.Crc64Nvme => new ObjectChecksum(ObjectChecksum.Crc64Nvme, Crc64Nvme.ToBase64(source.Crc64)),
            S3Proof.Md5 => new(ObjectChecksum.Md5, MultipartETag(parts.Select(part => part.Value.Md5!), parts.Count)),
            _ => new(ObjectChecksum.SignedSha256, source.Sha256),
        };
        var request = new S3Request(HttpMethod.Post, key) { Body = Encoding.UTF8.GetBytes(body.Append("</CompleteMultipartUpload>").ToString()), AnswerTimeout = CompleteTimeout }
            .Ask("uploadId", uploadId)
            .With("content-type", "application/xml")
            .With("if-none-match", options.OnlyIfAbsent ? "*" : null);
        if (proof == S3Proof.Crc64Nvme)
        {
            request.With("x-amz-checksum-crc64nvme", expected.Value)
                .With("x-amz-checksum-type", "FULL_OBJECT")
                .With("x-amz-mp-object-size", $"{source.Count}");
        }

        var (response, error, attempts) = await http.TrySendAsync(request, cancellationToken);
        if (response is null)
        {
            // The answer to the first attempt may have been lost after the object had been made.
            if (attempts > 1 && error!.Kind is FailureKind.NotFound or FailureKind.AlreadyExists && await FindOursAsync(expected, source, cancellationToken) is { } ours)
                return ours;
            throw error!.ToException(http.NameOf(key), http.Bucket, http.Region);
        }

        using (response)
        {
            if (_isContinued)
                await CheckMetadataAsync(cancellationToken);
            var fields = XmlFields.Read(response.Text);
            var etag = fields.GetValueOrDefault("ETag")?.Trim('"');
            if (string.IsNullOrEmpty(etag))
                throw new BackupException(FailureKind.Unavailable, $"What answered for '{http.NameOf(key)}' does not say that the object was made.", "Check -EndpointUrl and the network's proxy, then run again.");
            Confirm(expected, fields.GetValueOrDefault("ChecksumCRC64NVME") ?? response.Header("x-amz-checksum-crc64nvme"), etag);
            return Describe(response, expected, etag, source);
        }
    }

    /// <summary>A continued upload keeps the metadata that it was begun with, and S3 shows them only now.</summary>
    private async Task CheckMetadataAsync(CancellationToken cancellationToken)
    {
        using var response = await http.SendAsync(new(HttpMethod.Head, key), cancellationToken);
        var metadata = response.Metadata();
        var asked = options.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal);
        var known = options.ExpectedSha256?.ToLowerInvariant() ?? asked.GetValueOrDefault(S3Headers.Sha256);
        if (asked.All(pair => metadata.GetValueOrDefault(pair.Key) == pair.Value)
            && (known is null || metadata.GetValueOrDefault(S3Headers.Sha256) == known)
            && metadata.Keys.All(name => name == S3Headers.Sha256 || asked.ContainsKey(name))
            && (known is not null || !metadata.ContainsKey(S3Headers.Sha256)))
        {
            return;
        }

        throw new BackupException(FailureKind.ChangedWhileRead, $"'{http.NameOf(key)}' was continued from an interrupted upload, and has that one's metadata: its source has changed since.", "Its bytes are whole. Run again: it is then written anew.");
    }

    private void Confirm(ObjectChecksum expected, string? crc, string? etag) => S3ObjectStore.Confirm(http.NameOf(key), expected, expected.Algorithm switch
    {
        ObjectChecksum.Crc64Nvme => crc,
        ObjectChecksum.Md5 => etag,
        _ => expected.Value,
    });

    private async Task<StoredObject?> FindOursAsync(ObjectChecksum expected, SourceReader source, CancellationToken cancellationToken)
    {
        var (response, _, _) = await http.TrySendAsync(new S3Request(HttpMethod.Head, key).With("x-amz-checksum-mode", "ENABLED"), cancellationToken);
        if (response is null)
            return null;
        using (response)
        {
            var same = response.ContentLength == source.Count && expected.Algorithm switch
            {
                ObjectChecksum.Crc64Nvme => response.Header("x-amz-checksum-crc64nvme") == expected.Value,
                ObjectChecksum.Md5 => string.Equals(response.ETag, expected.Value, StringComparison.OrdinalIgnoreCase),
                _ => false,
            };
            return same ? Describe(response, expected, response.ETag, source) : null;
        }
    }

    private StoredObject Describe(S3Response response, ObjectChecksum expected, string? etag, SourceReader source) => describe(key, response, source.Count) with
    {
        Sha256 = source.Sha256,
        Checksum = expected,
        ETag = etag,
        StorageClass = options.StorageClass ?? "STANDARD",
        Metadata = options.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal),
        Archive = ArchiveState.Readable,
    };

    // The caller's token may be the one that was just cancelled.
    private async Task AbortAsync(string uploadId)
    {
        using var deadline = new CancellationTokenSource(CleanupTimeout);
        try
        {
            var (response, _, _) = await http.TrySendAsync(new S3Request(HttpMethod.Delete, key).Ask("uploadId", uploadId), deadline.Token);
            response?.Dispose();
        }
        catch (Exception exception) when (exception is BackupException or OperationCanceledException)
        {
            // What cannot be removed now is continued by the next run, or removed by the bucket's lifecycle rule.
        }
    }

    private static string MultipartETag(IEnumerable<byte[]> md5s, int count)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        foreach (var md5 in md5s)
            hash.AppendData(md5);
        return $"{Convert.ToHexStringLower(hash.GetHashAndReset())}-{count}";
    }

    private sealed record SentPart(string ETag, string? Crc64Nvme, byte[]? Md5);
}
