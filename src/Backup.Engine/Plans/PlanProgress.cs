namespace Backup.Engine.Plans;

/// <summary>One progress for jobs side by side: what they have done adds up, and the newest says what is at hand.</summary>
internal sealed class PlanProgress(IProgress<BackupProgress>? progress, int jobs)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _bytes = new(StringComparer.Ordinal);
    private int _done;

    /// <summary>The progress of one job; null where nobody looks.</summary>
    public IProgress<BackupProgress>? For(string job) => progress is null ? null : new Part(this, job);

    /// <summary>A job is through.</summary>
    public void Finish()
    {
        lock (_lock)
            _done++;
    }

    private void Report(string job, BackupProgress part)
    {
        long bytes;
        int done;
        lock (_lock)
        {
            _bytes[job] = Math.Max(part.BytesDone, _bytes.GetValueOrDefault(job));
            (bytes, done) = (_bytes.Values.Sum(), _done);
        }

        progress!.Report(new("Running the plan", $"{job}: {part.Activity}{(part.Item is { } item ? $", {item}" : "")}", bytes, null, done, jobs));
    }

    private sealed class Part(PlanProgress whole, string job) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => whole.Report(job, value);
    }
}
