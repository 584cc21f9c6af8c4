using Microsoft.Win32.SafeHandles;

namespace Backup.Engine.Stores.Directories;

/// <summary>A range of an open file. It knows how many bytes it owes, and ends with an exception where the file has fewer.</summary>
internal sealed class FileRangeStream(SafeFileHandle handle, string path, long offset, long length) : ReadOnlyStream
{
    private readonly long _length = length;
    private long _position;

    public override long Length => _length;

    /// <inheritdoc/>
    protected override long BytesRead => _position;

    public override int Read(Span<byte> buffer)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, _length - _position)];
        if (buffer.IsEmpty)
            return 0;
        try
        {
            return Count(RandomAccess.Read(handle, buffer, offset + _position));
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            throw DirectoryFailures.Translate(exception, path);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, _length - _position)];
        if (buffer.IsEmpty)
            return 0;
        try
        {
            return Count(await RandomAccess.ReadAsync(handle, buffer, offset + _position, cancellationToken));
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            throw DirectoryFailures.Translate(exception, path);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            handle.Dispose();
        base.Dispose(disposing);
    }

    private int Count(int read)
    {
        if (read == 0)
            throw new BackupException(FailureKind.Corrupt, $"'{path}' ends {_length - _position} bytes early.", "Something else has cut it short: verify the store.");
        _position += read;
        return read;
    }
}
