using Backup.Engine.Aws.AwsBackup;

namespace Backup.Engine.PrePost;

/// <summary>Starts, watches and stops the backup job of one instance.</summary>
internal sealed class BackupJobs(PrePostServices services, Waiting waiting, PrePostDeadlines deadlines)
{
    private const int MinStartWindow = 60;
    private const int DefaultStartWindow = 480;

    /// <summary>Starts a job, or finds the one that the same run has started before.</summary>
    public async Task<string> StartAsync(PrePostPlan plan, string runId, InstanceRecord record, CancellationToken cancellationToken)
    {
        var request = new StartBackupJobRequest
        {
            BackupVaultName = plan.BackupVaultName,
            ResourceArn = record.ResourceArn!,
            IamRoleArn = plan.IamRoleArn,
            IdempotencyToken = $"{runId}:{record.InstanceId}",
            // Until AWS Backup gives up on its own; this side waits no longer than that.
            StartWindowMinutes = Math.Clamp(plan.BackupSeconds / 60, MinStartWindow, DefaultStartWindow),
            Lifecycle = plan.Lifecycle is { } life ? new() { MoveToColdStorageAfterDays = life.MoveToColdStorageAfterDays, DeleteAfterDays = life.DeleteAfterDays } : null,
            RecoveryPointTags = plan.RecoveryPointTags,
            BackupOptions = plan.WindowsVss && record is { PlatformType: "Windows", WasRunning: true } && !plan.StopInstance ? new Dictionary<string, string>(StringComparer.Ordinal) { ["WindowsVSS"] = "enabled" } : null,
        };
        var answer = await waiting.InsistAsync($"The backup job of {record.InstanceId} could not be started", token => services.Backup.StartBackupJobAsync(request, token), TimeSpan.FromMinutes(5), cancellationToken);
        return answer.BackupJobId ?? throw new BackupException(FailureKind.Unavailable, $"AWS Backup took a job for {record.InstanceId} and gave it no id.", "Look at the jobs in its console.");
    }

    /// <summary>Waits until a job is over, or until <paramref name="isEnough"/>.</summary>
    public Task<BackupJob> WaitAsync(string instanceId, string jobId, TimeSpan patience, Func<BackupJob, bool> isEnough, Action<BackupJob> seen, CancellationToken cancellationToken) => waiting.UntilAsync(
        $"The backup of {instanceId} (job {jobId}) did not complete",
        async token =>
        {
            var job = await services.Backup.DescribeBackupJobAsync(jobId, token);
            seen(job);
            return IsOver(job) || isEnough(job) ? job : null;
        },
        patience,
        Pace.Job,
        cancellationToken);

    /// <summary>Stops a job, and waits a little for its end.</summary>
    public async Task<BackupJob?> StopAsync(string instanceId, string jobId, CancellationToken cancellationToken)
    {
        try
        {
            await waiting.InsistAsync($"The backup job {jobId} could not be stopped", token => services.Backup.StopBackupJobAsync(jobId, token), deadlines.Cancel, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.InvalidInput)
        {
            // It is over already.
        }

        try
        {
            return await WaitAsync(instanceId, jobId, deadlines.Cancel, _ => false, static _ => { }, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.TimedOut)
        {
            return null;
        }
    }

    /// <summary>Whether nothing more comes of it.</summary>
    public static bool IsOver(BackupJob job) => job.State is "COMPLETED" or "FAILED" or "ABORTED" or "EXPIRED" or "PARTIAL";

    /// <summary>Whether the recovery point exists: the image is registered, and its snapshots are of that moment.</summary>
    public static bool HasRecoveryPoint(BackupJob job) => job.RecoveryPointArn is { Length: > 0 } && job.State is "RUNNING" or "COMPLETED";

    /// <summary>What a job that is over amounts to: a failure, a warning, or neither.</summary>
    public static (BackupException? Failure, string? Warning) Judge(string instanceId, BackupJob job)
    {
        var said = job.StatusMessage is { Length: > 0 } message ? $": {message.TrimEnd('.')}" : "";
        if (job.State is not "COMPLETED")
            return (new(FailureKind.BackupFailed, $"The backup job {job.BackupJobId} of {instanceId} ended as {job.State}{said}.", "Look at the job in AWS Backup, then run again."), null);
        return (null, job.MessageCategory is { Length: > 0 } category and not "SUCCESS" ? $"The backup completed with issues ({category}){said}." : null);
    }
}
