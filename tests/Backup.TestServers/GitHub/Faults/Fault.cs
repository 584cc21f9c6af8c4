namespace Backup.TestServers.GitHub.Faults;

/// <summary>One line of the script: which requests, how often, what happens.</summary>
public sealed class Fault
{
    private int _seen;
    private int _hits;

    public required Func<RequestRecord, bool> Match { get; init; }

    /// <summary>Matching requests that pass before the first is hit.</summary>
    public int Skip { get; init; }

    /// <summary>How many are hit; int.MaxValue for all.</summary>
    public int Times { get; init; } = 1;

    public required FaultAction Action { get; init; }

    /// <summary>How many were hit so far.</summary>
    public int Hits => Volatile.Read(ref _hits);

    internal bool Take(RequestRecord request)
    {
        if (!Match(request))
            return false;
        var position = Interlocked.Increment(ref _seen) - 1L - Skip;
        if (position < 0 || position >= Times)
            return false;
        Interlocked.Increment(ref _hits);
        return true;
    }
}

/// <summary>What goes wrong in place of the answer.</summary>
/// <param name="Status">This status and no other effect, or null.</param>
/// <param name="Body">The body that goes with it.</param>
/// <param name="Headers">The headers that go with it.</param>
/// <param name="TruncateAfter">The connection is cut after so many bytes of the true answer.</param>
/// <param name="Hang">No answer until the client leaves.</param>
/// <param name="ApplyThenReset">The operation is done, then the connection is cut in place of the answer.</param>
public sealed record FaultAction(
    int? Status = null,
    string Body = "{}",
    IReadOnlyDictionary<string, string>? Headers = null,
    long? TruncateAfter = null,
    bool Hang = false,
    bool ApplyThenReset = false)
{
    /// <summary>The secondary limit: 403 with Retry-After and no sign of the primary one (docs.github.com, "Rate limits for the REST API").</summary>
    public static FaultAction SecondaryLimit(int? retryAfterSeconds) => new(
        403,
        """{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}""",
        retryAfterSeconds is { } seconds ? new Dictionary<string, string>(StringComparer.Ordinal) { ["Retry-After"] = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture) } : null);

    /// <summary>The primary limit: 403, remaining 0, and the time at which there are requests again.</summary>
    public static FaultAction PrimaryLimit(DateTimeOffset reset) => new(
        403,
        """{"message":"API rate limit exceeded for user ID 1.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"}""",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["x-ratelimit-limit"] = "5000",
            ["x-ratelimit-remaining"] = "0",
            ["x-ratelimit-reset"] = reset.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["x-ratelimit-resource"] = "core",
        });
}
