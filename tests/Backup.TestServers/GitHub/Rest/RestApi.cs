namespace Backup.TestServers.GitHub.Rest;

/// <summary>The REST API.</summary>
internal sealed class RestApi(GitHubServices services)
{
    public bool IsKnownToken(string token) => token == services.Options.Token;

    public Task HandleAsync(HttpContext context, RequestRecord record)
    {
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
