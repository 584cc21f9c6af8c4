namespace Backup.Engine.Plans;

/// <summary>What a plan may have. A file beyond it is no plan, and is not read to its end.</summary>
internal static class PlanLimits
{
    /// <summary>The most bytes of a file.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>The most objects and arrays within each other.</summary>
    public const int MaxDepth = 16;

    /// <summary>The most jobs.</summary>
    public const int MaxJobs = 1000;
}
