namespace Backup.Engine.Plans;

/// <summary>Runs jobs side by side, in the order of the plan, but never two that claim the same.</summary>
/// <param name="sideBySide">How many at once.</param>
internal sealed class JobSchedule(int sideBySide)
{
    /// <summary>Runs them all. Once cancelled no further one is begun; those under way are waited for.</summary>
    public async Task RunAsync(IEnumerable<JobContext> jobs, Func<JobContext, Task> run, CancellationToken cancellationToken)
    {
        var waiting = jobs.Select(job => (Job: job, Claims: ClaimsOf(job))).ToList();
        var running = new Dictionary<Task, IReadOnlySet<string>>();
        while (waiting.Count + running.Count > 0)
        {
            // What one that waits in front claims is not taken from under it.
            var taken = running.Values.SelectMany(claims => claims).ToHashSet(StringComparer.Ordinal);
            for (var i = 0; i < waiting.Count && running.Count < sideBySide && !cancellationToken.IsCancellationRequested;)
            {
                var (job, claims) = waiting[i];
                var isFree = !claims.Overlaps(taken);
                taken.UnionWith(claims);
                if (!isFree)
                {
                    i++;
                    continue;
                }

                waiting.RemoveAt(i);
                running.Add(Task.Run(() => run(job), CancellationToken.None), claims);
            }

            if (running.Count == 0)
                break;
            var done = await Task.WhenAny(running.Keys);
            running.Remove(done);
            await done;
        }
    }

    private static HashSet<string> ClaimsOf(JobContext job)
    {
        try
        {
            return [.. job.Job.Engine.Claims(job)];
        }
        catch (Exception)
        {
            // What is wrong with it is told when it runs.
            return [];
        }
    }
}
