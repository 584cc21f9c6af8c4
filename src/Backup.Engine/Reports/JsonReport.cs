using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Backup.Engine.Reports;

/// <summary>A report as JSON: camel case, words for states and outcomes, times in UTC (ISO 8601), spans in seconds, sizes in bytes.</summary>
public static class JsonReport
{
    /// <summary>Writes the report.</summary>
    public static Task WriteAsync(Stream stream, BackupReport report, CancellationToken cancellationToken = default) =>
        JsonSerializer.SerializeAsync(stream, report, ReportJson.Indented.BackupReport, cancellationToken);
}

/// <summary>A span of time as a number of seconds.</summary>
internal sealed class SecondsConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => TimeSpan.FromSeconds(reader.GetDouble());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(Math.Round(value.TotalSeconds, 3));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    Converters = [typeof(SecondsConverter)])]
[JsonSerializable(typeof(BackupReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    /// <summary>As it is written: names in other scripts stay readable.</summary>
    public static ReportJson Indented => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
