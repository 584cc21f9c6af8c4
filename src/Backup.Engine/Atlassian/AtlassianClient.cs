using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Backup.Engine.Http;

namespace Backup.Engine.Atlassian;

/// <summary>A small answer of a site, read to its end.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Text">Its body.</param>
/// <param name="IsPage">Whether it is a page for people.</param>
/// <param name="Failure">What it amounts to where it is no success, else null.</param>
internal sealed record AtlassianAnswer(HttpStatusCode Status, string Text, bool IsPage, BackupException? Failure);

/// <summary>Speaks to one site as one user: Basic authorization of e-mail and API token.</summary>
internal sealed class AtlassianClient(AtlassianSite site, string user, ApiToken token, HttpSender sender)
{
    private const int MaxAnswer = 1 << 20;

    private readonly AuthenticationHeaderValue _authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{token.Value}")));

    /// <summary>The site.</summary>
    public AtlassianSite Site { get; } = site;

    /// <summary>The user, for messages.</summary>
    public string User { get; } = user;

    /// <summary>Reads something.</summary>
    public Task<AtlassianAnswer> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <summary>Asks for something, once: it may have happened even where no answer comes.</summary>
    public Task<AtlassianAnswer> PostAsync(string path, string json, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, json, cancellationToken);

    /// <summary>Begins a download. Its answer is the caller's, whatever its status.</summary>
    /// <param name="path">Path and query.</param>
    /// <param name="offset">The first byte that is wanted.</param>
    /// <param name="ifRange">The entity tag that the bytes before had, or null.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public Task<HttpResponseMessage> OpenAsync(string path, long offset, EntityTagHeaderValue? ifRange, CancellationToken cancellationToken) => sender.SendAsync(
        () =>
        {
            var request = Create(HttpMethod.Get, path);
            if (offset > 0)
            {
                request.Headers.Range = new(offset, null);
                if (ifRange is not null)
                    request.Headers.IfRange = new(ifRange);
            }

            return request;
        },
        null,
        cancellationToken);

    private async Task<AtlassianAnswer> SendAsync(HttpMethod method, string path, string? json, CancellationToken cancellationToken)
    {
        using var response = await sender.SendAsync(
            () =>
            {
                var request = Create(method, path);
                request.Headers.Accept.Add(new("application/json"));
                if (json is not null)
                {
                    request.Content = new StringContent(json, Encoding.UTF8, "application/json");
                    request.Headers.TryAddWithoutValidation("X-Atlassian-Token", "no-check");
                }

                return request;
            },
            new() { BufferUpTo = MaxAnswer },
            cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        var failure = response.IsSuccessStatusCode ? null : await HttpFailure.OfAsync(response, $"{Site} at {SafeUri.Of(new Uri(Site.Address, path))[Site.Address.AbsoluteUri.TrimEnd('/').Length..]}", null, cancellationToken);
        return new(response.StatusCode, text, IsPage(response, text), failure);
    }

    private HttpRequestMessage Create(HttpMethod method, string path) => new(method, new Uri(Site.Address, path)) { Headers = { Authorization = _authorization } };

    private static bool IsPage(HttpResponseMessage response, string text) =>
        response.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml"
        || text.AsSpan().TrimStart().StartsWith("<!DOCTYPE", StringComparison.OrdinalIgnoreCase) || text.AsSpan().TrimStart().StartsWith("<html", StringComparison.OrdinalIgnoreCase);
}
