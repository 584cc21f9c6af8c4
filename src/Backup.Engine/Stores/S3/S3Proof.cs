using System.Net;
using System.Security.Cryptography;
using Backup.Engine.Stores.Checksums;
using Backup.Engine.Stores.Transfer;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Stores.S3;

/// <summary>How an endpoint proves what it received, the strongest first.</summary>
internal enum S3Proof
{
    /// <summary>It verifies CRC-64/NVME over the whole object, and says so in its answer.</summary>
    Crc64Nvme,

    /// <summary>Its entity tag is the MD5 of what it received.</summary>
    Md5,

    /// <summary>It verifies the SHA-256 that is part of the signature.</summary>
    SignedPayload,
}

/// <summary>
/// Finds out how an endpoint proves what it received. AWS is known. Of any other endpoint no header can be believed, since some
/// echo a checksum that they never computed: it is sent a wrong one, and has to refuse it.
/// </summary>
internal sealed class S3ProofDetector(S3Http http, string prefix, BlockPool pool, MemoryBudget budget, ILogger? logger)
{
    private static readonly TimeSpan CleanupTimeout = TimeSpan.FromSeconds(30);
    private static readonly byte[] Content = "AtlassianBackup asks whether this store verifies what it receives.\n"u8.ToArray();

    public async Task<S3Proof> DetectAsync(CancellationToken cancellationToken)
    {
        var proof = await DetectOneAsync(cancellationToken);
        logger?.LogInformation("The endpoint proves what it receives by {Proof}.", proof);
        return proof;
    }

    private async Task<S3Proof> DetectOneAsync(CancellationToken cancellationToken)
    {
        var wrongCrc = Crc64Nvme.ToBase64(~Crc64Nvme.Hash(Content));
        if (await RefusesAsync(request => request.With("x-amz-checksum-crc64nvme", wrongCrc), null, cancellationToken))
            return S3Proof.Crc64Nvme;
        if (await TagsWithMd5Async(cancellationToken))
            return S3Proof.Md5;
        if (await RefusesAsync(request => request, SigV4Signer.EmptyPayload, cancellationToken))
            return S3Proof.SignedPayload;
        throw new BackupException(
            FailureKind.NotSupported,
            $"The endpoint of '{http.NameOf(null)}' offers no proof of what it receives: no checksum, no MD5 entity tag, no verified signature.",
            "Use an endpoint that verifies uploads. AWS and most S3-compatible stores do.");
    }

    private async Task<bool> RefusesAsync(Func<S3Request, S3Request> wrong, string? payloadSha256, CancellationToken cancellationToken)
    {
        var (response, error) = await PutAsync(wrong, payloadSha256, cancellationToken);
        if (response is not null)
            return false;
        // A header that the endpoint does not know is refused too, but in other words.
        if (error!.Kind == FailureKind.ChecksumMismatch)
            return true;
        return error.Status is HttpStatusCode.BadRequest or HttpStatusCode.NotImplemented
            ? false
            : throw error.ToException(http.NameOf(null), http.Bucket, http.Region);
    }

    private async Task<bool> TagsWithMd5Async(CancellationToken cancellationToken)
    {
        var (etag, error) = await PutAsync(request => request, null, cancellationToken);
        if (error is not null)
            throw error.ToException(http.NameOf(null), http.Bucket, http.Region);
        return etag is not null && etag.Equals(Convert.ToHexStringLower(MD5.HashData(Content)), StringComparison.OrdinalIgnoreCase);
    }

    private async Task<(string? ETag, S3Error? Error)> PutAsync(Func<S3Request, S3Request> prepare, string? payloadSha256, CancellationToken cancellationToken)
    {
        var key = $"{prefix}_catalog/.probe-{Guid.NewGuid():n}";
        using var source = new SourceReader(new MemoryStream(Content), key, WriteOptions.Default);
        using var part = await PartBuffer.CreateAsync(pool, budget, Content.Length, cancellationToken);
        await part.FillAsync(source, cancellationToken);
        var request = prepare(new S3Request(HttpMethod.Put, key) { Part = part, PayloadSha256 = payloadSha256, SignPayload = true, IsProbe = true });
        var (response, error, _) = await http.TrySendAsync(request, cancellationToken);
        if (response is null)
            return (null, error);
        using (response)
        {
            await RemoveAsync(key, response.VersionId);
            return (response.ETag ?? "", null);
        }
    }

    // The caller's token may have been cancelled since: what was written is removed all the same.
    private async Task RemoveAsync(string key, string? version)
    {
        var delete = new S3Request(HttpMethod.Delete, key);
        if (version is not null)
            delete.Ask("versionId", version);
        using var deadline = new CancellationTokenSource(CleanupTimeout);
        string? reason;
        try
        {
            var (deleted, refused, _) = await http.TrySendAsync(delete, deadline.Token);
            deleted?.Dispose();
            reason = refused?.Code;
        }
        catch (Exception exception) when (exception is BackupException or OperationCanceledException)
        {
            reason = exception.Message;
        }

        if (reason is not null)
            logger?.LogWarning("The probe '{Key}' could not be removed ({Reason}); it is {Bytes} bytes and may stay.", http.NameOf(key), reason, Content.Length);
    }
}
