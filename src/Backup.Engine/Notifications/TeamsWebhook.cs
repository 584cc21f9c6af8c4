using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Notifications;

/// <summary>One notice: a heading, facts and lines of text.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Facts">Names and values, a row each.</param>
/// <param name="Lines">Lines of text; as many as fit are sent.</param>
internal sealed record Notice(string Title, IReadOnlyList<KeyValuePair<string, string>> Facts, IReadOnlyList<string> Lines);

/// <summary>
/// Sends notices to a Microsoft Teams Workflows webhook as Adaptive Cards
/// (https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498).
/// The connectors that took message cards before are retired. A card may have 28 KB.
/// </summary>
internal sealed class TeamsWebhook : IDisposable
{
    /// <summary>The most bytes of a message.</summary>
    public const int MaxBytes = 28 * 1024;

    private const int Attempts = 3;
    private const int MaxLine = 300;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly Uri _address;
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly ILogger? _logger;

    /// <summary>Addresses a webhook.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where the address is not https; loopback may be http.</exception>
    public TeamsWebhook(Uri address, TimeProvider? time = null, ILogger? logger = null)
    {
        if (!address.IsAbsoluteUri || !(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)))
            throw new BackupException(FailureKind.InvalidInput, "The webhook's address is not https.", "Copy the whole URL of the Workflows webhook from Teams.");
        (_address, _time, _logger) = (address, time ?? TimeProvider.System, logger);
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout };
    }

    /// <summary>Sends a notice; null where it arrived, else why it did not. It never throws, and never tells the address: that is a secret.</summary>
    public async Task<string?> SendAsync(Notice notice, CancellationToken cancellationToken)
    {
        var card = Card(notice);
        string? reason = null;
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            if (attempt > 1)
                await Task.Delay(TimeSpan.FromSeconds(Math.Pow(2, attempt - 2) * (0.5 + (Random.Shared.NextDouble() / 2))), _time, cancellationToken);
            try
            {
                using var content = JsonContent.Create(card);
                using var response = await _http.PostAsync(_address, content, cancellationToken);
                if (response.IsSuccessStatusCode)
                    return null;
                reason = $"the webhook answered {(int)response.StatusCode}";
                if ((int)response.StatusCode < 500 && response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout))
                    break;
            }
            catch (HttpRequestException exception)
            {
                reason = $"the webhook at {_address.Host} cannot be reached ({exception.HttpRequestError})";
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                reason = $"the webhook at {_address.Host} did not answer in {Timeout.TotalSeconds:0} s";
            }

            _logger?.LogDebug("Attempt {Attempt}: {Reason}.", attempt, reason);
        }

        return reason;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>The message: as many lines as fit, and how many did not.</summary>
    internal static JsonObject Card(Notice notice)
    {
        // What a line costs in JSON is not known before it is escaped, so the message is measured as it grows.
        for (var lines = notice.Lines.Count; ; lines /= 2)
        {
            var card = Card(notice, lines);
            if (lines == 0 || Encoding.UTF8.GetByteCount(card.ToJsonString()) <= MaxBytes)
                return card;
        }
    }

    private static JsonObject Card(Notice notice, int lines)
    {
        var body = new JsonArray(
            new JsonObject { ["type"] = "TextBlock", ["text"] = Cut(notice.Title), ["weight"] = "Bolder", ["size"] = "Medium", ["wrap"] = true },
            new JsonObject { ["type"] = "FactSet", ["facts"] = new JsonArray([.. notice.Facts.Select(fact => new JsonObject { ["title"] = fact.Key, ["value"] = Cut(fact.Value) })]) });
        foreach (var line in notice.Lines.Take(lines))
            body.Add(new JsonObject { ["type"] = "TextBlock", ["text"] = Cut(line), ["wrap"] = true, ["spacing"] = "Small" });
        if (lines < notice.Lines.Count)
            body.Add(new JsonObject { ["type"] = "TextBlock", ["text"] = $"… and {notice.Lines.Count - lines} more.", ["isSubtle"] = true });
        return new()
        {
            ["type"] = "message",
            ["attachments"] = new JsonArray(new JsonObject
            {
                ["contentType"] = "application/vnd.microsoft.card.adaptive",
                ["content"] = new JsonObject
                {
                    ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json",
                    ["type"] = "AdaptiveCard",
                    ["version"] = "1.4",
                    ["body"] = body,
                },
            }),
        };
    }

    private static string Cut(string text) => text.Length <= MaxLine ? text : text[..MaxLine] + "…";
}
