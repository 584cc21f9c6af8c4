namespace Backup.TestServers.S3;

/// <summary>One line of the script: which requests, how often, what happens.</summary>
public sealed class Fault
{
    private int _seen;
    private int _hits;

    public Func<RequestRecord, bool> Match { get; init; } = _ => true;

    /// <summary>Matching requests that pass before the first is hit.</summary>
    public int Skip { get; init; }

    /// <summary>How many are hit; int.MaxValue for all.</summary>
    public int Times { get; init; } = 1;

    public required FaultAction Action { get; init; }

    /// <summary>How many were hit so far.</summary>
    public int Hits => Volatile.Read(ref _hits);

    internal bool Take(RequestRecord request)
    {
        if (!Match(request))
            return false;
        var position = Interlocked.Increment(ref _seen) - 1L - Skip;
        if (position < 0 || position >= Times)
            return false;
        Interlocked.Increment(ref _hits);
        return true;
    }
}
