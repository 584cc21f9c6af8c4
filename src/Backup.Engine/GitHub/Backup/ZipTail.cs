namespace Backup.Engine.GitHub;

/// <summary>Passes an archive through and ends with an exception where it has no end: one that was cut is not stored.</summary>
internal sealed class ZipTail(Stream archive, string name) : ReadOnlyStream
{
    // The end record is 22 bytes and a comment: of GitHub's archives the commit (APPNOTE.TXT, 4.3.16).
    private const int MaxTail = 22 + 1024;
    private static readonly byte[] EndRecord = [0x50, 0x4b, 5, 6];

    private readonly byte[] _tail = new byte[MaxTail];
    private int _length;
    private long _count;

    public override long Length => throw new NotSupportedException();

    protected override long BytesRead => _count;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        var read = await archive.ReadAsync(buffer, cancellationToken);
        if (read > 0)
            Remember(buffer.Span[..read]);
        else if (_tail.AsSpan(0, _length).LastIndexOf(EndRecord) < 0)
            throw new BackupException(FailureKind.Corrupt, $"The archive of '{name}' was cut after {_count} bytes.", "Run again.");
        return read;
    }

    private void Remember(ReadOnlySpan<byte> bytes)
    {
        _count += bytes.Length;
        if (bytes.Length >= MaxTail)
        {
            bytes[^MaxTail..].CopyTo(_tail);
            _length = MaxTail;
            return;
        }

        var kept = Math.Min(_length, MaxTail - bytes.Length);
        _tail.AsSpan(_length - kept, kept).CopyTo(_tail);
        bytes.CopyTo(_tail.AsSpan(kept));
        _length = kept + bytes.Length;
    }
}
