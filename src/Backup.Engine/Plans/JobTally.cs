namespace Backup.Engine.Plans;

/// <summary>Adds up what becomes of a job's items.</summary>
internal sealed class JobTally
{
    private const int MaxFailures = 100;
    private const int MaxPlan = 1000;

    // The worst of them is the job's own: what is not done yet goes before what is done.
    private static readonly Outcome[] ByWeight = [Outcome.Failed, Outcome.Deferred, Outcome.Completed, Outcome.Adopted, Outcome.Unchanged, Outcome.Skipped];

    private readonly Dictionary<Outcome, long> _items = [];
    private readonly List<JobFailure> _failures = [];
    private readonly List<string> _warnings = [];
    private readonly List<string> _plan = [];
    private readonly List<string> _runs = [];
    private readonly HashSet<string> _seenRuns = new(StringComparer.Ordinal);
    private long _failureCount;
    private long _bytes;
    private string? _deferred;

    public bool HasFailures => _failureCount > 0;

    /// <summary>An item is through.</summary>
    public void AddItem(Outcome outcome, long bytes, string? runId, string? reason = null)
    {
        _items[outcome] = _items.GetValueOrDefault(outcome) + 1;
        _bytes += bytes;
        if (runId is { Length: > 0 } && _seenRuns.Add(runId))
            _runs.Add(runId);
        if (outcome == Outcome.Deferred)
            _deferred ??= reason;
    }

    /// <summary>Something failed.</summary>
    public void AddFailure(string item, FailureKind kind, string message, string? advice)
    {
        _failureCount++;
        if (_failures.Count < MaxFailures)
            _failures.Add(new(item, kind, message, advice));
    }

    public void AddWarning(string text)
    {
        if (_warnings.Count < MaxFailures)
            _warnings.Add(text);
    }

    /// <summary>What would be done.</summary>
    public void AddPlan(string line)
    {
        if (_plan.Count < MaxPlan)
            _plan.Add(line.TrimEnd());
    }

    /// <summary>The result.</summary>
    public BackupJobResult ToResult(PlanJob job, bool whatIf)
    {
        var items = _items.Values.Sum();
        if (items == 0 && !HasFailures)
            AddFailure(job.Name, FailureKind.NotFound, "Nothing was found to back up.", "Check what the job names, and what it leaves out.");
        var outcome = HasFailures ? Outcome.Failed : whatIf ? Outcome.Skipped : ByWeight.First(_items.ContainsKey);
        return new()
        {
            Name = job.Name,
            System = job.System,
            Destination = job.Destination,
            Outcome = outcome,
            Reason = outcome switch
            {
                Outcome.Failed => _failureCount == 1 ? Told(_failures[0], job) : $"{_failureCount} failures. The first: {Told(_failures[0], job)}",
                Outcome.Deferred => _deferred,
                _ when whatIf => "WhatIf: nothing was done.",
                _ => null,
            },
            Kind = outcome == Outcome.Failed ? _failures[0].Kind : null,
            Advice = outcome == Outcome.Failed ? _failures[0].Advice : null,
            Items = items,
            Completed = Count(Outcome.Completed),
            Unchanged = Count(Outcome.Unchanged) + Count(Outcome.Adopted),
            Skipped = Count(Outcome.Skipped),
            Deferred = Count(Outcome.Deferred),
            Failed = Count(Outcome.Failed),
            Bytes = _bytes,
            RunIds = _runs,
            Failures = _failures,
            Warnings = _warnings,
            WhatIf = whatIf,
            Plan = _plan,
        };
    }

    private long Count(Outcome outcome) => _items.GetValueOrDefault(outcome);

    private static string Told(JobFailure failure, PlanJob job) => failure.Item == job.Name || failure.Message.Contains(failure.Item, StringComparison.Ordinal) ? failure.Message : $"{failure.Item}: {failure.Message}";
}
