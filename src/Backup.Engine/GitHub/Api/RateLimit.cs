using System.Globalization;
using System.Net;
using System.Text;
using Backup.Engine.Http;

namespace Backup.Engine.GitHub;

/// <summary>
/// What an answer says of GitHub's limits (docs.github.com, "Rate limits for the REST API": Retry-After first; then the reset where nothing
/// remains; else at least a minute, and longer each time).
/// </summary>
internal static class RateLimit
{
    private const int MaxText = 4096;
    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);

    /// <summary>How long to wait where the answer is a refusal for a limit; else null.</summary>
    /// <param name="response">The answer; its body is looked at only where it is buffered.</param>
    /// <param name="attempt">How many refusals came before, for limits that do not say how long.</param>
    /// <param name="now">The time here.</param>
    public static TimeSpan? WaitOf(HttpResponseMessage response, int attempt, DateTimeOffset now)
    {
        if (response.StatusCode is not (HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable))
            return null;
        if (RetryAfter.Of(response.Headers, now) is { } asked)
            return asked;
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
            return null;
        if (UntilReset(response, now) is { } untilReset)
            return untilReset;
        if (response.StatusCode == HttpStatusCode.TooManyRequests || IsSecondary(response))
            return FirstWait * Math.Pow(2, attempt) is var wait && wait > LongestWait ? LongestWait : wait;
        return null;
    }

    /// <summary>How long until there are requests again, where the answer says that none remains; else null.</summary>
    public static TimeSpan? UntilReset(HttpResponseMessage response, DateTimeOffset now)
    {
        if (Number(response, "x-ratelimit-remaining") is not 0 || Number(response, "x-ratelimit-reset") is not { } reset)
            return null;
        // Both times are GitHub's own; a second more, because they are whole ones.
        var wait = DateTimeOffset.FromUnixTimeSeconds(reset) - (response.Headers.Date ?? now) + TimeSpan.FromSeconds(1);
        return wait > TimeSpan.Zero ? wait : TimeSpan.FromSeconds(1);
    }

    private static long? Number(HttpResponseMessage response, string header) =>
        response.Headers.TryGetValues(header, out var values) && long.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static bool IsSecondary(HttpResponseMessage response)
    {
        if (response.Content.Headers.ContentLength is not (> 0 and <= MaxText))
            return false;
        using var reader = new StreamReader(response.Content.ReadAsStream(), Encoding.UTF8, leaveOpen: true);
        var text = reader.ReadToEnd();
        reader.BaseStream.Position = 0;
        return text.Contains("secondary rate limit", StringComparison.OrdinalIgnoreCase) || text.Contains("abuse detection", StringComparison.OrdinalIgnoreCase);
    }
}
