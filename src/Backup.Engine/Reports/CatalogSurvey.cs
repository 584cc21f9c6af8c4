using System.Runtime.CompilerServices;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Reports;

/// <summary>Reads the catalog of one destination, source by source. What is held does not grow with the number of runs.</summary>
internal sealed class CatalogSurvey(IObjectStore store, IReadOnlyList<SourcePattern> wanted, ReportOptions options, IProgress<BackupProgress>? progress)
{
    private const int SourcesAtOnce = 8;
    private const int ManifestsAtOnce = 8;
    private const int MaxMarks = 20;

    private readonly RunCatalog _catalog = new(store);
    private readonly UnchangedMarks _unchanged = new(store);
    private readonly VerificationMarks _verifications = new(store);
    private readonly HashSet<SourcePattern> _missing = [.. wanted];
    private readonly DateTimeOffset _now = options.Store.Time.GetUtcNow();

    /// <summary>The sources that are wanted, and those that are wanted and not there.</summary>
    public async IAsyncEnumerable<SourceReport> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var meter = new ProgressMeter(progress, $"Reading the catalog of {store.Location}", 0, 0);
        var unchanged = await _unchanged.ListAsync(cancellationToken);
        var isVerified = await store.ListAsync(VerificationMarks.Root, cancellationToken).AnyAsync(cancellationToken);
        await foreach (var batch in _catalog.ListSourcesAsync(options.MaxRuns, cancellationToken).Chunk(SourcesAtOnce).WithCancellation(cancellationToken))
        {
            foreach (var report in await Task.WhenAll(batch.Select(runs => ReadAsync(runs, unchanged, isVerified, cancellationToken))))
            {
                if (report is null)
                    continue;
                meter.Finish(report.SourceName);
                yield return report;
            }
        }

        foreach (var pattern in wanted.Where(_missing.Contains))
            yield return Missing(pattern);
    }

    private async Task<SourceReport?> ReadAsync(SourceRuns runs, IReadOnlySet<string> unchanged, bool isVerified, CancellationToken cancellationToken)
    {
        var verifications = isVerified ? await _verifications.ReadAsync(runs, MaxMarks, cancellationToken) : [];
        var history = new SourceHistory(runs, verifications, _now);
        // The newest manifest alone tells whether the source is wanted, and is mostly all it takes.
        foreach (var batch in runs.Keys.Take(1).Chunk(1).Concat(runs.Keys.Skip(1).Chunk(ManifestsAtOnce)))
        {
            foreach (var (key, manifest, failure) in await Task.WhenAll(batch.Select(key => ReadManifestAsync(key, cancellationToken))))
            {
                if (manifest is not null)
                    history.Add(manifest);
                else if (failure is not null)
                    history.AddUnreadable(key, failure);
            }

            if (history.Name is { } known && !IsWanted(runs.System, known))
                return null;
            if (!options.History && history.HasGood)
                break;
        }

        // Nothing of it can be read, its name included: its place in the catalog stands for that.
        var name = history.Name ?? runs.Source;
        if (!IsWanted(runs.System, name))
            return null;
        lock (_missing)
            _missing.RemoveWhere(pattern => pattern.Matches(runs.System, name));
        return history.ToReport(name, store.Location.ToString(), IntervalOf(runs.System, name), options.MaxVerificationAge, await _unchanged.ReadAsync(runs, unchanged, cancellationToken));
    }

    private async Task<(string Key, RunManifest? Manifest, BackupException? Failure)> ReadManifestAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return (key, await _catalog.ReadAsync(key, cancellationToken), null);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.Corrupt or FailureKind.NotSupported)
        {
            return (key, null, exception);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound)
        {
            // A retention removed it since it was listed.
            return (key, null, null);
        }
    }

    private bool IsWanted(string system, string name) => wanted.Count == 0 || wanted.Any(pattern => pattern.Matches(system, name));

    private TimeSpan IntervalOf(string system, string name) =>
        options.Intervals.Where(expected => expected.Sources.Matches(system, name)).MaxBy(expected => expected.Sources.Specificity)?.Interval ?? options.Interval;

    private SourceReport Missing(SourcePattern pattern) => new()
    {
        Destination = store.Location.ToString(),
        System = pattern.System ?? "",
        SourceName = pattern.Text,
        State = SourceState.Missing,
        Reason = "It is expected here and has no run at all.",
        Checked = _now,
        Interval = IntervalOf(pattern.System ?? "", pattern.Name),
    };
}
