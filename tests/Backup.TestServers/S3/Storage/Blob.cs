namespace Backup.TestServers.S3.Storage;

/// <summary>The content of an object: its segments in order.</summary>
internal sealed class Blob(IReadOnlyList<Segment> segments)
{
    private const int BufferSize = 128 * 1024;

    private IReadOnlyList<Segment> _segments = segments;

    public static readonly Blob Empty = new([]);

    public long Length { get; } = segments.Sum(s => s.Length);

    public static Blob Concatenate(IEnumerable<Blob> blobs) => new([.. blobs.SelectMany(b => b.Share())]);

    public Blob Copy() => new([.. Share()]);

    public void Release()
    {
        foreach (var segment in _segments)
            segment.Release();
    }

    public async Task ReadAsync(long offset, long length, Func<ReadOnlyMemory<byte>, ValueTask> consume)
    {
        var buffer = new byte[(int)Math.Clamp(length, 1, BufferSize)];
        foreach (var segment in _segments)
        {
            if (offset >= segment.Length)
            {
                offset -= segment.Length;
                continue;
            }

            await using var stream = segment.OpenRead();
            stream.Position = offset;
            offset = 0;
            while (length > 0)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(length, buffer.Length)));
                if (read is 0)
                    break;
                length -= read;
                await consume(buffer.AsMemory(0, read));
            }

            if (length is 0)
                return;
        }
    }

    public void FlipByte(long position)
    {
        var changed = _segments.ToArray();
        for (var i = 0; i < changed.Length; i++)
        {
            if (position < changed[i].Length)
            {
                var whole = changed[i];
                changed[i] = whole.Flipped(position);
                _segments = changed;
                whole.Release();
                return;
            }

            position -= changed[i].Length;
        }

        throw new ArgumentOutOfRangeException(nameof(position));
    }

    private IEnumerable<Segment> Share() => _segments.Select(s => s.Share());
}
