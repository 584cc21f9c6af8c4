using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Backup.Engine.Http;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.S3;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Tests.Http;

public sealed class HttpSenderTests
{
    private const string Token = "s3cr3t-t0ken";
    private static readonly AuthenticationHeaderValue Basic = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("a@b.c:" + Token)));
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly FakeTime _time = new(impatient: true);
    private readonly List<string> _log = [];

    private HttpSender Sender(Func<HttpOptions, HttpOptions>? change = null)
    {
        HttpOptions options = new() { Time = _time, Logger = new CallbackLogger((int)LogLevel.Debug, (_, message) => _log.Add(message)) };
        return new(change is null ? options : change(options));
    }

    private static Func<HttpRequestMessage> Get(Uri address) => () => new(HttpMethod.Get, address) { Headers = { Authorization = Basic } };

    private static Func<HttpRequestMessage> Post(Uri address) => () => new(HttpMethod.Post, address) { Content = new StringContent("{}"), Headers = { Authorization = Basic } };

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task What_passes_is_tried_again(int status)
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(status), HttpPeer.Answer(status), HttpPeer.Answer(200, "well"));
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), cancellationToken: None);
        (await response.Content.ReadAsStringAsync()).ShouldBe("well");
        peer.Requests.Count.ShouldBe(3);
        _time.Delays.Count.ShouldBe(2);
        _log.Count(line => line.Contains($"{status}. Attempt", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(412)]
    [InlineData(501)]
    public async Task What_does_not_pass_is_not(int status)
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(status));
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), cancellationToken: None);
        ((int)response.StatusCode).ShouldBe(status);
        peer.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task After_the_last_attempt_the_answer_is_given_back()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(503, "down"));
        using var sender = Sender(options => options with { MaxAttempts = 3 });
        using var response = await sender.SendAsync(Get(peer.Address), cancellationToken: None);
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        peer.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_reset_and_a_cut_body_are_tried_again()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.ResetAsync, HttpPeer.CutAsync, HttpPeer.Answer(200, "whole"));
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), new() { BufferUpTo = 1000 }, None);
        (await response.Content.ReadAsStringAsync()).ShouldBe("whole");
        peer.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task An_answer_larger_than_its_bound_is_a_failure()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(200, new string('x', 2000)));
        using var sender = Sender(options => options with { MaxAttempts = 1 });
        var failure = await Should.ThrowAsync<BackupException>(() => sender.SendAsync(Get(peer.Address), new() { BufferUpTo = 1000 }, None));
        failure.Kind.ShouldBe(FailureKind.Unavailable);
    }

    [Fact]
    public async Task What_may_have_arrived_is_not_sent_again_unless_that_is_allowed()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(503), HttpPeer.ResetAsync, HttpPeer.Answer(503), HttpPeer.Answer(200));
        using var sender = Sender();
        using (var first = await sender.SendAsync(Post(peer.Address), cancellationToken: None))
            first.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await Should.ThrowAsync<BackupException>(() => sender.SendAsync(Post(peer.Address), cancellationToken: None))).Kind.ShouldBe(FailureKind.Unavailable);
        using var third = await sender.SendAsync(Post(peer.Address), new() { Repeatable = true }, None);
        third.StatusCode.ShouldBe(HttpStatusCode.OK);
        peer.Requests.Count.ShouldBe(4);
        peer.Requests[3].Body.ShouldBe("{}");
    }

    [Fact]
    public async Task Where_nobody_listens_even_a_post_is_tried_again_and_the_address_is_named()
    {
        Uri address;
        await using (var peer = await HttpPeer.StartAsync(HttpPeer.Answer(200)))
            address = peer.Address;
        using var sender = Sender(options => options with { MaxAttempts = 3 });
        var failure = await Should.ThrowAsync<BackupException>(() => sender.SendAsync(Post(new(address, "/path?sig=" + Token)), cancellationToken: None));
        failure.Kind.ShouldBe(FailureKind.Unavailable);
        failure.Message.ShouldContain($"{address.Host}:{address.Port}");
        failure.Message.ShouldContain("cannot be reached");
        _time.Delays.Count.ShouldBe(2);
        string.Join('\n', [failure.ToString(), .. _log]).ShouldNotContain(Token);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_a_timeout()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.HangAsync);
        using var sender = Sender(options => options with { AnswerTimeout = TimeSpan.FromMilliseconds(200), MaxAttempts = 2 });
        (await Should.ThrowAsync<BackupException>(() => sender.SendAsync(Get(peer.Address), cancellationToken: None))).Kind.ShouldBe(FailureKind.TimedOut);
        peer.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_cancellation_is_neither_a_failure_nor_tried_again()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.HangAsync);
        using var sender = Sender();
        using var stop = new CancellationTokenSource();
        var sending = sender.SendAsync(Get(peer.Address), cancellationToken: stop.Token);
        while (peer.Requests.Count == 0)
            await Task.Delay(5);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => sending);
        peer.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Retry_After_is_honoured_in_seconds_and_as_a_date()
    {
        var date = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
        await using var peer = await HttpPeer.StartAsync(
            HttpPeer.Answer(429, "", ("Retry-After", "7")),
            HttpPeer.Answer(503, "", ("Date", date.ToString("R")), ("Retry-After", date.AddSeconds(11).ToString("R"))),
            HttpPeer.Answer(200));
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), cancellationToken: None);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        _time.Delays.ShouldBe([TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(11)]);
    }

    [Fact]
    public async Task A_wait_that_is_too_long_is_the_callers_to_decide()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(429, "slow down", ("Retry-After", "3600")));
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), cancellationToken: None);
        response.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        peer.Requests.Count.ShouldBe(1);
        var failure = await HttpFailure.OfAsync(response, "'acme'");
        failure.Kind.ShouldBe(FailureKind.Throttled);
        failure.Advice.ShouldBe("Run again in 60 minutes.");
    }

    [Fact]
    public async Task A_rate_limit_of_the_servers_own_kind_is_waited_for()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(403, "", ("x-ratelimit-remaining", "0")), HttpPeer.Answer(200));
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), new() { WaitFor = answer => answer.Headers.Contains("x-ratelimit-remaining") ? TimeSpan.FromSeconds(42) : null }, None);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        _time.Delays.ShouldBe([TimeSpan.FromSeconds(42)]);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Credentials_stay_within_their_origin(int status)
    {
        await using var other = await HttpPeer.StartAsync(HttpPeer.Answer(302, "", ("Location", "/second")), HttpPeer.Answer(200, "there"));
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(status, "", ("Location", "/here?x=1")), HttpPeer.Answer(status, "", ("Location", new Uri(other.Address, "/signed?sig=" + Token).AbsoluteUri)));
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), cancellationToken: None);
        (await response.Content.ReadAsStringAsync()).ShouldBe("there");
        response.RequestMessage!.RequestUri!.AbsolutePath.ShouldBe("/second");
        peer.Requests.Select(request => request.Target).ShouldBe(["/", "/here?x=1"]);
        peer.Requests.ShouldAllBe(request => request.Authorization == Basic.ToString());
        other.Requests.Count.ShouldBe(2);
        other.Requests.ShouldAllBe(request => request.Authorization.Length == 0);
        other.Requests[0].UserAgent.ShouldStartWith("AtlassianBackup/");
        string.Join('\n', _log).ShouldNotContain(Token);
        _log.ShouldContain(line => line.Contains("without the credentials", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Credentials_do_not_come_back_with_the_origin()
    {
        Uri? home = null;
        await using var other = await HttpPeer.StartAsync(context => HttpPeer.Answer(302, "", ("Location", new Uri(home!, "/back").AbsoluteUri))(context));
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(302, "", ("Location", other.Address.AbsoluteUri)), HttpPeer.Answer(200));
        home = peer.Address;
        using var sender = Sender();
        using var response = await sender.SendAsync(Get(peer.Address), cancellationToken: None);
        peer.Requests[1].Authorization.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(301, "GET", "")]
    [InlineData(302, "GET", "")]
    [InlineData(303, "GET", "")]
    [InlineData(307, "POST", "{}")]
    [InlineData(308, "POST", "{}")]
    public async Task A_post_stays_one_only_where_the_redirect_says_so(int status, string method, string body)
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(status, "", ("Location", "/next")), HttpPeer.Answer(200));
        using var sender = Sender();
        using var response = await sender.SendAsync(Post(peer.Address), cancellationToken: None);
        peer.Requests[1].Method.ShouldBe(method);
        peer.Requests[1].Body.ShouldBe(body);
    }

    [Fact]
    public async Task Redirects_without_end_are_a_failure()
    {
        await using var peer = await HttpPeer.StartAsync(HttpPeer.Answer(302, "", ("Location", "/again?sig=" + Token)));
        using var sender = Sender(options => options with { MaxRedirects = 4 });
        var failure = await Should.ThrowAsync<BackupException>(() => sender.SendAsync(Get(peer.Address), cancellationToken: None));
        failure.Kind.ShouldBe(FailureKind.Unavailable);
        failure.Message.ShouldContain("4 redirects");
        failure.ToString().ShouldNotContain(Token);
        peer.Requests.Count.ShouldBe(5);
    }

    [Theory]
    [InlineData("http://example.com/login")]
    [InlineData("ftp://127.0.0.1/file")]
    [InlineData("file:///etc/passwd")]
    public void A_redirect_that_leaves_encryption_is_refused(string target)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.Found)
        {
            RequestMessage = new(HttpMethod.Get, "https://acme.atlassian.net/wiki/download"),
            Headers = { Location = new(target) },
        };
        Should.Throw<BackupException>(() => Redirect.Of(response, null)).Message.ShouldContain("not encrypted");
    }

    [Fact]
    public void Only_loopback_may_follow_https_without_it()
    {
        using var response = new HttpResponseMessage(HttpStatusCode.Found)
        {
            RequestMessage = new(HttpMethod.Get, "https://acme.atlassian.net/wiki/download"),
            Headers = { Location = new("http://127.0.0.1:1/file") },
        };
        Redirect.Of(response, null)!.KeepsCredentials.ShouldBeFalse();
    }

    [Fact]
    public async Task A_certificate_is_trusted_when_it_is_the_one_that_was_given_and_else_refused_at_once()
    {
        using var certificate = LoopbackCertificate.Create();
        await using var peer = await HttpPeer.StartAsync(certificate, HttpPeer.Answer(200, "private"));
        using (var trusting = Sender(options => options with { TrustedCertificate = certificate }))
        {
            using var response = await trusting.SendAsync(Get(peer.Address), cancellationToken: None);
            (await response.Content.ReadAsStringAsync()).ShouldBe("private");
        }

        using var sender = Sender();
        var failure = await Should.ThrowAsync<BackupException>(() => sender.SendAsync(Get(peer.Address), cancellationToken: None));
        failure.Kind.ShouldBe(FailureKind.Unavailable);
        failure.Advice.ShouldNotBeNull().ShouldContain("certificate");
        _time.Delays.ShouldBeEmpty();
    }
}
