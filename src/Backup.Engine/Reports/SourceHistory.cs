using Backup.Engine.Runs;

namespace Backup.Engine.Reports;

/// <summary>The runs of one source, newest first, and what follows from them.</summary>
internal sealed class SourceHistory(SourceRuns source, IReadOnlyList<VerificationMark> verifications, DateTimeOffset now)
{
    private const int MaxFailures = 10;
    private const int MaxExplainedRuns = 5;

    // Clocks differ; but a run of next year would count as fresh until then.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);

    private readonly ILookup<string, VerificationMark> _verifications = verifications.Where(mark => mark.At <= now + ClockSkew).ToLookup(mark => mark.RunId, StringComparer.Ordinal);
    private readonly List<ReportRun> _runs = [];
    private readonly List<string> _unreadable = [];
    private int _explained;

    /// <summary>The source's name, once a manifest told it.</summary>
    public string? Name { get; private set; }

    /// <summary>Whether one of the runs is good.</summary>
    public bool HasGood => _runs.Exists(run => run.IsGood);

    /// <summary>Adds the next older run.</summary>
    public void Add(RunManifest manifest)
    {
        Name ??= manifest.SourceName;
        var marks = _verifications[manifest.RunId].ToList();
        var isFromFuture = manifest.Finished > now + ClockSkew;
        var damage = Damage(marks);
        var isWhole = manifest.Outcome is Outcome.Completed or Outcome.Adopted or Outcome.Unchanged;
        _runs.Add(new()
        {
            RunId = manifest.RunId,
            Host = manifest.Host,
            Started = manifest.Started,
            Finished = manifest.Finished,
            Outcome = manifest.Outcome,
            IsGood = isWhole && damage is null && !isFromFuture,
            Reason = damage is not null ? $"A verification at {Words.Moment(damage.At)} found {damage.Problems} of {damage.Checked} objects missing or damaged."
                : isFromFuture ? "It says that it ended in the future: the clock of the machine that ran it, or of this one, is wrong."
                : manifest.Reason,
            Stored = manifest.Counts.Stored,
            Failed = manifest.Counts.Failed,
            BytesStored = manifest.BytesStored,
            TotalObjects = manifest.TotalObjects,
            TotalBytes = manifest.TotalBytes,
            Proofs = manifest.Proofs,
            Failures = manifest.Failures.Count > 0 && _explained++ < MaxExplainedRuns ? [.. manifest.Failures.Take(MaxFailures)] : [],
            Verified = Passed(marks)?.At,
        });
    }

    /// <summary>Adds a run whose manifest cannot be read.</summary>
    public void AddUnreadable(string key, BackupException failure) => _unreadable.Add($"{VerificationMarks.NameOf(key)}: {failure.Message}");

    /// <summary>What follows.</summary>
    public SourceReport ToReport(string name, string destination, TimeSpan interval, TimeSpan? maxVerificationAge, UnchangedMark? unchanged)
    {
        var last = _runs.FirstOrDefault();
        var good = _runs.Find(run => run.IsGood);
        var lookedAt = UnchangedAt(unchanged);
        var verified = verifications.Where(mark => _verifications.Contains(mark.RunId) && Passed(_verifications[mark.RunId]) == mark).MaxBy(mark => mark.At);
        var report = new SourceReport
        {
            Destination = destination,
            System = source.System,
            SourceName = name,
            State = SourceState.Fresh,
            Checked = now,
            Interval = interval,
            LastGood = Later(good?.Finished, lookedAt),
            LastUnchanged = lookedAt,
            LastGoodRunId = good?.RunId,
            LastRun = last?.Finished,
            LastOutcome = last?.Outcome,
            Duration = good?.Duration,
            TotalObjects = good?.TotalObjects ?? 0,
            TotalBytes = good?.TotalBytes ?? 0,
            Proofs = good?.Proofs ?? [],
            LastVerified = verified?.At,
            VerifiedDeep = verified?.Deep,
            VerifiedRunId = verified?.RunId,
            RunCount = source.Total,
            Runs = _runs,
            Unreadable = _unreadable,
        };
        return report with { State = StateOf(report, last, maxVerificationAge, out var reason), Reason = reason };
    }

    private SourceState StateOf(SourceReport report, ReportRun? last, TimeSpan? maxVerificationAge, out string? reason)
    {
        var newestIsBad = last is { IsGood: false } && !(report.LastGood > last.Finished && last.Outcome == Outcome.Failed);
        var why = newestIsBad ? $" The newest run: {last!.Reason ?? last.Outcome.ToString()}" : _unreadable.Count > 0 ? $" {_unreadable[0]}" : "";
        if (report.Age is not { } age)
        {
            var looked = _runs.Count + _unreadable.Count;
            reason = $"{(looked < source.Total ? $"None of its newest {looked} runs is good." : looked == 1 ? "Its only run is not good." : $"None of its {looked} runs is good.")}{why}";
            return SourceState.Stale;
        }

        if (age > report.Interval)
        {
            reason = $"Its newest good run is {Words.Of(age)} old, and {Words.Of(report.Interval)} is the most it should be.{why}";
            return SourceState.Stale;
        }

        if (maxVerificationAge is { } most && !(report.LastVerified >= now - most))
        {
            reason = report.LastVerified is { } verified
                ? $"It was last verified {Words.Of(now - verified)} ago, and {Words.Of(most)} is the most it should be."
                : $"No verification of it is recorded, and {Words.Of(most)} is the most that one should be old.";
            return SourceState.Stale;
        }

        reason = why.Length > 0 ? why.TrimStart() : null;
        return newestIsBad || _unreadable.Count > 0 ? SourceState.Failing : SourceState.Fresh;
    }

    // What was compared with a run that has been found damaged since is not stored whole.
    private DateTimeOffset? UnchangedAt(UnchangedMark? mark)
    {
        if (mark is null || mark.At > now + ClockSkew)
            return null;
        var name = VerificationMarks.NameOf(mark.Manifest);
        return Damage(_verifications[name[(name.IndexOf('-', StringComparison.Ordinal) + 1)..]]) is null ? mark.At : null;
    }

    private static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset? b) => a is null || b > a ? b : a;

    /// <summary>The verification that found damage, unless one that looked as closely found none later.</summary>
    private static VerificationMark? Damage(IEnumerable<VerificationMark> marks)
    {
        var all = marks.ToList();
        var deep = all.Find(mark => mark.Deep);
        var quick = all.Find(mark => !mark.Deep);
        return deep is { Problems: > 0 } ? deep : quick is { Problems: > 0 } && !(deep?.At >= quick.At) ? quick : null;
    }

    private static VerificationMark? Passed(IEnumerable<VerificationMark> marks)
    {
        var all = marks.ToList();
        return Damage(all) is null ? all.Where(mark => mark.Problems == 0).MaxBy(mark => mark.At) : null;
    }
}
