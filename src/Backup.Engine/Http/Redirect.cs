using System.Net;

namespace Backup.Engine.Http;

/// <summary>
/// Where a redirect leads to, and what of the request goes along (RFC 9110, 15.4). HttpClient's own redirects drop Authorization
/// even within one host, and give no say in where they lead.
/// </summary>
/// <param name="Target">The address.</param>
/// <param name="AsGet">Whether the method becomes GET and the content stays behind.</param>
/// <param name="KeepsCredentials">Whether Authorization goes along: only while the origin has never changed.</param>
internal sealed record Redirect(Uri Target, bool AsGet, bool KeepsCredentials)
{
    private static readonly string[] Credentials = ["Authorization", "Proxy-Authorization", "Cookie"];

    /// <summary>The redirect that an answer is, or null.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Unavailable"/> where it leads from https to http, or to something that is neither.</exception>
    public static Redirect? Of(HttpResponseMessage response, Redirect? before)
    {
        if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
            || response.Headers.Location is not { } location || response.RequestMessage is not { RequestUri: { } from } request)
        {
            return null;
        }

        var target = location.IsAbsoluteUri ? location : new Uri(from, location);
        var isSafe = target.Scheme == Uri.UriSchemeHttps || (target.Scheme == Uri.UriSchemeHttp && (from.Scheme == Uri.UriSchemeHttp || target.IsLoopback));
        if (!isSafe)
        {
            throw new BackupException(
                FailureKind.Unavailable,
                $"{SafeUri.Of(from)} redirects to {SafeUri.Of(target)}, which is not encrypted. It was not followed.",
                "Check the address, and what stands between this machine and it.");
        }

        var isRead = request.Method == HttpMethod.Get || request.Method == HttpMethod.Head;
        var keepsMethod = response.StatusCode is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
        return new(target, (before?.AsGet ?? false) || !(isRead || keepsMethod), before is not { KeepsCredentials: false } && SafeUri.IsSameOrigin(from, target));
    }

    /// <summary>Turns a fresh copy of the first request into the one that follows.</summary>
    public void Apply(HttpRequestMessage request)
    {
        request.RequestUri = Target;
        // Host is the name of where the request went first.
        request.Headers.Host = null;
        if (AsGet)
        {
            request.Method = HttpMethod.Get;
            request.Content?.Dispose();
            request.Content = null;
        }

        if (KeepsCredentials)
            return;
        foreach (var name in Credentials)
            request.Headers.Remove(name);
    }
}
