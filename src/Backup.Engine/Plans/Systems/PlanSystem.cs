namespace Backup.Engine.Plans;

/// <summary>What a plan knows of a system: the properties of its jobs, and how they become its engine's options.</summary>
internal abstract class PlanSystem
{
    /// <summary>The word that the catalog uses.</summary>
    public abstract string Name { get; }

    /// <summary>What its jobs have beside what all jobs have. Properties are named as the cmdlet's parameters are.</summary>
    public abstract PlanShape Shape { get; }

    /// <summary>Whether old runs can be pruned.</summary>
    public virtual bool CanPrune => false;

    /// <summary>What a job needs for itself alone: two jobs that share one never run side by side.</summary>
    public abstract IEnumerable<string> Claims(JobContext job);

    /// <summary>Runs a job. What goes wrong with an item goes to the tally; what ends the job is an exception.</summary>
    public abstract Task RunAsync(JobContext job, JobTally tally, CancellationToken cancellationToken);

    /// <summary>Whether it needs AWS whatever the destination is.</summary>
    public virtual bool UsesAws => false;

    /// <summary>Looks at where a job's backups go, and changes nothing.</summary>
    public virtual Task CheckDestinationAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken) => DestinationChecks.CheckAsync(job, checks, cancellationToken);

    /// <summary>Looks at what a job backs up, and at what it needs on this machine; changes nothing.</summary>
    public abstract Task CheckAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken);
}
