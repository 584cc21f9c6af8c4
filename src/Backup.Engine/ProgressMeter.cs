namespace Backup.Engine;

/// <summary>Adds up what parallel work has done and reports it.</summary>
internal sealed class ProgressMeter(IProgress<BackupProgress>? progress, string activity, long? bytesTotal = null, long? itemsTotal = null) : IProgress<long>
{
    private long _bytes;
    private long _items;

    /// <summary>Bytes done.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Some bytes are done.</summary>
    public void Report(long value)
    {
        Interlocked.Add(ref _bytes, value);
        Say(null);
    }

    /// <summary>An item is done.</summary>
    public void Finish(string item)
    {
        Interlocked.Increment(ref _items);
        Say(item);
    }

    private void Say(string? item) =>
        progress?.Report(new(activity, item, Interlocked.Read(ref _bytes), bytesTotal, Interlocked.Read(ref _items), itemsTotal));
}
