using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>Releases and their assets.</summary>
internal static class ReleaseOperations
{
    private const string Root = "/repos/{owner}/{repo}/releases";

    public static void Register(RestRoutes routes, Downloads downloads)
    {
        routes.Add("GET", Root, call => call.PageAsync(call.Repository.RecordsOf("releases")));
        routes.Add("POST", Root, CreateAsync);
        routes.Add("GET", Root + "/assets/{asset_id}", call => AssetAsync(call, downloads));
        routes.Add("POST", Root + "/{release_id}/assets", UploadAsync);
    }

    /// <summary>An asset of a release, and its bytes.</summary>
    public static JsonObject AddAsset(GitHubServices services, GitHubRepository repository, JsonObject release, string name, string contentType, byte[] bytes)
    {
        var id = services.World.NextId();
        repository.Assets[id] = bytes;
        var asset = new JsonObject
        {
            ["id"] = id,
            ["url"] = new Uri(services.Endpoint, $"repos/{repository.FullName}/releases/assets/{id}").AbsoluteUri,
            ["name"] = name,
            ["label"] = null,
            ["state"] = "uploaded",
            ["content_type"] = contentType,
            ["size"] = bytes.Length,
            ["digest"] = "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)),
            ["created_at"] = Records.Time(DateTimeOffset.UtcNow),
            ["updated_at"] = Records.Time(DateTimeOffset.UtcNow),
        };
        release["assets"]!.AsArray().Add((JsonNode)asset);
        return asset;
    }

    public static JsonObject Release(GitHubServices services, GitHubRepository repository, JsonObject from)
    {
        var id = services.World.NextId();
        return new()
        {
            ["id"] = id,
            ["tag_name"] = (string)from["tag_name"]!,
            ["target_commitish"] = (string?)from["target_commitish"] ?? repository.DefaultBranch,
            ["name"] = (string?)from["name"],
            ["body"] = (string?)from["body"],
            ["draft"] = (bool?)from["draft"] ?? false,
            ["prerelease"] = (bool?)from["prerelease"] ?? false,
            ["upload_url"] = new Uri(services.Endpoint, $"api/uploads/repos/{repository.FullName}/releases/{id}/assets").AbsoluteUri + "{?name,label}",
            ["created_at"] = Records.Time(DateTimeOffset.UtcNow),
            ["published_at"] = Records.Time(DateTimeOffset.UtcNow),
            ["assets"] = new JsonArray(),
        };
    }

    private static async Task CreateAsync(RestCall call)
    {
        var body = await call.BodyAsync();
        if (call.Repository.RecordsOf("releases").Any(release => (string?)release["tag_name"] == (string?)body["tag_name"]))
        {
            await call.ErrorAsync(422, "Validation Failed", new() { ["errors"] = new JsonArray(new JsonObject { ["resource"] = "Release", ["code"] = "already_exists", ["field"] = "tag_name" }) });
            return;
        }

        var created = Release(call.Services, call.Repository, body);
        call.Repository.RecordsOf("releases").Add(created);
        await call.JsonAsync(created.DeepClone(), 201);
    }

    private static Task AssetAsync(RestCall call, Downloads downloads)
    {
        var id = call.Number("asset_id");
        if (!call.Repository.Assets.TryGetValue(id, out var bytes))
            return call.ErrorAsync(404, "Not Found");
        if (call.Context.Request.Headers.Accept == "application/octet-stream")
            return downloads.RedirectAsync(call, context => SendAsync(context, bytes));
        return call.JsonAsync(Assets(call).First(asset => asset!["id"]!.ToString() == call["asset_id"])!.DeepClone());
    }

    private static IEnumerable<JsonNode?> Assets(RestCall call) => call.Repository.RecordsOf("releases").SelectMany(release => release["assets"]!.AsArray());

    private static async Task SendAsync(HttpContext context, byte[] bytes)
    {
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private static async Task UploadAsync(RestCall call)
    {
        if (call.Repository.RecordsOf("releases").FirstOrDefault(release => release["id"]!.ToString() == call["release_id"]) is not { } release || call.Query("name") is not { } name)
        {
            await call.ErrorAsync(404, "Not Found");
            return;
        }

        if (release["assets"]!.AsArray().Any(asset => (string?)asset!["name"] == name))
        {
            await call.ErrorAsync(422, "Validation Failed", new() { ["errors"] = new JsonArray(new JsonObject { ["resource"] = "ReleaseAsset", ["code"] = "already_exists", ["field"] = "name" }) });
            return;
        }

        var body = new MemoryStream();
        await call.Context.Request.Body.CopyToAsync(body, call.Context.RequestAborted);
        var asset = AddAsset(call.Services, call.Repository, release, name, call.Context.Request.ContentType ?? "application/octet-stream", body.ToArray());
        await call.JsonAsync(asset.DeepClone(), 201);
    }
}
