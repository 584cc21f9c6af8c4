using System.Text;
using Backup.Engine.Reports;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Reports;

/// <summary>A destination whose catalog a test writes: runs at any age, without the data that they speak of.</summary>
internal sealed class CatalogPlace : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private IObjectStore? _store;

    public FakeTime Time { get; } = new();

    public DateTimeOffset Now => Time.GetUtcNow();

    public StoreLocation Location => StoreLocation.ForDirectory(_directory.Combine("store"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task<IObjectStore> StoreAsync() => _store ??= await ObjectStores.OpenAsync(Location, null, Token);

    /// <summary>A run that ended so long ago.</summary>
    public async Task<RunManifest> RunAsync(string source, TimeSpan ago, Outcome outcome = Outcome.Completed, string system = "folders", Func<RunManifest, RunManifest>? also = null)
    {
        var finished = Now - ago;
        var manifest = new RunManifest
        {
            RunId = RunCatalog.NewRunId(finished),
            System = system,
            Source = CatalogSource.FromName(source),
            SourceName = source,
            Host = "backup-host",
            ModuleVersion = "0.1.0",
            Started = finished - TimeSpan.FromMinutes(10),
            Finished = finished,
            Outcome = outcome,
            Reason = outcome == Outcome.Failed ? "2 items failed." : null,
            Counts = new() { Stored = 12, Failed = outcome == Outcome.Failed ? 2 : 0 },
            BytesStored = 3 << 20,
            TotalObjects = 1200,
            TotalBytes = 5L << 30,
            Proofs = ["crc64nvme"],
        };
        manifest = also is null ? manifest : also(manifest);
        await new RunCatalog(await StoreAsync()).CommitAsync(manifest, Token);
        return manifest;
    }

    public async Task WriteAsync(string key, string text) => await (await StoreAsync()).WriteAsync(key, new MemoryStream(Encoding.UTF8.GetBytes(text)), null, Token);

    /// <summary>What is found of it.</summary>
    public async Task<DestinationReport> ReadAsync(Func<ReportOptions, ReportOptions>? also = null, params string[] sources)
    {
        var options = new ReportOptions { Destinations = [new(Location, [.. sources.Select(text => new SourcePattern(text))])], Store = new() { Time = Time } };
        return await BackupReports.RunAsync(also is null ? options : also(options), null, Token).SingleAsync(Token);
    }

    /// <summary>What is found of its only source.</summary>
    public async Task<SourceReport> ReadSourceAsync(Func<ReportOptions, ReportOptions>? also = null, params string[] sources)
    {
        var report = await ReadAsync(also, sources);
        report.Failure.ShouldBeNull();
        return report.Sources.ShouldHaveSingleItem();
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        _directory.Dispose();
    }
}
