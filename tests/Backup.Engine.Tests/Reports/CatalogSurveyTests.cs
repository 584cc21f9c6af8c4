using System.Runtime.CompilerServices;
using System.Text.Json;
using Backup.Engine.Reports;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Tests.Reports;

/// <summary>What it takes to judge a catalog.</summary>
public sealed class CatalogSurveyTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_million_runs_are_judged_by_a_manifest_a_source_and_without_holding_their_keys()
    {
        var store = new ManyRuns(sources: 20, runs: 50_000);
        var sources = await SurveyAsync(store, new() { Destinations = [], Store = new() { Time = new Clock() } });
        sources.ShouldAllBe(source => source.IsFresh && source.RunCount == 50_000);
        sources.Count.ShouldBe(20);
        store.Reads.ShouldBe(20);
        store.MostKeysHeld.ShouldBeLessThan(2000);
    }

    [Fact]
    public async Task A_report_reads_the_newest_runs_and_no_others()
    {
        var store = new ManyRuns(sources: 2, runs: 1000);
        var sources = await SurveyAsync(store, new() { Destinations = [], History = true, MaxRuns = 30, Store = new() { Time = new Clock() } });
        store.Reads.ShouldBe(60);
        foreach (var source in sources)
        {
            source.Runs.Count.ShouldBe(30);
            source.Runs.Select(run => run.Finished).ShouldBeInOrder(SortDirection.Descending);
            source.Runs[0].Finished.ShouldBe(Now);
        }
    }

    private static async Task<List<SourceReport>> SurveyAsync(IObjectStore store, ReportOptions options) =>
        await new CatalogSurvey(store, [], options, null).RunAsync(Token).ToListAsync(Token);

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }

    /// <summary>A store with a run every minute and source, up to now, made when it is asked for.</summary>
    private sealed class ManyRuns(int sources, int runs) : IObjectStore
    {
        // Every hundredth key that was given out, to see how many of them somebody still holds.
        private const int Sample = 100;

        private readonly List<WeakReference> _keys = [];
        private int _reads;

        public int Reads => _reads;

        public int MostKeysHeld { get; private set; }

        public StoreLocation Location { get; } = StoreLocation.ForDirectory(Path.GetTempPath());

        public StoreAbilities Abilities { get; } = new(false, false, false, 8);

        public async IAsyncEnumerable<StoredObject> ListAsync(string prefix = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.CompletedTask;
            if (!prefix.StartsWith("_catalog/runs/", StringComparison.Ordinal))
                yield break;
            for (var source = 0; source < sources; source++)
            {
                for (var run = 0; run < runs; run++)
                {
                    var key = RunCatalog.ManifestKey(Manifest(source, run));
                    if (run % Sample == 0)
                        _keys.Add(new(key));
                    yield return new() { Key = key, Size = 1 };
                }

                GC.Collect();
                MostKeysHeld = Math.Max(MostKeysHeld, _keys.Count(key => key.IsAlive) * Sample);
            }
        }

        public Task<ObjectContent> ReadAsync(string key, ReadOptions? options = null, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _reads);
            var parts = key.Split('/', '-', '.');
            var bytes = JsonSerializer.SerializeToUtf8Bytes(Manifest(int.Parse(parts[4], System.Globalization.CultureInfo.InvariantCulture), Convert.ToInt32(parts[6], 16)), ManifestJson.Default.RunManifest);
            return Task.FromResult(new ObjectContent(new() { Key = key, Size = bytes.Length }, new MemoryStream(bytes)));
        }

        public Task CheckAsync(bool forWriting, CancellationToken cancellationToken = default) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public Task<StoredObject> WriteAsync(string key, Stream content, WriteOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<StoredObject?> HeadAsync(string key, string? versionId = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public IAsyncEnumerable<DeleteResult> DeleteAsync(IAsyncEnumerable<string> keys, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task ExpireVersionsAsync(TimeSpan olderThan, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<ArchiveState> RequestRestoreAsync(string key, RestoreRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        private RunManifest Manifest(int source, int run)
        {
            var time = Now.AddMinutes(run + 1 - runs);
            return new()
            {
                RunId = $"{run:x12}",
                System = "folders",
                Source = $"source-{source:d3}",
                SourceName = $"/srv/{source:d3}",
                Host = "host",
                ModuleVersion = "0",
                Started = time,
                Finished = time,
                Outcome = Outcome.Completed,
            };
        }
    }
}
