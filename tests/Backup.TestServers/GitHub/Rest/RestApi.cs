using System.Globalization;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>The REST API: who asks, what is left of the limits, which operation, and whether the repository answers at all.</summary>
internal sealed class RestApi
{
    private const string EnterprisePrefix = "/api/v3";
    private const string UploadPrefix = "/api/uploads";

    private readonly GitHubServices _services;
    private readonly RestRoutes _routes = new();
    private readonly Callers _callers;
    private readonly Downloads _downloads;

    public RestApi(GitHubServices services)
    {
        _services = services;
        _callers = services.Callers = new(services);
        _downloads = new(services);
        AccountOperations.Register(_routes);
        RepositoryOperations.Register(_routes, _downloads);
        IssueOperations.Register(_routes);
        ReleaseOperations.Register(_routes, _downloads);
    }

    public bool IsKnownToken(string token) => _callers.FindToken(token) is not null;

    public async Task HandleAsync(HttpContext context, RequestRecord record)
    {
        if (record.Path.StartsWith(Downloads.Path, StringComparison.Ordinal))
        {
            await _downloads.HandleAsync(context);
            return;
        }

        var path = record.Path;
        foreach (var prefix in (ReadOnlySpan<string>)[EnterprisePrefix, UploadPrefix])
        {
            if (path.StartsWith(prefix + "/", StringComparison.Ordinal))
                path = path[prefix.Length..];
        }

        if (string.IsNullOrEmpty(context.Request.Headers.UserAgent))
        {
            context.Response.StatusCode = 403;
            await context.Response.WriteAsync("Request forbidden by administrative rules. Please make sure your request has a User-Agent header.");
            return;
        }

        var authorization = context.Request.Headers.Authorization.ToString();
        if (path.StartsWith("/app/", StringComparison.Ordinal))
        {
            await AppAsync(context, authorization, path);
            return;
        }

        var caller = _callers.Find(authorization);
        var call = new RestCall(_services, context, caller ?? new("", 0), new Dictionary<string, string>(StringComparer.Ordinal));
        if (caller is null)
        {
            await call.ErrorAsync(401, "Bad credentials");
            return;
        }

        var taken = caller.Take();
        caller.WriteHeaders(context.Response.Headers);
        if (!taken)
        {
            await call.ErrorAsync(403, "API rate limit exceeded for user ID 1.");
            return;
        }

        if (context.Request.Method is "POST" && !caller.TakeCreation(_services.Options.ContentLimit))
        {
            context.Response.Headers.RetryAfter = "60";
            await call.ErrorAsync(403, "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.");
            return;
        }

        await DispatchAsync(context, caller, path);
    }

    private async Task DispatchAsync(HttpContext context, Caller caller, string path)
    {
        var call = new RestCall(_services, context, caller, new Dictionary<string, string>(StringComparer.Ordinal));
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        GitHubRepository? repository = null;
        if (parts is ["repositories", var id, ..] && long.TryParse(id, CultureInfo.InvariantCulture, out var number))
        {
            repository = _services.World.Find(number);
            if (repository is not null)
                path = $"/repos/{repository.Owner}/{repository.Name}/{string.Join('/', parts[2..])}".TrimEnd('/');
            parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        }
        else if (parts is ["repos", var owner, var name, ..])
        {
            repository = _services.World.Find(owner, name);
            if (repository is null && _services.World.FindFormer(owner, name) is { } renamed)
            {
                // 301 for reads, 307 for what changes something; to the id (github.md 2.1).
                context.Response.Headers.Location = new Uri(_services.Endpoint, $"repositories/{renamed.Id}{string.Concat(parts[3..].Select(part => "/" + Uri.EscapeDataString(part)))}{context.Request.QueryString}").AbsoluteUri;
                await call.ErrorAsync(context.Request.Method is "GET" ? 301 : 307, "Moved Permanently");
                return;
            }
        }

        if (parts is ["repos" or "repositories", ..])
        {
            if (repository is null || !CanSee(caller, repository))
            {
                await call.ErrorAsync(404, "Not Found");
                return;
            }

            if (Refusal(repository) is var (status, message, more))
            {
                await call.ErrorAsync(status, message, more);
                return;
            }
        }

        if (_routes.Find(context.Request.Method, path) is not { } route)
        {
            await call.ErrorAsync(404, "Not Found");
            return;
        }

        await route.Handler(new(_services, context, caller, route.Values) { Repository = repository! });
    }

    private bool CanSee(Caller caller, GitHubRepository repository) =>
        repository.State is not (RepositoryState.Deleted or RepositoryState.Vanished)
        && (caller.Installation is not { } installation || _services.World.IsInstalled(installation, repository));

    private static (int Status, string Message, JsonObject? More)? Refusal(GitHubRepository repository) => repository.State switch
    {
        RepositoryState.Dmca => (451, "Repository access blocked", Block("dmca")),
        RepositoryState.Blocked => (403, "Repository access blocked", Block("tos")),
        RepositoryState.Disabled => (403, "Repository access blocked", null),
        RepositoryState.Forbidden => (403, "Resource not accessible by personal access token", null),
        _ => null,
    };

    private static JsonObject Block(string reason) => new()
    {
        ["block"] = new JsonObject { ["reason"] = reason, ["created_at"] = "2026-01-02T03:04:05Z", ["html_url"] = "https://github.com/tos" },
    };

    private async Task AppAsync(HttpContext context, string authorization, string path)
    {
        var call = new RestCall(_services, context, new("", 0), new Dictionary<string, string>(StringComparer.Ordinal));
        var (app, error) = authorization.StartsWith("Bearer ", StringComparison.Ordinal) ? _callers.VerifyJwt(authorization) : (null, "A JSON web token could not be decoded");
        if (app is null)
            await call.ErrorAsync(401, error!);
        else if (path.Split('/') is not ["", "app", "installations", var text, "access_tokens"] || context.Request.Method != "POST" || !long.TryParse(text, CultureInfo.InvariantCulture, out var id) || !_services.World.HasInstallation(id))
            await call.ErrorAsync(404, "Not Found");
        else
            await IssueAsync(call, app, id);
    }

    private Task IssueAsync(RestCall call, string app, long installation)
    {
        var (token, expires) = _callers.Issue(app, installation);
        return call.JsonAsync(
            new JsonObject
            {
                ["token"] = token,
                ["expires_at"] = Records.Time(expires),
                ["permissions"] = new JsonObject { ["contents"] = "read", ["metadata"] = "read" },
                ["repository_selection"] = "all",
            },
            201);
    }
}
