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
        if (response.StatusCode is HttpStatusCode.UnavailableForLegalReasons or HttpStatusCode.Forbidden)
        {
            await response.Content.LoadIntoBufferAsync(MaxBody, cancellationToken);
            var block = Block(await HttpFailure.ReadTextAsync(response, MaxBody, cancellationToken));
            if (block is not null || response.StatusCode == HttpStatusCode.UnavailableForLegalReasons)
            {
                return new RepositoryUnavailableException(
                    RepositoryStatus.Blocked,
                    FailureKind.PermissionDenied,
                    $"{thing} is blocked by GitHub ({block ?? "dmca"}).",
                    "Its last backup is kept. See the notice on GitHub, or leave it out with -Exclude.");
            }

            (await response.Content.ReadAsStreamAsync(cancellationToken)).Position = 0;
        }

        if (RateLimit.WaitOf(response, 0, DateTimeOffset.UtcNow) is not null)
            return new(FailureKind.Throttled, $"{thing} was put off: GitHub went on asking for fewer requests.", "Run it again later; what is stored already is not fetched again.");
        return await HttpFailure.OfAsync(response, thing, null, cancellationToken);
    }

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
