using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Git;

/// <summary>
/// The LFS batch API with the basic transfer (github.com/git-lfs/git-lfs, docs/api/batch.md and basic-transfers.md).
/// Its storage believes no client: an object is what its SHA-256 says.
/// </summary>
internal sealed class LfsEndpoint(GitHubServices services)
{
    /// <summary>Where the storage is; what is asked of it carries a secret of its own, never the token.</summary>
    public const string StoragePath = "/_lfs/";

    private const string MediaType = "application/vnd.git-lfs+json";

    private readonly string _secret = "LfsAction " + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public async Task BatchAsync(HttpContext context, GitHubRepository repository)
    {
        if (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted) is not JsonObject request)
        {
            context.Response.StatusCode = 422;
            return;
        }

        var upload = (string?)request["operation"] == "upload";
        var objects = new JsonArray();
        foreach (var item in request["objects"]?.AsArray() ?? [])
        {
            var (oid, size) = ((string)item!["oid"]!, (long)item["size"]!);
            var answer = new JsonObject { ["oid"] = oid, ["size"] = size };
            var isThere = repository.Lfs.ContainsKey(oid);
            if (!upload && !isThere)
                answer["error"] = new JsonObject { ["code"] = 404, ["message"] = "Object does not exist" };
            else if (!upload || !isThere)
                answer["actions"] = new JsonObject { [upload ? "upload" : "download"] = Action(repository, oid) };
            objects.Add(answer);
        }

        context.Response.ContentType = MediaType;
        await context.Response.WriteAsync(new JsonObject { ["transfer"] = "basic", ["objects"] = objects }.ToJsonString(), context.RequestAborted);
    }

    public async Task StorageAsync(HttpContext context)
    {
        var parts = context.Request.Path.Value![StoragePath.Length..].Split('/');
        if (context.Request.Headers.Authorization != _secret)
        {
            context.Response.StatusCode = 403;
            return;
        }

        if (parts.Length != 2 || !long.TryParse(parts[0], out var id) || services.World.Find(id) is not { } repository)
        {
            context.Response.StatusCode = 404;
            return;
        }

        if (context.Request.Method == "PUT")
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            if (Convert.ToHexStringLower(SHA256.HashData(body.ToArray())) != parts[1])
                context.Response.StatusCode = 422;
            else
                repository.Lfs[parts[1]] = body.ToArray();
        }
        else if (repository.Lfs.TryGetValue(parts[1], out var bytes))
        {
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        }
        else
        {
            context.Response.StatusCode = 404;
        }
    }

    private JsonObject Action(GitHubRepository repository, string oid) => new()
    {
        ["href"] = new Uri(services.Endpoint, $"{StoragePath[1..]}{repository.Id}/{oid}").AbsoluteUri,
        ["header"] = new JsonObject { ["Authorization"] = _secret },
        ["expires_in"] = 3600,
    };
}
