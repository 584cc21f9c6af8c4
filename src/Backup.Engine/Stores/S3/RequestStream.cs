using System.Buffers.Text;

namespace Backup.Engine.Stores.S3;

/// <summary>
/// A connection, above TLS, that sends the head of a request together with the small body that follows it: .NET sends them apart, which
/// for a small object is twice the packets, the TLS records and the wake-ups of both ends. What it cannot follow goes out as it comes.
/// </summary>
internal sealed class RequestStream(Stream connection) : Stream
{
    // Copying more than this costs more than the second packet.
    private const int WorthJoining = 32 << 10;

    private byte[] _buffer = [];
    private int _held;
    private long _bodyLeft;
    private bool _isLost;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isLost || buffer.IsEmpty)
            return connection.WriteAsync(buffer, cancellationToken);
        if (_bodyLeft > 0)
        {
            _bodyLeft -= buffer.Length;
            return _held > 0 ? JoinAsync(buffer, cancellationToken) : connection.WriteAsync(buffer, cancellationToken);
        }

        if (!MayWait(buffer.Span))
            return connection.WriteAsync(buffer, cancellationToken);
        if (_buffer.Length < buffer.Length)
            _buffer = new byte[buffer.Length * 2];
        buffer.CopyTo(_buffer);
        _held = buffer.Length;
        return default;
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_held > 0)
            await JoinAsync(default, cancellationToken);
        await connection.FlushAsync(cancellationToken);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => connection.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => connection.ReadAsync(buffer, offset, count, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => connection.Read(buffer, offset, count);

    public override int Read(Span<byte> buffer) => connection.Read(buffer);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            connection.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask JoinAsync(ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var head = _held;
        _held = 0;
        if (body.Length > WorthJoining)
        {
            await connection.WriteAsync(_buffer.AsMemory(0, head), cancellationToken);
            await connection.WriteAsync(body, cancellationToken);
            return;
        }

        if (_buffer.Length < head + body.Length)
            Array.Resize(ref _buffer, head + body.Length);
        body.CopyTo(_buffer.AsMemory(head));
        await connection.WriteAsync(_buffer.AsMemory(0, head + body.Length), cancellationToken);
    }

    // Whether this is the head of a request, perhaps with some of its body, and more of that is sure to follow. It keeps count of the body, so that nothing within one is taken for a head.
    private bool MayWait(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            _isLost = true;
            return false;
        }

        var head = bytes[..(end + 2)];
        var at = head.IndexOf("\r\nContent-Length: "u8);
        var length = 0L;
        _isLost = head.IndexOf("\r\nTransfer-Encoding:"u8) >= 0 || (at >= 0 && !Utf8Parser.TryParse(head[(at + "\r\nContent-Length: ".Length)..], out length, out _));
        _bodyLeft = length - (bytes.Length - end - 4);
        _isLost |= _bodyLeft < 0;
        return !_isLost && _bodyLeft > 0 && bytes.Length <= WorthJoining && head.IndexOf("\r\nExpect:"u8) < 0;
    }
}
