using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Notifications;

/// <summary>
/// Sends notices to a Microsoft Teams Workflows webhook as Adaptive Cards
/// (https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498).
/// The connectors that took message cards before are retired. A card may have 28 KB.
/// </summary>
/// <param name="address">The webhook's address.</param>
/// <param name="time">The clock of the waits between attempts.</param>
/// <param name="logger">Told of attempts.</param>
internal sealed class TeamsWebhook(Uri address, TimeProvider? time = null, ILogger? logger = null)
    : Webhook(address, "Copy the whole URL of the Workflows webhook from Teams.", time, logger)
{
    /// <summary>The most bytes of a message.</summary>
    public const int MaxBytes = 28 * 1024;

    private const int MaxLine = 300;

    /// <inheritdoc/>
    protected override JsonObject Message(Notice notice) => Card(notice);

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
