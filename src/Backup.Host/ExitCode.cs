using Backup.Engine;

namespace Backup.Host;

/// <summary>What the process says when it ends. Scripts depend on these numbers: they do not change.</summary>
internal static class ExitCode
{
    /// <summary>Everything was done and is proven, or there was nothing to do.</summary>
    public const int Success = 0;

    /// <summary>Something failed: what exactly is on standard error.</summary>
    public const int Failure = 1;

    /// <summary>Nothing was begun: an argument, the credentials or the configuration cannot be used.</summary>
    public const int Unusable = 2;

    /// <summary>Nothing is wrong, and not everything could be done yet: archived objects are not readable.</summary>
    public const int Deferred = 3;

    /// <summary>Interrupted by Ctrl+C or SIGTERM, as shells say it.</summary>
    public const int Cancelled = 130;

    /// <summary>The worse of two: what failed weighs more than what is not readable yet.</summary>
    public static int Worse(int one, int other) => one == Success || other == Failure ? other : one;

    /// <summary>What an outcome amounts to.</summary>
    public static int Of(Outcome outcome) => outcome switch
    {
        Outcome.Failed => Failure,
        Outcome.Deferred => Deferred,
        _ => Success,
    };
}
