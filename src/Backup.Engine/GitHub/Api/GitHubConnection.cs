using Backup.Engine.Http;

namespace Backup.Engine.GitHub;

/// <summary>Which GitHub, and as whom.</summary>
public sealed record GitHubConnection
{
    /// <summary>The API of github.com.</summary>
    public static Uri DefaultApiUri { get; } = new("https://api.github.com/");

    /// <summary>The API: of github.com, or of an Enterprise Server (<c>https://host/api/v3</c>).</summary>
    public Uri ApiUri { get; init; } = DefaultApiUri;

    /// <summary>Who asks; null asks without a token, 60 times an hour.</summary>
    public GitHubCredential? Credential { get; init; }

    /// <summary>The scheme of the Authorization header.</summary>
    public string AuthorizationScheme { get; init; } = "Bearer";

    /// <summary>The Accept header of what answers with JSON.</summary>
    public string Accept { get; init; } = "application/vnd.github+json";

    /// <summary>The most requests to the API in flight; fewer where GitHub asks for fewer.</summary>
    public int MaxConcurrency { get; init; } = 10;

    /// <summary>How many requests that create content are sent in a minute; GitHub takes 80.</summary>
    public int WritesPerMinute { get; init; } = 60;

    /// <summary>The API's address with the slash that paths are appended to.</summary>
    internal Uri BaseUri => ApiUri.AbsoluteUri.EndsWith('/') ? ApiUri : new(ApiUri.AbsoluteUri + "/");

    /// <summary>Where release assets are uploaded to: uploads.github.com, or below the Enterprise Server's own address (docs.github.com, "Upload a release asset").</summary>
    internal Uri UploadUri => Site is { } site ? new($"{ApiUri.Scheme}://uploads.{site}/") : new(BaseUri, "/api/uploads/");

    /// <summary>Where repositories are cloned from.</summary>
    internal Uri GitUri => Site is { } site ? new($"{ApiUri.Scheme}://{site}/") : new(BaseUri, "/");

    /// <summary>The name that people know it by.</summary>
    internal string Host => GitUri.Authority;

    // github.com and ghe.com have the API on a host of its own, api.SITE; an Enterprise Server has it below /api/v3.
    private string? Site => ApiUri.AbsolutePath == "/" && ApiUri.Authority.StartsWith("api.", StringComparison.OrdinalIgnoreCase) ? ApiUri.Authority["api.".Length..] : null;

    /// <summary>Checks what was given.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    internal void Check()
    {
        if (!ApiUri.IsAbsoluteUri || !(ApiUri.Scheme == Uri.UriSchemeHttps || (ApiUri.Scheme == Uri.UriSchemeHttp && ApiUri.IsLoopback)) || ApiUri.UserInfo.Length > 0 || ApiUri.Query.Length > 0)
            throw new BackupException(FailureKind.InvalidInput, $"'{SafeUri.Of(ApiUri)}' is not the https address of an API.", "Give https://api.github.com, or https://your.server/api/v3.");
    }
}
