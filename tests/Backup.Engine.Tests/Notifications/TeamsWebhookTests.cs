using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Backup.Engine.Notifications;

namespace Backup.Engine.Tests.Notifications;

public sealed class TeamsWebhookTests
{
    [Fact]
    public void A_card_has_what_Teams_asks_for()
    {
        var card = TeamsWebhook.Card(new("Title", [new("Errors", "2")], ["first", "second"]));
        card["type"]!.GetValue<string>().ShouldBe("message");
        var content = card["attachments"]![0]!["content"]!;
        content["type"]!.GetValue<string>().ShouldBe("AdaptiveCard");
        content["body"]!.AsArray().Count.ShouldBe(4);
    }

    [Fact]
    public void However_much_there_is_to_say_the_message_stays_below_its_limit()
    {
        var lines = Enumerable.Range(0, 5000).Select(i => $"/data/größe-{i}/" + new string('\u0001', 400)).ToList();
        var card = TeamsWebhook.Card(new("Title", [], lines));
        Encoding.UTF8.GetByteCount(card.ToJsonString()).ShouldBeLessThanOrEqualTo(TeamsWebhook.MaxBytes);
        card.ToJsonString().ShouldContain("more.");
    }

    [Fact]
    public void An_address_that_is_not_https_is_refused_and_not_repeated()
    {
        var failure = Should.Throw<BackupException>(() => new TeamsWebhook(new("http://example.com/secret")));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.Message.ShouldNotContain("secret");
    }

    [Fact]
    public async Task A_notice_is_sent_again_until_it_arrives()
    {
        using var listener = new Listener(503, 429, 202);
        using var webhook = new TeamsWebhook(listener.Address);
        (await webhook.SendAsync(new("Title", [], ["a line"]), TestContext.Current.CancellationToken)).ShouldBeNull();
        listener.Bodies.Count.ShouldBe(3);
        JsonNode.Parse(listener.Bodies[2])!["attachments"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_webhook_that_refuses_says_why_and_not_where()
    {
        using var listener = new Listener(400);
        using var webhook = new TeamsWebhook(new(listener.Address, "secret-path"));
        var reason = await webhook.SendAsync(new("Title", [], []), TestContext.Current.CancellationToken);
        reason.ShouldNotBeNull();
        reason.ShouldContain("400");
        reason.ShouldNotContain("secret-path");
        listener.Bodies.Count.ShouldBe(1);
    }

    private sealed class Listener : IDisposable
    {
        private readonly HttpListener _listener = new();

        public Listener(params int[] statuses)
        {
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = new($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            }

            _listener.Prefixes.Add(Address.AbsoluteUri);
            _listener.Start();
            _ = ServeAsync(statuses);
        }

        public Uri Address { get; }

        public List<string> Bodies { get; } = [];

        public void Dispose() => _listener.Close();

        private async Task ServeAsync(int[] statuses)
        {
            foreach (var status in statuses)
            {
                var context = await _listener.GetContextAsync();
                using (var reader = new StreamReader(context.Request.InputStream))
                    Bodies.Add(await reader.ReadToEndAsync());
                context.Response.StatusCode = status;
                context.Response.Close();
            }
        }
    }
}
