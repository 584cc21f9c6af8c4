namespace Backup.TestServers.S3;

/// <summary>
/// Two times: the one requests are judged by and answers are dated with, and the one storage ages by. They are apart
/// because a restore that takes 48 hours must not make every signature too old.
/// </summary>
internal sealed class ServerClock
{
    private long _offset;
    private long _storageOffset;

    public TimeSpan Offset
    {
        get => new(Volatile.Read(ref _offset));
        set => Volatile.Write(ref _offset, value.Ticks);
    }

    public DateTime Now => DateTime.UtcNow + Offset;

    public DateTime StorageNow => Now + new TimeSpan(Volatile.Read(ref _storageOffset));

    public void AdvanceStorage(TimeSpan time) => Interlocked.Add(ref _storageOffset, time.Ticks);
}
