using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>A repository, its settings, and its archive.</summary>
internal static class RepositoryOperations
{
    private const string Root = "/repos/{owner}/{repo}";

    public static void Register(RestRoutes routes, Downloads downloads)
    {
        routes.Add("GET", Root, call => call.JsonAsync(Records.Repository(call.Services, call.Repository)));
        routes.Add("PATCH", Root, UpdateAsync);
        routes.Add("GET", Root + "/topics", call => call.JsonAsync(new JsonObject { ["names"] = new JsonArray([.. call.Repository.RecordsOf("topics").Select(topic => (JsonNode)(string)topic["name"]!)]) }));
        routes.Add("PUT", Root + "/topics", ReplaceTopicsAsync);
        routes.Add("GET", Root + "/branches", call => call.PageAsync(call.Repository.RecordsOf("branch-protections").Select(protection => (JsonNode)new JsonObject { ["name"] = (string)protection["name"]!, ["protected"] = true, ["commit"] = new JsonObject { ["sha"] = "", ["url"] = "" } })));
        routes.Add("GET", Root + "/branches/{branch}/protection", call => call.Repository.RecordsOf("branch-protections").FirstOrDefault(protection => (string?)protection["name"] == call["branch"]) is { } found
            ? call.JsonAsync(found.DeepClone())
            : call.ErrorAsync(404, "Branch not protected"));
        routes.Add("GET", Root + "/rulesets", call => call.PageAsync(call.Repository.RecordsOf("rulesets")));
        routes.Add("GET", Root + "/rulesets/{ruleset_id}", call => call.Repository.RecordsOf("rulesets").FirstOrDefault(ruleset => ruleset["id"]!.ToString() == call["ruleset_id"]) is { } found
            ? call.JsonAsync(found.DeepClone())
            : call.ErrorAsync(404, "Not Found"));
        routes.Add("GET", Root + "/hooks", call => call.PageAsync(call.Repository.RecordsOf("hooks")));
        routes.Add("GET", Root + "/environments", call => call.PageAsync(call.Repository.RecordsOf("environments"), (array, count) => new JsonObject { ["total_count"] = count, ["environments"] = array }));
        routes.Add("GET", Root + "/zipball/{ref*}", call => downloads.RedirectAsync(call, context => ArchiveAsync(context, call.Repository, call["ref"])));
    }

    private static async Task UpdateAsync(RestCall call)
    {
        var body = await call.BodyAsync();
        call.Repository.DefaultBranch = (string?)body["default_branch"] ?? call.Repository.DefaultBranch;
        call.Repository.Description = (string?)body["description"] ?? call.Repository.Description;
        await call.JsonAsync(Records.Repository(call.Services, call.Repository));
    }

    private static async Task ReplaceTopicsAsync(RestCall call)
    {
        var names = (await call.BodyAsync())["names"]!.AsArray();
        var topics = call.Repository.RecordsOf("topics");
        topics.Clear();
        foreach (var name in names)
            topics.Add(new() { ["name"] = (string)name! });
        await call.JsonAsync(new JsonObject { ["names"] = names.DeepClone() });
    }

    private static async Task ArchiveAsync(HttpContext context, GitHubRepository repository, string reference)
    {
        var start = new ProcessStartInfo("git", ["-C", repository.Path, "archive", "--format=zip", "--prefix", repository.Name + "/", "--end-of-options", reference]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var git = Process.Start(start)!;
        var errors = git.StandardError.ReadToEndAsync(context.RequestAborted);
        var body = new MemoryStream();
        await git.StandardOutput.BaseStream.CopyToAsync(body, context.RequestAborted);
        await errors;
        await git.WaitForExitAsync(context.RequestAborted);
        if (git.ExitCode != 0)
        {
            // An empty repository: 404, and only behind the redirect (github.md 2.1).
            context.Response.StatusCode = 404;
            return;
        }

        context.Response.ContentType = "application/zip";
        await context.Response.Body.WriteAsync(body.ToArray(), context.RequestAborted);
    }
}
