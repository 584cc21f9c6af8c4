namespace Backup.TestServers.S3.Storage;

/// <summary>Bytes that were stored once, in memory or in a file, and may be part of several objects. The last to leave deletes the file.</summary>
internal sealed class Segment
{
    private readonly byte[]? _bytes;
    private readonly string? _path;
    private int _references = 1;

    public Segment(byte[] bytes) => (_bytes, Length) = (bytes, bytes.Length);

    public Segment(string path, long length) => (_path, Length) = (path, length);

    /// <summary>Bytes that were thrown away: zeros when read.</summary>
    public Segment(long length) => Length = length;

    public long Length { get; }

    public Segment Share()
    {
        Interlocked.Increment(ref _references);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) is 0 && _path is not null)
            File.Delete(_path);
    }

    public Stream OpenRead()
    {
        if (_path is not null)
            return new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        return _bytes is not null ? new MemoryStream(_bytes, writable: false) : new ZeroStream(Length);
    }

    /// <summary>A copy of its own with one bit turned: copies of the object stay whole.</summary>
    public Segment Flipped(long position)
    {
        if (_path is null)
        {
            var bytes = _bytes is null ? new byte[Length] : [.. _bytes];
            bytes[position] ^= 0x01;
            return new Segment(bytes);
        }

        var path = _path + "-" + Guid.NewGuid().ToString("N");
        File.Copy(_path, path);
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = position;
        var value = file.ReadByte();
        file.Position = position;
        file.WriteByte((byte)(value ^ 0x01));
        return new Segment(path, Length);
    }
}
