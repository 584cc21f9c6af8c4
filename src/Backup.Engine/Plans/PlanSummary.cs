using Backup.Engine.Reports;

namespace Backup.Engine.Plans;

/// <summary>A run of a plan in one sentence.</summary>
/// <param name="Jobs">How many jobs.</param>
/// <param name="Failed">How many of them failed.</param>
/// <param name="Deferred">How many are not possible yet.</param>
/// <param name="Bytes">Bytes that were stored.</param>
/// <param name="Duration">From the first job's beginning to the last one's end.</param>
public sealed record PlanSummary(int Jobs, int Failed, int Deferred, long Bytes, TimeSpan Duration)
{
    /// <summary>Whether nothing was done, and <see cref="Bytes"/> is what a run would store.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Adds results up.</summary>
    public static PlanSummary Of(IReadOnlyCollection<BackupJobResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        var begun = results.Where(result => result.Started is not null).ToList();
        return new(
            results.Count,
            results.Count(result => result.Outcome == Outcome.Failed),
            results.Count(result => result.Outcome == Outcome.Deferred),
            results.Sum(result => result.Bytes),
            begun.Count == 0 ? TimeSpan.Zero : begun.Max(result => result.Started!.Value + result.Duration) - begun.Min(result => result.Started!.Value))
        {
            WhatIf = results.Any(result => result.WhatIf),
        };
    }

    /// <summary>Such as <c>5 jobs, 1 failed; 2.3 GiB stored in 12 min</c>.</summary>
    public override string ToString() =>
        $"{Jobs} {(Jobs == 1 ? "job" : "jobs")}, {(Failed == 0 ? "none" : $"{Failed}")} failed{(Deferred > 0 ? $", {Deferred} deferred" : "")}; {Words.Size(Bytes)} {(WhatIf ? "to be stored, nothing was done" : $"stored in {Words.Of(Duration)}")}";
}
