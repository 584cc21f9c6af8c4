using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Backup.Engine.Folders;
using Backup.Engine.GitHub;
using Backup.Engine.Maven;
using Backup.Engine.Plans;
using Backup.Engine.Reports;
using Backup.Engine.Runs;

namespace Backup.Host.Output;

/// <summary>Results as JSON: camel case, words for outcomes and kinds, times in UTC (ISO 8601), spans in seconds, sizes in bytes; <c>type</c> first, which says what it is.</summary>
internal static class ResultJson
{
    private static readonly HostJson Json = new(new JsonSerializerOptions(HostJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>A result as an object.</summary>
    public static JsonObject ToObject(object result)
    {
        var type = result.GetType();
        var node = JsonSerializer.SerializeToNode(result, type, Json)!.AsObject();
        node.Insert(0, "type", JsonNamingPolicy.CamelCase.ConvertName(type.Name));
        return node;
    }

    /// <summary>In one line.</summary>
    public static string ToLine(JsonNode node) => node.ToJsonString(Json.Options);
}

/// <summary>What ended a command early, as the last line of its results.</summary>
internal sealed record Error(Engine.FailureKind Kind, string Message, string? Advice);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(SecondsConverter)])]
[JsonSerializable(typeof(Error))]
[JsonSerializable(typeof(FolderSyncResult))]
[JsonSerializable(typeof(FileFailure))]
[JsonSerializable(typeof(BackupRun))]
[JsonSerializable(typeof(RunVerification))]
[JsonSerializable(typeof(RestoredItem))]
[JsonSerializable(typeof(RestoreSummary))]
[JsonSerializable(typeof(PackageVersionResult))]
[JsonSerializable(typeof(RepositoryResult))]
[JsonSerializable(typeof(GitHubBackupResult))]
[JsonSerializable(typeof(BackupJobResult))]
[JsonSerializable(typeof(PlanSummary))]
[JsonSerializable(typeof(PlanCheck))]
internal sealed partial class HostJson : JsonSerializerContext;
