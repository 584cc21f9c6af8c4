using System.Net;
using System.Security.Authentication;
using System.Text;

namespace Backup.Engine.Http;

/// <summary>What an answer that is an error, or none at all, amounts to.</summary>
internal static class HttpFailure
{
    private const int MaxBody = 8 << 10;
    private const int MaxExcerpt = 500;
    private static readonly TimeSpan BodyTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The failure that an answer is. It reads a little of the body, and repeats it without markup and without the request's own credentials.</summary>
    /// <param name="response">The answer; it stays the caller's.</param>
    /// <param name="thing">What was asked for, as a noun that a sentence may begin with: <c>'owner/repo'</c>, <c>The export of 'site'</c>.</param>
    /// <param name="advice">What to do about it, or null for what the status suggests.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public static async Task<BackupException> OfAsync(HttpResponseMessage response, string thing, string? advice = null, CancellationToken cancellationToken = default)
    {
        var kind = KindOf(response.StatusCode);
        var host = response.RequestMessage?.RequestUri?.Host ?? "the server";
        var text = Excerpt(await ReadTextAsync(response, MaxBody, cancellationToken), response.RequestMessage);
        var said = text.Length == 0 ? "" : $": {text.TrimEnd('.')}";
        return new(kind, $"{thing} {Verdict(kind)}: {host} answered {(int)response.StatusCode}{said}.", advice ?? Advice(kind, response));
    }

    /// <summary>The failure that no answer is.</summary>
    public static BackupException NoAnswer(Uri? address, Exception exception)
    {
        var origin = address?.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped) ?? "The server";
        var cause = Cause(exception);
        return exception switch
        {
            TimeoutException => new(FailureKind.TimedOut, $"{origin} gave {cause}.", "Check the network and its proxy, then run again.", exception),
            { InnerException: AuthenticationException } => new(FailureKind.Unavailable, $"{origin} cannot be reached: {cause}.", "The system has to trust the certificate of that address: install its authority, or check the address.", exception),
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.ProxyTunnelError or HttpRequestError.SecureConnectionError } =>
                new(FailureKind.Unavailable, $"{origin} cannot be reached: {cause}.", "Check the address, the network and its proxy.", exception),
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => new(FailureKind.Unavailable, $"{origin} answered with more than was asked for: {cause}.", "Check the address, and what stands between this machine and it.", exception),
            _ => new(FailureKind.Unavailable, $"The connection to {origin} broke: {cause}.", "Check the network, then run again.", exception),
        };
    }

    /// <summary>What happened, as a clause.</summary>
    public static string Cause(Exception exception) =>
        (exception is TimeoutException ? exception : exception.InnerException ?? exception).Message.TrimEnd('.');

    /// <summary>The stable word for a status.</summary>
    public static FailureKind KindOf(HttpStatusCode status) => (int)status switch
    {
        401 or 407 => FailureKind.AuthenticationFailed,
        402 or 403 or 451 => FailureKind.PermissionDenied,
        404 or 410 => FailureKind.NotFound,
        408 or 504 => FailureKind.TimedOut,
        409 => FailureKind.AlreadyExists,
        423 => FailureKind.Busy,
        429 => FailureKind.Throttled,
        501 => FailureKind.NotSupported,
        507 => FailureKind.NoSpace,
        >= 500 => FailureKind.Unavailable,
        >= 400 => FailureKind.InvalidInput,
        _ => FailureKind.Unavailable,
    };

    /// <summary>Reads at most so many bytes of an answer's body as text. A body that breaks off gives what there is of it.</summary>
    public static async Task<string> ReadTextAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellationToken = default)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(BodyTimeout);
        var buffer = new byte[maxBytes];
        var count = 0;
        try
        {
            // The answer disposes it; a buffered one can be read again.
            var stream = await response.Content.ReadAsStreamAsync(deadline.Token);
            count = await stream.ReadAtLeastAsync(buffer, maxBytes, throwOnEndOfStream: false, deadline.Token);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // It only explains a failure that is known already.
        }

        return Encoding.UTF8.GetString(buffer, 0, count);
    }

    /// <summary>A text as one short line: no markup, no control characters, no credentials of the request that it answers.</summary>
    internal static string Excerpt(string text, HttpRequestMessage? request)
    {
        foreach (var secret in SecretsOf(request))
            text = text.Replace(secret, "***", StringComparison.Ordinal);
        var line = new StringBuilder();
        var isMarkup = text.TrimStart().StartsWith('<');
        var inTag = false;
        foreach (var character in text)
        {
            if (isMarkup && character is '<' or '>')
                inTag = character == '<';
            else if (!inTag && !char.IsControl(character) && !char.IsWhiteSpace(character))
                line.Append(character);
            else if (!inTag && line.Length > 0 && line[^1] != ' ')
                line.Append(' ');
            if (line.Length == MaxExcerpt)
                return line.Append('…').ToString();
        }

        return line.ToString().TrimEnd();
    }

    // A proxy or a server in trouble may repeat what it was sent.
    private static IEnumerable<string> SecretsOf(HttpRequestMessage? request)
    {
        if (request?.Headers.Authorization is not { Parameter: { Length: > 0 } parameter } authorization)
            yield break;
        yield return parameter;
        if (!authorization.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            yield break;
        var buffer = new byte[parameter.Length];
        if (Convert.TryFromBase64String(parameter, buffer, out var count) && Encoding.UTF8.GetString(buffer, 0, count) is var pair && pair.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon && colon + 1 < pair.Length)
            yield return pair[(colon + 1)..];
    }

    private static string Verdict(FailureKind kind) => kind switch
    {
        FailureKind.AuthenticationFailed => "was refused, because the credentials are missing or wrong",
        FailureKind.PermissionDenied => "was refused",
        FailureKind.NotFound => "does not exist, or is not visible with these credentials",
        FailureKind.Throttled => "was put off",
        FailureKind.InvalidInput => "was not understood",
        _ => "cannot be had",
    };

    private static string? Advice(FailureKind kind, HttpResponseMessage response) => kind switch
    {
        FailureKind.AuthenticationFailed => "Check the user and the token, and that the token has not expired.",
        FailureKind.PermissionDenied => "Ask for the permission, or use another account.",
        FailureKind.NotFound => "Check the name, and that the account may see it.",
        FailureKind.Throttled => RetryAfter.Of(response.Headers, DateTimeOffset.UtcNow) is { } wait ? $"Run again in {wait.TotalMinutes:0.#} minutes." : "Run again later.",
        FailureKind.TimedOut or FailureKind.Unavailable => "Run again later.",
        _ => null,
    };
}
