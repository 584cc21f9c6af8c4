using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>One call of the API: what it asks, and the ways to answer it.</summary>
internal sealed class RestCall(GitHubServices services, HttpContext context, Caller caller, IReadOnlyDictionary<string, string> values)
{
    public GitHubServices Services { get; } = services;

    public HttpContext Context { get; } = context;

    public Caller Caller { get; } = caller;

    /// <summary>Set for what is below a repository.</summary>
    public GitHubRepository Repository { get; init; } = null!;

    /// <summary>Kestrel leaves %2F as it is.</summary>
    public string this[string name] => Uri.UnescapeDataString(values[name]);

    public int Number(string name) => int.TryParse(values[name], CultureInfo.InvariantCulture, out var number) ? number : -1;

    public string? Query(string name) => Context.Request.Query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>A list, page by page, as "Using pagination in the REST API" has it: next and last in Link, below /repositories/{id} for a repository.</summary>
    public Task PageAsync(IEnumerable<JsonNode> items, Func<JsonArray, int, JsonNode>? wrap = null)
    {
        var all = items.ToList();
        var size = Math.Clamp(int.TryParse(Query("per_page"), CultureInfo.InvariantCulture, out var wanted) ? wanted : 30, 1, 100);
        var page = Math.Max(1, int.TryParse(Query("page"), CultureInfo.InvariantCulture, out var number) ? number : 1);
        var last = Math.Max(1, (all.Count + size - 1) / size);
        if (page < last)
            Context.Response.Headers.Link = $"<{PageUrl(page + 1)}>; rel=\"next\", <{PageUrl(last)}>; rel=\"last\"";
        var array = new JsonArray([.. all.Skip((page - 1) * size).Take(size).Select(item => item.DeepClone())]);
        return JsonAsync(wrap is null ? array : wrap(array, all.Count));
    }

    /// <summary>A document with an entity tag; 304 where the caller has it.</summary>
    public async Task JsonAsync(JsonNode node, int status = 200)
    {
        var body = Encoding.UTF8.GetBytes(node.ToJsonString());
        var response = Context.Response;
        if (status == 200 && Context.Request.Method == "GET")
        {
            var tag = $"W/\"{Convert.ToHexStringLower(SHA256.HashData(body))}\"";
            response.Headers.ETag = tag;
            if (Context.Request.Headers.IfNoneMatch == tag)
            {
                // A 304 is free of the primary limit (docs.github.com, "Best practices for using the REST API").
                Caller.Refund();
                response.StatusCode = 304;
                return;
            }
        }

        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, Context.RequestAborted);
    }

    public Task ErrorAsync(int status, string message, JsonObject? more = null)
    {
        var body = more ?? [];
        body["message"] = message;
        body["documentation_url"] = "https://docs.github.com/rest";
        return JsonAsync(body, status);
    }

    public Task NoContentAsync()
    {
        Context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    public async Task<JsonObject> BodyAsync() =>
        await JsonNode.ParseAsync(Context.Request.Body, cancellationToken: Context.RequestAborted) as JsonObject ?? [];

    /// <summary>Those updated at or after <c>since</c>, in the order asked for.</summary>
    public IEnumerable<JsonObject> Sorted(IEnumerable<JsonObject> items, string defaultSort = "created", string defaultDirection = "desc")
    {
        var field = (Query("sort") ?? defaultSort) == "updated" ? "updated_at" : "created_at";
        var since = Query("since") is { } text ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture) : DateTimeOffset.MinValue;
        var ordered = items.Where(item => Time(item, "updated_at") >= since).OrderBy(item => Time(item, field));
        return (Query("direction") ?? defaultDirection) == "asc" ? ordered : ordered.Reverse();
    }

    private static DateTimeOffset Time(JsonObject item, string field) =>
        item[field] is { } value ? DateTimeOffset.Parse((string)value!, CultureInfo.InvariantCulture) : DateTimeOffset.MaxValue;

    private string PageUrl(int page)
    {
        var query = Context.Request.Query.Where(pair => pair.Key != "page").Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value.ToString())}").Append($"page={page}");
        var path = Context.Request.Path.Value!;
        if (Repository is not null)
        {
            // GitHub names the repository by its id here.
            var parts = path.Split('/');
            var at = Array.IndexOf(parts, "repos");
            if (at >= 0)
                path = string.Join('/', [.. parts[..at], "repositories", Repository.Id.ToString(CultureInfo.InvariantCulture), .. parts[(at + 3)..]]);
        }

        return new Uri(Services.Endpoint, path).AbsoluteUri + "?" + string.Join('&', query);
    }
}
