using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Backup.Engine.GitHub;

/// <summary>Takes from records what is secret, and what changes without anybody having changed anything.</summary>
internal static class RecordCleaner
{
    /// <summary>The record as it is kept.</summary>
    public static JsonElement Clean(RecordKind kind, JsonElement record)
    {
        if (kind == RecordKind.Webhooks)
            return Change(record, Webhook);
        return kind == RecordKind.Releases ? Change(record, Release) : record;
    }

    private static JsonElement Change(JsonElement record, Action<JsonObject> change)
    {
        if (JsonObject.Create(record) is not { } whole)
            return record;
        change(whole);
        return JsonSerializer.SerializeToElement(whole, GitHubRecordJson.Default.JsonObject);
    }

    // GitHub masks the secret; many put one into the address as well.
    private static void Webhook(JsonObject hook)
    {
        hook.Remove("last_response");
        if (hook["config"] is not JsonObject config)
            return;
        config.Remove("secret");
        if ((string?)config["url"] is { } url && Uri.TryCreate(url, UriKind.Absolute, out var address))
            config["url"] = Http.SafeUri.Of(address);
    }

    private static void Release(JsonObject release)
    {
        release.Remove("reactions");
        foreach (var asset in release["assets"]?.AsArray() ?? [])
            (asset as JsonObject)?.Remove("download_count");
    }
}

[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class GitHubRecordJson : JsonSerializerContext;
