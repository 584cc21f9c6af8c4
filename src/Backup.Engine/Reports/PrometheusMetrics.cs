using System.Globalization;
using System.Text;

namespace Backup.Engine.Reports;

/// <summary>
/// What is fresh as a file for Prometheus: the text format (https://prometheus.io/docs/instrumenting/exposition_formats/, no timestamps) that
/// node_exporter's and windows_exporter's textfile collectors read.
/// </summary>
public static class PrometheusMetrics
{
    private const string Prefix = "atlassianbackup_";

    /// <summary>Writes the metrics. A destination that cannot be read has no word on its sources, and is 0 in <c>destination_readable</c>.</summary>
    public static async Task WriteAsync(Stream stream, DateTimeOffset now, IReadOnlyList<DestinationReport> destinations, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destinations);
        var sources = destinations.SelectMany(destination => destination.Sources).ToList();
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        Family("checked_timestamp_seconds", "When this was found out, in seconds since 1970.", [("", Seconds(now))]);
        Family("destination_readable", "Whether the destination's catalog could be read, and holds runs.", destinations.Select(destination => ($$"""{destination="{{Label(destination.Destination)}}"}""", destination.Failure is null ? (double?)1 : 0)));
        Of("source_fresh", "Whether the source has a good run within its interval.", source => source.IsFresh ? 1 : 0);
        Of("source_interval_seconds", "How old the newest good run may be.", source => source.Interval.TotalSeconds);
        Of("source_last_good_timestamp_seconds", "When the source was last known to be stored whole, in seconds since 1970.", source => Seconds(source.LastGood));
        Of("source_last_run_timestamp_seconds", "When the newest run ended, good or not, in seconds since 1970.", source => Seconds(source.LastRun));
        Of("source_last_run_success", "Whether the newest run was good.", source => source.Runs.Count == 0 ? null : source.Runs[0].IsGood ? 1 : 0);
        Of("source_last_verified_timestamp_seconds", "When a run was last verified and found whole, in seconds since 1970.", source => Seconds(source.LastVerified));
        Of("source_duration_seconds", "How long the newest good run took.", source => source.Duration?.TotalSeconds);
        Of("source_size_bytes", "Bytes in the backup after the newest good run.", source => source.LastGoodRunId is null ? null : source.TotalBytes);
        Of("source_objects", "Objects in the backup after the newest good run.", source => source.LastGoodRunId is null ? null : source.TotalObjects);
        await writer.FlushAsync(cancellationToken);

        void Of(string name, string help, Func<SourceReport, double?> value) => Family(
            name,
            help,
            sources.Select(source => ($$"""{destination="{{Label(source.Destination)}}",system="{{Label(source.System)}}",source="{{Label(source.SourceName)}}"}""", value(source))));

        void Family(string name, string help, IEnumerable<(string Labels, double? Value)> samples)
        {
            writer.WriteLine($"# HELP {Prefix}{name} {help}");
            writer.WriteLine($"# TYPE {Prefix}{name} gauge");
            // The same labels twice would make the whole file unreadable.
            foreach (var (labels, value) in samples.DistinctBy(sample => sample.Labels, StringComparer.Ordinal))
            {
                if (value is { } number)
                    writer.WriteLine($"{Prefix}{name}{labels} {number.ToString("R", CultureInfo.InvariantCulture)}");
            }
        }
    }

    private static double? Seconds(DateTimeOffset? time) => time is { } given ? Math.Round((given - DateTimeOffset.UnixEpoch).TotalSeconds, 3) : null;

    private static string Label(string text) =>
        text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
