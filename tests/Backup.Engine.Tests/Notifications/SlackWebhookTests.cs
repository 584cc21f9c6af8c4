using Backup.Engine.Notifications;

namespace Backup.Engine.Tests.Notifications;

public sealed class SlackWebhookTests
{
    [Fact]
    public void Nothing_in_a_notice_is_read_as_a_mention_or_a_link() =>
        SlackWebhook.Text(new("<!channel> & <https://x|y>", [new("Jobs", "<1>")], ["a <@U1>\nb"]))
            .ShouldBe("*&lt;!channel&gt; &amp; &lt;https://x|y&gt;*\nJobs: &lt;1&gt;\n• a &lt;@U1&gt; b");

    [Fact]
    public void However_much_there_is_to_say_the_text_stays_below_its_limit()
    {
        var text = SlackWebhook.Text(new("Title", [], [.. Enumerable.Range(0, 5000).Select(i => $"/data/<{i}>/" + new string('x', 400))]));
        text.Length.ShouldBeLessThanOrEqualTo(SlackWebhook.MaxText);
        text.ShouldMatch(@"… and \d{4} more\.$");
    }
}
