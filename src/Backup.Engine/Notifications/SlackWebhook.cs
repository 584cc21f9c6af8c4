using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Notifications;

/// <summary>
/// Sends notices to a Slack incoming webhook, or to whatever takes <c>{"text": …}</c> (Mattermost, Rocket.Chat, Google Chat): https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/.
/// Slack recommends 4,000 characters at the most, and reads <c>&amp;</c>, <c>&lt;</c> and <c>&gt;</c> as its own: https://docs.slack.dev/messaging/formatting-message-text/.
/// </summary>
/// <param name="address">The webhook's address.</param>
/// <param name="time">The clock of the waits between attempts.</param>
/// <param name="logger">Told of attempts.</param>
internal sealed class SlackWebhook(Uri address, TimeProvider? time = null, ILogger? logger = null)
    : Webhook(address, "Copy the whole URL of the incoming webhook.", time, logger)
{
    /// <summary>The most characters of a message.</summary>
    public const int MaxText = 4000;

    private const int MaxLine = 300;
    private const int Reserve = 40;

    /// <summary>The message's text: as many lines as fit, and how many did not.</summary>
    internal static string Text(Notice notice)
    {
        var text = new StringBuilder($"*{Plain(notice.Title)}*");
        foreach (var (name, value) in notice.Facts)
            text.Append('\n').Append(Plain(name)).Append(": ").Append(Plain(value));
        for (var i = 0; i < notice.Lines.Count; i++)
        {
            var line = Plain(notice.Lines[i]);
            if (text.Length + line.Length + Reserve > MaxText)
            {
                text.Append($"\n… and {notice.Lines.Count - i} more.");
                break;
            }

            text.Append("\n• ").Append(line);
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    protected override JsonObject Message(Notice notice) => new() { ["text"] = Text(notice) };

    private static string Plain(string text) => (text.Length <= MaxLine ? text : text[..MaxLine] + "…")
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
