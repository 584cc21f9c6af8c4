namespace Backup.Engine.GitHub.Git;

/// <summary>
/// A bundle as it comes from the server: the header, then the pack, which git takes in at the same time. It ends only when git has
/// accepted the pack and <paramref name="prove"/> has held it against the refs; until then the store has not completed the object,
/// and what fails here is never visible there.
/// </summary>
internal sealed class BundleStream(ReadOnlyMemory<byte> header, PackFetch pack, PackIngest ingest, Action<IngestedPack> prove) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _rest = header;
    private bool _isOver;
    private long _read;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override long BytesRead => _read;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_rest.IsEmpty && !_isOver)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _rest = await pack.ReadAsync();
            if (_rest.IsEmpty)
            {
                prove(await ingest.FinishAsync());
                _isOver = true;
            }
            else
            {
                await ingest.WriteAsync(_rest);
            }
        }

        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        _read += count;
        return count;
    }
}
