namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// What <see cref="System.IO.Compression.DeflateStream"/> inflates from. It reads ahead of the data's end and does not say by how much, so the piece it was
/// given last stays in the source until the end has been found.
/// </summary>
/// <param name="source">The archive.</param>
/// <param name="length">The compressed size, or null where it stands behind the data.</param>
internal sealed class DeflatedData(ZipSource source, long? length) : ReadOnlyStream
{
    private long _before;

    /// <summary>Compressed bytes before <see cref="LastPiece"/>.</summary>
    public long Before => _before;

    /// <summary>The length of the piece that was given last, and is still in the source.</summary>
    public int LastPiece { get; private set; }

    /// <summary>Whether more was asked for than there is: the data does not end where its size says.</summary>
    public bool RanOut { get; private set; }

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override long BytesRead => _before + LastPiece;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        source.Advance(LastPiece);
        _before += LastPiece;
        LastPiece = 0;
        var most = (int)Math.Min(buffer.Length, length - _before ?? long.MaxValue);
        RanOut = most == 0;
        if (RanOut)
            return 0;
        LastPiece = await source.PeekAsync(buffer[..most]);
        if (LastPiece == 0 || (length is not null && LastPiece < most))
            throw source.Truncated();
        return LastPiece;
    }
}
