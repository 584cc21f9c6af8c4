using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>
/// What the API redirects to: archives and assets on another origin (localhost where the API is 127.0.0.1), behind links that are secrets
/// themselves and end after five minutes. As S3 does, it answers 400 to whoever brings a token along.
/// </summary>
internal sealed class Downloads(GitHubServices services)
{
    public const string Path = "/_download/";

    private readonly ConcurrentDictionary<string, (DateTimeOffset Expires, Func<HttpContext, Task> Send)> _links = new(StringComparer.Ordinal);

    public Task RedirectAsync(RestCall call, Func<HttpContext, Task> send)
    {
        var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _links[secret] = (DateTimeOffset.UtcNow.AddMinutes(5), send);
        call.Context.Response.StatusCode = 302;
        call.Context.Response.Headers.Location = $"http://localhost:{services.Endpoint.Port}{Path}{secret}";
        return Task.CompletedTask;
    }

    public Task HandleAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count > 0)
        {
            context.Response.StatusCode = 400;
            return Task.CompletedTask;
        }

        if (_links.TryGetValue(context.Request.Path.Value![Path.Length..], out var link) && link.Expires > DateTimeOffset.UtcNow)
            return link.Send(context);
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
