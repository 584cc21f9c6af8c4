using System.Buffers;

namespace Backup.Engine.Stores.Transfer;

/// <summary>
/// Reads one large object by several ranges at once and gives its bytes in order. How much is read ahead is shared with other readers;
/// one range at a time is always granted, so that none waits for another.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="key">The object.</param>
/// <param name="versionId">Its version, or null. Without one it is for the caller to prove that the ranges belong together: by a hash of the whole.</param>
/// <param name="size">Its size in bytes.</param>
/// <param name="ahead">A permit for each range that is read ahead.</param>
internal sealed class RangeReader(IObjectStore store, string key, string? versionId, long size, SemaphoreSlim ahead) : ReadOnlyStream
{
    /// <summary>Bytes of a range.</summary>
    public const int RangeSize = 8 << 20;

    private const int MaxRanges = 8;

    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<Range> _ranges = new();
    private long _requested;
    private long _position;
    private int _inRange;

    public override long Length => size;

    /// <inheritdoc/>
    protected override long BytesRead => _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _position == size)
            return 0;
        while (_requested < size && (_ranges.Count == 0 || (_ranges.Count < MaxRanges && ahead.Wait(0, CancellationToken.None))))
            Request(isAhead: _ranges.Count > 0);
        var range = _ranges.Peek();
        var content = await range.Content.WaitAsync(cancellationToken);
        var count = Math.Min(buffer.Length, range.Length - _inRange);
        content.AsMemory(_inRange, count).CopyTo(buffer);
        _position += count;
        _inRange += count;
        if (_inRange == range.Length)
        {
            _inRange = 0;
            Release(_ranges.Dequeue());
            ArrayPool<byte>.Shared.Return(content);
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_stop.IsCancellationRequested)
        {
            _stop.Cancel();
            while (_ranges.TryDequeue(out var range))
            {
                // Nobody waits for it any more; its failure is of no interest.
                _ = range.Content.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                Release(range);
            }

            _stop.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Request(bool isAhead)
    {
        var length = (int)Math.Min(RangeSize, size - _requested);
        _ranges.Enqueue(new(FetchAsync(_requested, length, _stop.Token), length, isAhead));
        _requested += length;
    }

    private async Task<byte[]> FetchAsync(long offset, int length, CancellationToken cancellationToken)
    {
        await using var content = await store.ReadAsync(key, new() { Offset = offset, Length = length, VersionId = versionId }, cancellationToken);
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await content.Stream.ReadExactlyAsync(bytes.AsMemory(0, length), cancellationToken);
            return bytes;
        }
        catch (EndOfStreamException exception)
        {
            throw new BackupException(FailureKind.LengthMismatch, $"'{key}' is shorter than the {size} bytes that were stored.", "It was overwritten since, or it is damaged. Check the run with Test-BackupRun.", exception);
        }
    }

    private void Release(Range range)
    {
        if (range.IsAhead)
            ahead.Release();
    }

    private sealed record Range(Task<byte[]> Content, int Length, bool IsAhead);
}
