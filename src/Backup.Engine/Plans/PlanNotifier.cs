using Backup.Engine.Notifications;
using Backup.Engine.Reports;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Plans;

/// <summary>Tells whom a plan names how a run of it went: one notice each.</summary>
internal static class PlanNotifier
{
    private const int MaxFailures = 5;
    private const int MaxMessage = 500;

    /// <summary>Tells. What hinders it is a warning: the backups are what they are.</summary>
    public static async Task TellAsync(PlanRunOptions options, IReadOnlyList<BackupJobResult> results, CancellationToken cancellationToken)
    {
        var hasFailed = results.Any(result => result.Outcome == Outcome.Failed);
        foreach (var channel in PlanChannel.Of(options.Plan, options.Aws, options.Logger, options.Store.Time).Where(channel => hasFailed || channel.IsAlways))
        {
            string? reason;
            try
            {
                reason = await channel.SendAsync(NoticeOf(options.Plan, results), cancellationToken);
            }
            catch (BackupException exception)
            {
                reason = exception.Message;
            }

            if (reason is not null)
                options.Logger?.LogWarning("The notice to {Channel} was not sent: {Reason}", channel.Name, reason);
        }
    }

    /// <summary>What is told: the failed jobs first.</summary>
    internal static Notice NoticeOf(BackupPlan plan, IReadOnlyList<BackupJobResult> results)
    {
        var summary = PlanSummary.Of(results);
        var title = $"Backup plan {plan.Name} on {Environment.MachineName}: {(summary.Failed == 0 ? "all is well" : $"{summary.Failed} of {summary.Jobs} jobs failed")}";
        return new(
            title,
            [
                new("Jobs", $"{summary.Jobs}, {summary.Failed} of them failed{(summary.Deferred > 0 ? $", {summary.Deferred} deferred" : "")}"),
                new("Stored", Words.Size(summary.Bytes)),
                new("Duration", Words.Of(summary.Duration)),
            ],
            [.. results.OrderBy(result => result.Outcome == Outcome.Failed ? 0 : 1).SelectMany(Lines)]);
    }

    private static IEnumerable<string> Lines(BackupJobResult result)
    {
        if (result.Outcome != Outcome.Failed)
        {
            yield return $"{result.Name} ({result.System}): {result.Outcome}{(result.Bytes > 0 ? $", {Words.Size(result.Bytes)}" : "")}{(result.Reason is { } reason ? $". {Cut(reason)}" : "")}";
            yield break;
        }

        yield return $"{result.Name} ({result.System}): Failed. {Cut(result.Reason ?? "")}";
        foreach (var failure in result.Failures.Skip(1).Take(MaxFailures))
            yield return $"{result.Name}, {failure.Item}: {Cut(failure.Message)}";
        if (result.Failures.Count > MaxFailures + 1)
            yield return $"{result.Name}: … more failures are in the run's own output.";
    }

    private static string Cut(string text) => text.Length <= MaxMessage ? text : text[..MaxMessage] + "…";
}
