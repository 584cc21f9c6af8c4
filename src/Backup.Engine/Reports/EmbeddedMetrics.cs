using System.Text;
using System.Text.Json;

namespace Backup.Engine.Reports;

/// <summary>
/// What is fresh as log lines that CloudWatch makes metrics of: the embedded metric format
/// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
/// </summary>
public static class EmbeddedMetrics
{
    /// <summary>The namespace of the metrics.</summary>
    public const string Namespace = "AtlassianBackup";

    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    private const int MaxDimension = 1024;

    /// <summary>One line a destination, and one a source.</summary>
    public static IEnumerable<string> Lines(DateTimeOffset now, DestinationReport destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        yield return Line(now, [("Destination", destination.Destination)], [("Readable", "Count", destination.Failure is null ? 1 : 0)]);
        foreach (var source in destination.Sources)
        {
            yield return Line(
                now,
                [("Destination", source.Destination), ("System", source.System.Length > 0 ? source.System : "unknown"), ("Source", source.SourceName)],
                [
                    ("Fresh", "Count", source.IsFresh ? 1 : 0),
                    ("Interval", "Seconds", source.Interval.TotalSeconds),
                    ("Age", "Seconds", source.Age?.TotalSeconds),
                    ("Duration", "Seconds", source.Duration?.TotalSeconds),
                    ("Size", "Bytes", source.LastGoodRunId is null ? null : source.TotalBytes),
                    ("Objects", "Count", source.LastGoodRunId is null ? null : source.TotalObjects),
                ]);
        }
    }

    private static string Line(DateTimeOffset now, IReadOnlyList<(string Name, string Value)> dimensions, IEnumerable<(string Name, string Unit, double? Value)> metrics)
    {
        var known = metrics.Where(metric => metric.Value is not null).ToList();
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("_aws");
            json.WriteNumber("Timestamp", now.ToUnixTimeMilliseconds());
            json.WriteStartArray("CloudWatchMetrics");
            json.WriteStartObject();
            json.WriteString("Namespace", Namespace);
            json.WriteStartArray("Dimensions");
            json.WriteStartArray();
            foreach (var (name, _) in dimensions)
                json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndArray();
            json.WriteStartArray("Metrics");
            foreach (var (name, unit, _) in known)
            {
                json.WriteStartObject();
                json.WriteString("Name", name);
                json.WriteString("Unit", unit);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            foreach (var (name, value) in dimensions)
                json.WriteString(name, Dimension(value));
            foreach (var (name, _, value) in known)
                json.WriteNumber(name, Math.Round(value!.Value, 3));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    // A dimension is printable ASCII: what is not is percent-encoded.
    private static string Dimension(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (var b in Encoding.UTF8.GetBytes(value))
        {
            if (b is < 0x20 or > 0x7e or (byte)'%')
                text.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            else
                text.Append((char)b);
        }

        // The end of a name tells more than its beginning.
        return text.Length <= MaxDimension ? text.ToString() : text.ToString(text.Length - MaxDimension, MaxDimension);
    }
}
