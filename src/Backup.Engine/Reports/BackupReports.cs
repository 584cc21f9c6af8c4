using Backup.Engine.Stores;

namespace Backup.Engine.Reports;

/// <summary>Reads what destinations hold. Nothing is written to them.</summary>
public static class BackupReports
{
    /// <summary>
    /// One report a destination, in their order. A destination that cannot be read, or that holds no run at all where no source was named,
    /// says so in its report, and the others are read all the same.
    /// </summary>
    public static IAsyncEnumerable<DestinationReport> RunAsync(ReportOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<DestinationReport>(
            async (emit, token) =>
            {
                foreach (var destination in options.Destinations)
                    emit(await ReadAsync(destination, options, progress, token));
            },
            cancellationToken);
    }

    private static async Task<DestinationReport> ReadAsync(ReportDestination destination, ReportOptions options, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var sources = new List<SourceReport>();
        var report = new DestinationReport { Destination = destination.Location.ToString(), Sources = sources };
        try
        {
            await using var store = await ObjectStores.OpenAsync(destination.Location, options.Store, cancellationToken);
            await store.CheckAsync(forWriting: false, cancellationToken);
            await foreach (var source in new CatalogSurvey(store, destination.Sources, options, progress).RunAsync(cancellationToken))
                sources.Add(source);
            if (sources.Count == 0)
                throw new BackupException(FailureKind.NotFound, $"There is no run in '{destination.Location}'.", "Is the drive mounted, and the prefix right? Get-BackupRun lists the runs of a destination.");
            return options.Costs && destination.Location.IsS3 ? report with { Cost = await StorageCostReader.ReadAsync(store, progress, cancellationToken) } : report;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var failure = BackupException.From(exception);
            return report with { Failure = failure.Message, Kind = failure.Kind, Advice = failure.Advice };
        }
    }
}
