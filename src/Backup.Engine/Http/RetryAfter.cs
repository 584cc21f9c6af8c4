using System.Net.Http.Headers;

namespace Backup.Engine.Http;

/// <summary>The Retry-After header (RFC 9110, 10.2.3): seconds, or a date.</summary>
internal static class RetryAfter
{
    /// <summary>How long the answer asks to wait, never less than nothing; null where it does not say.</summary>
    /// <param name="headers">The answer's headers.</param>
    /// <param name="now">The time here. Where the answer has a Date, the date is held against that: the two come from one clock.</param>
    public static TimeSpan? Of(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var wait = headers.RetryAfter?.Delta ?? (headers.RetryAfter?.Date - (headers.Date ?? now));
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
