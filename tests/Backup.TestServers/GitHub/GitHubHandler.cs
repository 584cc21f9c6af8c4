using System.Text;
using Backup.TestServers.GitHub.Faults;
using Backup.TestServers.GitHub.Git;
using Backup.TestServers.GitHub.Rest;

namespace Backup.TestServers.GitHub;

/// <summary>Records a request, lets the script have it, and hands it to git, LFS or the API.</summary>
internal sealed class GitHubHandler(GitHubServices services)
{
    private const string ControlPath = "/_control/";

    private readonly GitHttpBackend _git = new(services);
    private readonly LfsEndpoint _lfs = new(services);
    private readonly RestApi _rest = new(services);

    public async Task HandleAsync(HttpContext context)
    {
        var record = new RequestRecord
        {
            Method = context.Request.Method,
            Path = context.Request.Path.Value ?? "/",
            Query = context.Request.QueryString.Value ?? "",
            Body = await JsonBodyAsync(context.Request),
            Headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        };
        services.Requests.Enqueue(record);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, services.Stopping.Token);
        try
        {
            if (services.Options.Delay > TimeSpan.Zero)
                await Task.Delay(services.Options.Delay, ending.Token);
            await AnswerAsync(context, services.Faults.Take(record), record, ending.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            context.Abort();
        }
        finally
        {
            record.Status = context.Response.StatusCode;
            services.Answered?.Invoke(record);
        }
    }

    private async Task AnswerAsync(HttpContext context, FaultAction? fault, RequestRecord record, CancellationToken cancellationToken)
    {
        if (fault is { Hang: true })
            await Task.Delay(Timeout.Infinite, cancellationToken);
        if (fault is { Status: { } status })
        {
            context.Response.StatusCode = status;
            foreach (var (name, value) in fault.Headers ?? new Dictionary<string, string>(StringComparer.Ordinal))
                context.Response.Headers[name] = value;
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.WriteAsync(fault.Body, cancellationToken);
            return;
        }

        if (fault is { TruncateAfter: { } bytes })
            context.Response.Body = new TruncatedBody(context.Response.Body, bytes, context);
        var sent = context.Response.Body;
        if (fault is { ApplyThenReset: true })
            context.Response.Body = Stream.Null;
        await RouteAsync(context, record);
        if (fault is { ApplyThenReset: true })
            context.Abort();
        context.Response.Body = sent;
    }

    private async Task RouteAsync(HttpContext context, RequestRecord record)
    {
        if (record.Path.StartsWith(LfsEndpoint.StoragePath, StringComparison.Ordinal))
            await _lfs.StorageAsync(context);
        else if (record is { Method: "POST" } && record.Path.StartsWith(ControlPath, StringComparison.Ordinal))
            services.Control?.Invoke(record.Path[ControlPath.Length..]);
        else if (GitPath.TryParse(record.Path) is { } git)
            await GitAsync(context, git);
        else
            await _rest.HandleAsync(context, record);
    }

    private async Task GitAsync(HttpContext context, GitPath git)
    {
        if (!IsAuthorized(context.Request))
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"GitHub\"";
            return;
        }

        if (services.World.Find(git.Owner, git.Name) is not { } repository)
        {
            if (services.World.FindFormer(git.Owner, git.Name) is { } renamed)
            {
                context.Response.StatusCode = 301;
                context.Response.Headers.Location = new Uri(services.Endpoint, $"{renamed.FullName}{(git.IsWiki ? ".wiki" : "")}.git{git.Tail}{context.Request.QueryString}").AbsoluteUri;
                return;
            }

            context.Response.StatusCode = 404;
            return;
        }

        var refused = repository.State switch
        {
            RepositoryState.Dmca => 451,
            RepositoryState.Blocked or RepositoryState.Disabled or RepositoryState.Forbidden => 403,
            RepositoryState.Vanished or RepositoryState.Deleted => 404,
            _ => git.IsWiki && repository.WikiPath is null ? 404 : 0,
        };
        if (refused != 0)
            context.Response.StatusCode = refused;
        else if (git.Tail == "/info/lfs/objects/batch")
            await _lfs.BatchAsync(context, repository);
        else
            await _git.HandleAsync(context, repository, git.IsWiki ? repository.WikiPath! : repository.Path, git.Tail);
    }

    private static async Task<string?> JsonBodyAsync(HttpRequest request)
    {
        if (request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true)
            return null;
        using var reader = new StreamReader(request.Body);
        var text = await reader.ReadToEndAsync();
        request.Body = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return text;
    }

    private bool IsAuthorized(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return _rest.IsKnownToken(header["Bearer ".Length..]);
        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
            return false;
        try
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..]));
            return _rest.IsKnownToken(pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}

/// <summary><c>/{owner}/{name}[.wiki].git{tail}</c>.</summary>
internal sealed record GitPath(string Owner, string Name, bool IsWiki, string Tail)
{
    private const string Ending = ".git";
    private const string Wiki = ".wiki";

    public static GitPath? TryParse(string path)
    {
        var second = path.IndexOf('/', 1);
        var end = second < 0 ? -1 : path.IndexOf(Ending + "/", second, StringComparison.Ordinal);
        if (end < 0 || path.IndexOf('/', second + 1) < end)
            return null;
        var name = path[(second + 1)..end];
        var isWiki = name.EndsWith(Wiki, StringComparison.Ordinal);
        return new(path[1..second], isWiki ? name[..^Wiki.Length] : name, isWiki, path[(end + Ending.Length)..]);
    }
}
