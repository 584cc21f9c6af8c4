using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Backup.Engine.Http;

namespace Backup.Engine.Tests.Http;

public sealed class HttpFailureTests
{
    [Theory]
    [InlineData(401, FailureKind.AuthenticationFailed)]
    [InlineData(403, FailureKind.PermissionDenied)]
    [InlineData(404, FailureKind.NotFound)]
    [InlineData(410, FailureKind.NotFound)]
    [InlineData(409, FailureKind.AlreadyExists)]
    [InlineData(429, FailureKind.Throttled)]
    [InlineData(451, FailureKind.PermissionDenied)]
    [InlineData(500, FailureKind.Unavailable)]
    [InlineData(504, FailureKind.TimedOut)]
    [InlineData(422, FailureKind.InvalidInput)]
    public async Task A_status_has_one_word(int status, FailureKind kind)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent("because"), RequestMessage = new(HttpMethod.Get, "https://acme.atlassian.net/x?token=secret") };
        var failure = await HttpFailure.OfAsync(response, "'acme'");
        failure.Kind.ShouldBe(kind);
        failure.Message.ShouldContain("'acme'");
        failure.Message.ShouldContain("because");
        failure.Message.ShouldContain($"{status}");
        failure.Message.ShouldNotContain("secret");
    }

    [Fact]
    public async Task A_body_is_repeated_in_short_without_markup_and_without_the_requests_credentials()
    {
        const string token = "tok-1234567890";
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes("me:" + token));
        var page = $"<html><title>Log in</title>\u0007<body>\r\n\t you sent {basic} and {token} {new string('x', 5000)}</body></html>";
        using var response = new HttpResponseMessage(HttpStatusCode.Unauthorized)
        {
            Content = new StringContent(page),
            RequestMessage = new(HttpMethod.Get, "https://acme.atlassian.net/") { Headers = { Authorization = new AuthenticationHeaderValue("Basic", basic) } },
        };
        var message = (await HttpFailure.OfAsync(response, "'acme'")).Message;
        message.Length.ShouldBeLessThan(700);
        message.ShouldContain("Log in you sent *** and ***");
        message.ShouldNotContain("<");
        message.ShouldNotContain(token);
        message.ShouldNotContain(basic);
        message.Any(char.IsControl).ShouldBeFalse();
    }

    [Theory]
    [InlineData("120", null, 120)]
    [InlineData("-5", null, null)]
    [InlineData("Sat, 21 Nov 2026 12:01:00 GMT", null, 60)]
    [InlineData("Sat, 21 Nov 2026 12:01:00 GMT", "Sat, 21 Nov 2026 12:00:50 GMT", 10)]
    [InlineData("Sat, 21 Nov 2026 11:00:00 GMT", null, 0)]
    [InlineData("soon", null, null)]
    public void A_wait_is_read_in_both_forms(string value, string? date, int? seconds)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("Retry-After", value);
        if (date is not null)
            response.Headers.TryAddWithoutValidation("Date", date);
        var wait = RetryAfter.Of(response.Headers, new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
        wait.ShouldBe(seconds is { } number ? TimeSpan.FromSeconds(number) : null);
    }

    [Fact]
    public void An_address_is_printed_without_its_secrets() =>
        SafeUri.Of(new("https://user:pass@host:8443/a/b?sig=1#x")).ShouldBe("https://host:8443/a/b");
}
