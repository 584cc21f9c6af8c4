using System.Buffers;
using System.IO.Pipelines;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>The archive's bytes in order: look ahead, then go on. The position is exact at any time.</summary>
internal sealed class ZipSource(PipeReader pipe)
{
    // What has been read goes back to the writer in portions of this size, so that both sides work at once.
    private const int Portion = 128 * 1024;

    private ReadOnlySequence<byte> _ahead;
    private byte[] _record = new byte[1024];
    private long _unreleased;
    private bool _reading;
    private bool _ended;

    /// <summary>The offset of the next byte.</summary>
    public long Position { get; private set; }

    /// <summary>What is being read, for the sentence that says where the file ends too early.</summary>
    public string Inside { get; set; } = "its first record";

    /// <summary>The entry that is being read, or null.</summary>
    public string? Entry { get; set; }

    /// <summary>Copies what comes next without going on. Fewer bytes than asked for means that the file ends there.</summary>
    public async ValueTask<int> PeekAsync(Memory<byte> into)
    {
        await ReadAheadAsync(into.Length);
        var bytes = _ahead.Slice(0, Math.Min(into.Length, _ahead.Length));
        bytes.CopyTo(into.Span);
        return (int)bytes.Length;
    }

    /// <summary>The next bytes, exactly so many, in one piece. Valid until the next call.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> TakeAsync(int count)
    {
        if (_record.Length < count)
            _record = new byte[count];
        var record = _record.AsMemory(0, count);
        if (await PeekAsync(record) < count)
            throw Truncated();
        Advance(count);
        return record;
    }

    /// <summary>Some of the next bytes, at least one and not more than <paramref name="most"/>, without going on.</summary>
    public async ValueTask<ReadOnlySequence<byte>> NextAsync(long most)
    {
        if (!await ReadAheadAsync(1))
            throw Truncated();
        return _ahead.Slice(0, Math.Min(Math.Min(most, Portion), _ahead.Length));
    }

    /// <summary>Goes on by bytes that were looked at.</summary>
    public void Advance(long count)
    {
        _ahead = _ahead.Slice(count);
        Position += count;
        _unreleased += count;
        if (_unreleased < Portion || _ended)
            return;
        pipe.AdvanceTo(_ahead.Start);
        (_ahead, _reading, _unreleased) = (default, false, 0);
    }

    /// <summary>The file ends before what is being read does.</summary>
    public ExportProblemException Truncated()
    {
        var end = Position + _ahead.Length;
        return new(ExportProblemKind.Truncated, end, Entry, $"The file ends at offset {end}, inside {(Entry is null ? Inside : $"{Inside} '{Entry}'")}.");
    }

    private async ValueTask<bool> ReadAheadAsync(int count)
    {
        while (_ahead.Length < count && !_ended)
        {
            if (_reading)
                pipe.AdvanceTo(_ahead.Start, _ahead.End);
            // Whoever gives the export up completes the other side, which ends this wait.
            var result = await pipe.ReadAsync(CancellationToken.None);
            (_ahead, _reading, _unreleased, _ended) = (result.Buffer, true, 0, result.IsCompleted);
        }

        return _ahead.Length >= count;
    }
}
