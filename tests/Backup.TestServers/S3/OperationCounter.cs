namespace Backup.TestServers.S3;

/// <summary>How often an operation was asked for, and the body bytes it brought.</summary>
public sealed class OperationCounter
{
    private long _requests;
    private long _bytes;

    public long Requests => Volatile.Read(ref _requests);

    public long BytesReceived => Volatile.Read(ref _bytes);

    internal void Count() => Interlocked.Increment(ref _requests);

    internal void Received(long bytes) => Interlocked.Add(ref _bytes, bytes);
}
