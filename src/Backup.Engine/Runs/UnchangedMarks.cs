using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>Says that a source was compared, and was as its newest run had left it.</summary>
internal sealed record UnchangedMark
{
    /// <summary>The format of this document.</summary>
    public int Format { get; init; } = 1;

    /// <summary>The manifest that still describes the source.</summary>
    public required string Manifest { get; init; }

    /// <summary>When it was compared, in UTC.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>
/// When sources were last found unchanged: <c>_catalog/unchanged/{system}/{source}.json</c>. A run that has nothing to do writes no manifest, and without
/// this a folder that nobody touches could not be told from one that is no longer backed up.
/// </summary>
internal sealed class UnchangedMarks(IObjectStore store)
{
    /// <summary>How long a mark, or a manifest, speaks for a source before it is worth another request.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private const string Root = "_catalog/unchanged/";

    /// <summary>Notes that a source is as <paramref name="manifestKey"/> left it. Written over the one before.</summary>
    public Task WriteAsync(string manifestKey, DateTimeOffset at, CancellationToken cancellationToken)
    {
        // _catalog/runs/{system}/{source}/{name}.json
        var parts = manifestKey.Split('/');
        var mark = new UnchangedMark { Manifest = manifestKey, At = at };
        return CatalogDocument.WriteAsync(store, Key(parts[^3], parts[^2]), mark, MarkJson.Default.UnchangedMark, onlyIfAbsent: false, cancellationToken);
    }

    /// <summary>The same for a source without a cache that knows when it was last noted: the run or the mark itself tells whether another one is due.</summary>
    public async Task WriteWhereDueAsync(RunManifest last, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var manifestKey = RunCatalog.ManifestKey(last);
        if ((at - last.Finished).Duration() < Interval)
            return;
        if (await CatalogMark.ReadAsync(store, Key(last.System, last.Source), MarkJson.Default.UnchangedMark, cancellationToken) is { } mark && mark.Manifest == manifestKey && (at - mark.At).Duration() < Interval)
            return;
        await WriteAsync(manifestKey, at, cancellationToken);
    }

    /// <summary>Which sources have one: a request for all of them instead of one for each.</summary>
    public async Task<IReadOnlySet<string>> ListAsync(CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var item in store.ListAsync(Root, cancellationToken))
            keys.Add(item.Key);
        return keys;
    }

    /// <summary>The mark of a source, where the manifest that it speaks of is still there; else null.</summary>
    /// <param name="runs">The source.</param>
    /// <param name="listed">What <see cref="ListAsync"/> gave.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<UnchangedMark?> ReadAsync(SourceRuns runs, IReadOnlySet<string> listed, CancellationToken cancellationToken)
    {
        var key = Key(runs.System, runs.Source);
        return listed.Contains(key)
            && await CatalogMark.ReadAsync(store, key, MarkJson.Default.UnchangedMark, cancellationToken) is { } mark
            && runs.Keys.Contains(mark.Manifest, StringComparer.Ordinal) ? mark : null;
    }

    private static string Key(string system, string source) => $"{Root}{system}/{source}.json";
}
