using Microsoft.Extensions.Logging;

namespace Backup.Engine.Stores.S3;

/// <summary>A part that S3 holds of an interrupted upload.</summary>
/// <param name="Size">Its size in bytes.</param>
/// <param name="ETag">Its entity tag without quotes: MD5, unless it is encrypted with KMS.</param>
/// <param name="Crc64Nvme">Its checksum in base64, where S3 keeps one.</param>
internal sealed record HeldPart(long Size, string ETag, string? Crc64Nvme);

/// <summary>
/// Uploads that an earlier run left unfinished. They are listed once, when the first large object is written: what begins later is no one's left-over.
/// </summary>
internal sealed class ResumableUploads(S3Control control, string prefix, ILogger? logger)
{
    private readonly SemaphoreSlim _lock = new(1, 1);
    private Dictionary<string, string>? _uploads;

    /// <summary>Takes the interrupted upload of a key, if there is one.</summary>
    public async Task<(string UploadId, IReadOnlyDictionary<int, HeldPart> Held)?> ClaimAsync(string key, CancellationToken cancellationToken)
    {
        await _lock.WaitAsync(cancellationToken);
        try
        {
            _uploads ??= await ListAsync(cancellationToken);
            if (!_uploads.Remove(key, out var uploadId))
                return null;
            var parts = await control.ListPartsAsync(key, uploadId, cancellationToken);
            logger?.LogInformation("Continuing an interrupted upload of '{Key}': {Parts} parts are stored.", key, parts.Count);
            return (uploadId, parts);
        }
        catch (BackupException exception)
        {
            logger?.LogWarning("Interrupted uploads cannot be continued: {Reason}", exception.Message);
            return null;
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task<Dictionary<string, string>> ListAsync(CancellationToken cancellationToken)
    {
        var uploads = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            // In the order of their beginning, so that the last one stays.
            await foreach (var (key, uploadId) in control.ListUploadsAsync(prefix, cancellationToken))
                uploads[key] = uploadId;
        }
        catch (BackupException exception)
        {
            logger?.LogWarning("Interrupted uploads cannot be listed: {Reason}", exception.Message);
        }

        return uploads;
    }
}
