using Backup.Engine.Http;

namespace Backup.Engine.GitHub.Git;

/// <summary>Where a repository is reached, and what opens it.</summary>
internal sealed record GitRemote
{
    private const string Ending = ".git";

    /// <summary>Makes the address of a repository.</summary>
    /// <param name="url"><c>https://host/owner/name.git</c>. Credentials do not belong there: addresses end up in logs and in git's configuration.</param>
    /// <param name="tokenAsync">Gives the token of the moment, for each request anew (an App's lasts an hour), or null for none.</param>
    public GitRemote(Uri url, Func<CancellationToken, ValueTask<string?>>? tokenAsync = null)
    {
        if (!url.IsAbsoluteUri || url.Scheme is not ("https" or "http") || url.Host.Length == 0)
            throw new BackupException(FailureKind.InvalidInput, $"'{SafeUri.Of(url)}' is not the http or https address of a repository.");
        if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            throw new BackupException(FailureKind.InvalidInput, $"The address {SafeUri.Of(url)} has credentials, a query or a fragment in it.", "Give the address alone, and the token apart from it.");
        Url = url;
        TokenAsync = tokenAsync ?? (static _ => new((string?)null));
    }

    /// <summary>The address.</summary>
    public Uri Url { get; }

    /// <summary>Gives the token of the moment.</summary>
    public Func<CancellationToken, ValueTask<string?>> TokenAsync { get; }

    /// <summary>The wiki of this repository, which is a repository of its own.</summary>
    public GitRemote Wiki()
    {
        var path = Url.AbsoluteUri.TrimEnd('/');
        if (path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase))
            path = path[..^Ending.Length];
        return new(new Uri(path + ".wiki.git"), TokenAsync);
    }

    /// <summary>An address below this one.</summary>
    public Uri At(string tail) => new(Url.AbsoluteUri.TrimEnd('/') + tail);

    /// <summary>The same repository where a redirect has led to. Another origin never sees the token.</summary>
    public GitRemote MovedTo(Uri url) => url == Url ? this : new(url, SafeUri.IsSameOrigin(url, Url) ? TokenAsync : null);

    /// <summary>A request that carries the token as GitHub takes it for git: Basic, any user name.</summary>
    public async ValueTask<HttpRequestMessage> RequestAsync(HttpMethod method, string tail, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(method, At(tail));
        if (await TokenAsync(cancellationToken) is { Length: > 0 } token)
            request.Headers.Authorization = new("Basic", BasicParameter(token));
        return request;
    }

    /// <summary>What follows "Basic ".</summary>
    public static string BasicParameter(string token) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("x-access-token:" + token));

    /// <inheritdoc/>
    public override string ToString() => SafeUri.Of(Url);
}
