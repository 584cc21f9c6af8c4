using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>Users, organizations, what belongs to them, and their repositories.</summary>
internal static class AccountOperations
{
    public static void Register(RestRoutes routes)
    {
        routes.Add("GET", "/user", call => call.Caller.Installation is null
            ? call.JsonAsync(Account(call, call.Services.Options.Login)!)
            : call.ErrorAsync(403, "Resource not accessible by integration"));
        routes.Add("GET", "/users/{username}", call => FoundAsync(call, Account(call, call["username"])));
        routes.Add("GET", "/orgs/{org}", call => FoundAsync(call, Organization(call, call["org"])));
        routes.Add("GET", "/user/repos", OwnRepositoriesAsync);
        routes.Add("POST", "/user/repos", call => CreateAsync(call, call.Services.Options.Login));
        routes.Add("GET", "/users/{username}/repos", call => Account(call, call["username"]) is null
            ? call.ErrorAsync(404, "Not Found")
            : call.PageAsync(Listed(call).Where(r => !r.Private && IsOwner(r, call["username"])).Select(r => Records.Repository(call.Services, r))));
        routes.Add("GET", "/orgs/{org}/repos", call => Organization(call, call["org"]) is null
            ? call.ErrorAsync(404, "Not Found")
            : call.PageAsync(Listed(call).Where(r => IsOwner(r, call["org"])).Select(r => Records.Repository(call.Services, r))));
        routes.Add("POST", "/orgs/{org}/repos", call => CreateAsync(call, call["org"]));
        routes.Add("GET", "/installation/repositories", InstallationAsync);
        routes.Add("GET", "/gists", call => call.PageAsync(Kind(call, call.Services.Options.Login, "gists").Select(Records.WithoutContent)));
        routes.Add("GET", "/users/{username}/gists", call => call.PageAsync(Kind(call, call["username"], "gists").Select(Records.WithoutContent)));
        routes.Add("GET", "/gists/{gist_id}", call => FoundAsync(call, Kind(call, call.Services.Options.Login, "gists").FirstOrDefault(gist => (string?)gist["id"] == call["gist_id"])));
        routes.Add("GET", "/orgs/{org}/members", call => call.PageAsync(Kind(call, call["org"], "members")));
        routes.Add("GET", "/orgs/{org}/teams", call => call.PageAsync(Kind(call, call["org"], "teams")));
        routes.Add("GET", "/orgs/{org}/teams/{team_slug}/members", call => call.PageAsync(Kind(call, call["org"], "teams/" + call["team_slug"] + "/members")));
        routes.Add("GET", "/orgs/{org}/teams/{team_slug}/repos", call => call.PageAsync(Kind(call, call["org"], "teams/" + call["team_slug"] + "/repos")));
    }

    private static Task OwnRepositoriesAsync(RestCall call)
    {
        if (call.Caller.Installation is not null)
            return call.ErrorAsync(403, "Resource not accessible by integration");
        var affiliation = (call.Query("affiliation") ?? "owner,collaborator,organization_member").Split(',');
        var login = call.Services.Options.Login;
        return call.PageAsync(Listed(call)
            .Where(repository => affiliation.Contains(IsOwner(repository, login) ? "owner" : Organization(call, repository.Owner) is null ? "collaborator" : "organization_member", StringComparer.Ordinal))
            .Select(repository => Records.Repository(call.Services, repository)));
    }

    private static Task InstallationAsync(RestCall call) => call.Caller.Installation is { } installation
        ? call.PageAsync(
            Listed(call).Where(repository => call.Services.World.IsInstalled(installation, repository)).Select(repository => Records.Repository(call.Services, repository)),
            (array, count) => new JsonObject { ["total_count"] = count, ["repositories"] = array })
        : call.ErrorAsync(403, "You must authenticate with an installation access token in order to list repositories for an installation.");

    private static async Task CreateAsync(RestCall call, string owner)
    {
        var body = await call.BodyAsync();
        var name = (string)body["name"]!;
        if (call.Services.World.Find(owner, name) is not null)
        {
            await call.ErrorAsync(422, "Repository creation failed.", new() { ["errors"] = new JsonArray(new JsonObject { ["resource"] = "Repository", ["code"] = "custom", ["field"] = "name", ["message"] = "name already exists on this account" }) });
            return;
        }

        var repository = call.Services.World.AddRepository($"{owner}/{name}");
        repository.Private = (bool?)body["private"] ?? false;
        repository.Description = (string?)body["description"] ?? "";
        await call.JsonAsync(Records.Repository(call.Services, repository), 201);
    }

    private static Task FoundAsync(RestCall call, JsonNode? node) => node is null ? call.ErrorAsync(404, "Not Found") : call.JsonAsync(node.DeepClone());

    private static IEnumerable<GitHubRepository> Listed(RestCall call) => call.Services.World.Repositories.Where(repository => repository.State is not RepositoryState.Deleted);

    private static bool IsOwner(GitHubRepository repository, string login) => repository.Owner.Equals(login, StringComparison.OrdinalIgnoreCase);

    private static JsonObject? Account(RestCall call, string login) => call.Services.World.Accounts.GetValueOrDefault(login);

    private static JsonObject? Organization(RestCall call, string login) => Account(call, login) is { } account && (string?)account["type"] == "Organization" ? account : null;

    private static IEnumerable<JsonObject> Kind(RestCall call, string login, string kind) => call.Services.World.RecordsOf(login, kind);
}
