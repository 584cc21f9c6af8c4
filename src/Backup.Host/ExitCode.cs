namespace Backup.Host;

/// <summary>What the process says when it ends.</summary>
internal static class ExitCode
{
    /// <summary>Everything was done and is proven, or there was nothing to do.</summary>
    public const int Success = 0;

    /// <summary>Something failed: what exactly is on standard error.</summary>
    public const int Failure = 1;

    /// <summary>Nothing was begun: an argument, the credentials or the configuration cannot be used.</summary>
    public const int Unusable = 2;

    /// <summary>Archived objects were asked for and are not readable yet.</summary>
    public const int Deferred = 3;

    /// <summary>Interrupted, as shells say it.</summary>
    public const int Cancelled = 130;
}
