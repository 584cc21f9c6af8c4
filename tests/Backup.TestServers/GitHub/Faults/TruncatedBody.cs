namespace Backup.TestServers.GitHub.Faults;

/// <summary>A response body that cuts the connection after so many bytes.</summary>
internal sealed class TruncatedBody(Stream body, long limit, HttpContext context) : Stream
{
    private long _written;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _written; set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var left = (int)Math.Min(limit - _written, buffer.Length);
        await body.WriteAsync(buffer[..left], cancellationToken);
        _written += left;
        if (left == buffer.Length)
            return;
        await body.FlushAsync(cancellationToken);
        context.Abort();
        throw new OperationCanceledException("The script cut this answer.");
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task FlushAsync(CancellationToken cancellationToken) => body.FlushAsync(cancellationToken);

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
