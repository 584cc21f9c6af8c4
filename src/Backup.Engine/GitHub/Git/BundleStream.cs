using System.Buffers;

namespace Backup.Engine.GitHub.Git;

/// <summary>
/// A bundle as it comes from the server: the header, then the pack, which git takes in at the same time. It ends only when git has
/// accepted the pack and <paramref name="prove"/> has held it against the refs; until then the store has not completed the object,
/// and what fails here is never visible there.
/// </summary>
internal sealed class BundleStream(ReadOnlyMemory<byte> header, PackFetch pack, PackIngest ingest, Action<IngestedPack> prove) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _header = header;
    private byte[] _feed = [];
    private Task _feeding = Task.CompletedTask;
    private bool _isOver;
    private long _read;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override long BytesRead => _read;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isOver || buffer.IsEmpty)
            return 0;
        cancellationToken.ThrowIfCancellationRequested();
        var count = Math.Min(buffer.Length, _header.Length);
        if (count > 0)
        {
            _header[..count].CopyTo(buffer);
            _header = _header[count..];
        }
        else
        {
            // Servers send 8 KiB at a time; hashing and writing that little costs more than the bytes do.
            count = await pack.ReadAsync(buffer);
            await FeedAsync(buffer[..count]);
        }

        _read += count;
        return count;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        try
        {
            await _feeding;
        }
        catch (Exception exception) when (exception is BackupException or IOException or OperationCanceledException)
        {
            // Whoever disposes of it before its end knows why.
        }

        if (_feed.Length > 0)
            ArrayPool<byte>.Shared.Return(_feed);
        _feed = [];
        await base.DisposeAsync();
    }

    // git works on what it was given while the store works on the same bytes: hence the copy.
    private async Task FeedAsync(ReadOnlyMemory<byte> bytes)
    {
        await _feeding;
        if (bytes.IsEmpty)
        {
            prove(await ingest.FinishAsync());
            _isOver = true;
            return;
        }

        if (_feed.Length < bytes.Length)
        {
            if (_feed.Length > 0)
                ArrayPool<byte>.Shared.Return(_feed);
            _feed = ArrayPool<byte>.Shared.Rent(bytes.Length);
        }

        bytes.CopyTo(_feed);
        _feeding = ingest.WriteAsync(_feed.AsMemory(0, bytes.Length)).AsTask();
    }
}
