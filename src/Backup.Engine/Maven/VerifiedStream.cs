using Backup.Engine.Stores.S3;

namespace Backup.Engine.Maven;

/// <summary>
/// A download that is hashed as it passes. Its end is only reached where every hash is the expected one: before that it throws, and what was being written
/// is aborted. A pause that is too long ends it as well.
/// </summary>
internal sealed class VerifiedStream(Stream inner, string name, long size, IReadOnlyDictionary<string, string> expected, IProgress<long>? progress = null, bool isStored = false) : ReadOnlyStream
{
    private const string StoredAdvice = "It is damaged in the store. Remove it, then store it again with Backup-MavenPackage and -Package, where the repository still has that version.";

    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(60);

    private readonly AssetHashes _hashes = new();
    private long _read;
    private bool _isVerified;

    public override bool CanTimeout => false;

    public override long Length => size;

    protected override long BytesRead => _read;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var watch = new StallWatch(StallTimeout, cancellationToken);
        int read;
        try
        {
            read = await inner.ReadAsync(buffer, watch.Token);
        }
        catch (OperationCanceledException exception) when (watch.Stalled)
        {
            throw new BackupException(FailureKind.TimedOut, $"No byte of {name} arrived for {StallTimeout.TotalSeconds:0} s.", "Run again.", exception);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new BackupException(FailureKind.Unavailable, $"The download of {name} was cut off at byte {_read}.", "Run again.", exception);
        }

        if (read == 0 && buffer.Length > 0)
        {
            Verify();
            return 0;
        }

        _read += read;
        _hashes.Append(buffer.Span[..read]);
        progress?.Report(read);
        // A reader that knows the length does not ask for the end, so the last byte is it.
        if (_read == size)
            Verify();
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hashes.Dispose();
        base.Dispose(disposing);
    }

    private void Verify()
    {
        if (_isVerified)
            return;
        if (_read != size)
            throw new BackupException(FailureKind.LengthMismatch, $"{name} has {_read} bytes instead of {size}.", isStored ? StoredAdvice : "Run again.");
        if (AssetHashes.Difference(expected, _hashes.Finish()) is { } hash)
            throw isStored ? new(FailureKind.ChecksumMismatch, $"The {hash} of {name} is not what it was when it was stored.", StoredAdvice) : new BackupException(FailureKind.ChecksumMismatch, $"The {hash} of {name} is not what CodeArtifact says.", "Run again. Where it happens again, the asset is damaged at the source, or something on the way changes data.");
        _isVerified = true;
    }
}
