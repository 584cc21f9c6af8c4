using Microsoft.Extensions.Logging;

namespace Backup.Engine.Stores.S3;

/// <summary>A part that S3 holds of an interrupted upload.</summary>
/// <param name="Size">Its size in bytes.</param>
/// <param name="ETag">Its entity tag without quotes: MD5, unless it is encrypted with KMS.</param>
/// <param name="Crc64Nvme">Its checksum in base64, where S3 keeps one.</param>
internal sealed record HeldPart(long Size, string ETag, string? Crc64Nvme);

/// <summary>What is left of earlier runs for one key.</summary>
/// <param name="Continued">The upload to continue and its parts, or null.</param>
/// <param name="Superseded">Uploads that are of no use once the object is whole.</param>
internal sealed record LeftOver((string UploadId, IReadOnlyDictionary<int, HeldPart> Held)? Continued, IReadOnlyList<string> Superseded)
{
    /// <summary>Nothing.</summary>
    public static LeftOver Nothing { get; } = new(null, []);
}

/// <summary>
/// Uploads that an earlier run left unfinished. They are listed once, when the first large object is written: what begins later is no one's left-over.
/// </summary>
internal sealed class ResumableUploads(S3Control control, string prefix, ILogger? logger)
{
    private readonly SemaphoreSlim _lock = new(1, 1);
    private Dictionary<string, List<OpenUpload>>? _uploads;

    /// <summary>Takes the interrupted uploads of a key. The newest that was begun in the same way is continued.</summary>
    /// <param name="key">The whole key.</param>
    /// <param name="storageClass">The storage class that the object is to have.</param>
    /// <param name="checksumAlgorithm">The checksum that the parts are sent with, or null for none.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<LeftOver> ClaimAsync(string key, string storageClass, string? checksumAlgorithm, CancellationToken cancellationToken)
    {
        List<OpenUpload>? uploads;
        await _lock.WaitAsync(cancellationToken);
        try
        {
            _uploads ??= await ListAsync(cancellationToken);
            if (!_uploads.Remove(key, out uploads))
                return LeftOver.Nothing;
        }
        finally
        {
            _lock.Release();
        }

        // What an upload was begun with cannot be changed, and would be what the object has in the end.
        var newest = uploads.Where(upload => (upload.StorageClass ?? storageClass) == storageClass && (upload.ChecksumAlgorithm ?? checksumAlgorithm) == checksumAlgorithm).MaxBy(upload => upload.Initiated);
        if (newest is null)
            return new(null, [.. uploads.Select(upload => upload.UploadId)]);
        var others = uploads.Where(upload => upload != newest).Select(upload => upload.UploadId).ToList();
        try
        {
            var parts = await control.ListPartsAsync(key, newest.UploadId, cancellationToken);
            logger?.LogInformation("Continuing an interrupted upload of '{Key}': {Parts} parts are stored.", key, parts.Count);
            return new((newest.UploadId, parts), others);
        }
        catch (BackupException exception)
        {
            logger?.LogWarning("An interrupted upload of '{Key}' cannot be continued: {Reason}", key, exception.Message);
            return new(null, others);
        }
    }

    private async Task<Dictionary<string, List<OpenUpload>>> ListAsync(CancellationToken cancellationToken)
    {
        var uploads = new Dictionary<string, List<OpenUpload>>(StringComparer.Ordinal);
        try
        {
            await foreach (var upload in control.ListUploadsAsync(prefix, cancellationToken))
            {
                if (!uploads.TryGetValue(upload.Key, out var ofKey))
                    uploads[upload.Key] = ofKey = [];
                ofKey.Add(upload);
            }
        }
        catch (BackupException exception)
        {
            logger?.LogWarning("Interrupted uploads cannot be listed: {Reason}", exception.Message);
        }

        return uploads;
    }
}
