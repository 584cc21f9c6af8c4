using System.Net;
using System.Text.Json;
using Backup.Engine.Http;

namespace Backup.Engine.GitHub;

/// <summary>What an error of the API amounts to.</summary>
internal static class GitHubFailure
{
    private const int MaxBody = 16 << 10;

    /// <summary>The failure that an answer is.</summary>
    public static async Task<BackupException> OfAsync(HttpResponseMessage response, string thing, CancellationToken cancellationToken)
    {
        var wait = RateLimit.WaitOf(response, 0, DateTimeOffset.UtcNow);
        var text = await HttpFailure.ReadTextAsync(response, MaxBody, cancellationToken);
        var block = response.StatusCode is HttpStatusCode.UnavailableForLegalReasons or HttpStatusCode.Forbidden ? Block(text) : null;
        if (block is not null || response.StatusCode == HttpStatusCode.UnavailableForLegalReasons)
        {
            return new RepositoryUnavailableException(
                RepositoryStatus.Blocked,
                FailureKind.PermissionDenied,
                $"{thing} is blocked by GitHub ({block ?? "dmca"}).",
                "Its last backup is kept. See the notice on GitHub, or leave it out with -Exclude.");
        }

        if (wait is not null)
            return new(FailureKind.Throttled, $"{thing} was put off: GitHub went on asking for fewer requests.", "Run it again later; what is stored already is not fetched again.");
        // GitHub's own sentence, not the document around it.
        var content = response.Content;
        response.Content = new StringContent(Message(text) ?? text);
        content.Dispose();
        return await HttpFailure.OfAsync(response, thing, null, cancellationToken);
    }

    /// <summary>What GitHub says (schema "basic-error" and "validation-error"), or null.</summary>
    private static string? Message(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("message", out var message) || message.ValueKind != JsonValueKind.String)
                return null;
            var details = document.RootElement.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array
                ? errors.EnumerateArray().Select(Detail).Where(detail => detail.Length > 0)
                : [];
            return string.Join("; ", details.Prepend(message.GetString()!.TrimEnd('.')));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Detail(JsonElement error) => error.ValueKind switch
    {
        JsonValueKind.String => error.GetString()!,
        JsonValueKind.Object => string.Join(' ', error.EnumerateObject().Where(part => part.Name is "field" or "code" or "message" && part.Value.ValueKind == JsonValueKind.String).Select(part => part.Value.GetString())),
        _ => "",
    };

    /// <summary>The reason of a block, or null (schema "basic-error" with "block": reason, created_at, html_url).</summary>
    private static string? Block(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("block", out var block) && block.ValueKind == JsonValueKind.Object
                ? block.TryGetProperty("reason", out var reason) && reason.ValueKind == JsonValueKind.String ? reason.GetString() : "blocked"
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
