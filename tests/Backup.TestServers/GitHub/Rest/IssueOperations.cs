using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>Issues, pull requests, and what hangs on them.</summary>
internal static class IssueOperations
{
    private const string Root = "/repos/{owner}/{repo}";

    public static void Register(RestRoutes routes)
    {
        routes.Add("GET", Root + "/labels", call => call.PageAsync(call.Repository.RecordsOf("labels")));
        routes.Add("POST", Root + "/labels", CreateLabelAsync);
        routes.Add("GET", Root + "/milestones", call => call.PageAsync(call.Repository.RecordsOf("milestones")));
        routes.Add("POST", Root + "/milestones", CreateMilestoneAsync);
        routes.Add("GET", Root + "/issues", call => call.Repository.HasIssues
            ? call.PageAsync(call.Sorted(call.Repository.RecordsOf("issues").Where(issue => (call.Query("state") ?? "open") is var state && (state == "all" || (string?)issue["state"] == state))))
            : call.ErrorAsync(410, "Issues has been disabled in this repository."));
        routes.Add("POST", Root + "/issues", CreateIssueAsync);
        routes.Add("PATCH", Root + "/issues/{issue_number}", UpdateIssueAsync);
        routes.Add("GET", Root + "/issues/comments", call => call.PageAsync(call.Sorted(call.Repository.RecordsOf("comments"), defaultDirection: "asc")));
        routes.Add("POST", Root + "/issues/{issue_number}/comments", CreateCommentAsync);
        routes.Add("GET", Root + "/issues/{issue_number}/comments", call => call.PageAsync(call.Repository.RecordsOf("comments").Where(comment => ((string)comment["issue_url"]!).EndsWith($"/{call["issue_number"]}", StringComparison.Ordinal))));
        routes.Add("GET", Root + "/issues/events", call => call.PageAsync(call.Repository.RecordsOf("events").Reverse()));
        routes.Add("GET", Root + "/pulls", call => call.Repository.HasPullRequests
            ? call.PageAsync(call.Sorted(call.Repository.RecordsOf("pulls")))
            : call.ErrorAsync(404, "Not Found"));
        routes.Add("GET", Root + "/pulls/comments", call => call.PageAsync(call.Sorted(call.Repository.RecordsOf("review-comments"), defaultDirection: "asc")));
        routes.Add("GET", Root + "/pulls/{pull_number}/reviews", call => call.PageAsync(call.Repository.RecordsOf($"reviews/{call["pull_number"]}")));
    }

    private static async Task CreateLabelAsync(RestCall call)
    {
        var body = await call.BodyAsync();
        var labels = call.Repository.RecordsOf("labels");
        if (labels.Any(label => string.Equals((string?)label["name"], (string?)body["name"], StringComparison.OrdinalIgnoreCase)))
        {
            await call.ErrorAsync(422, "Validation Failed", new() { ["errors"] = new JsonArray(new JsonObject { ["resource"] = "Label", ["code"] = "already_exists", ["field"] = "name" }) });
            return;
        }

        var created = Records.Label(call.Services, body);
        labels.Add(created);
        await call.JsonAsync(created.DeepClone(), 201);
    }

    private static async Task CreateMilestoneAsync(RestCall call)
    {
        var created = Records.Milestone(call.Services, call.Repository, await call.BodyAsync());
        call.Repository.RecordsOf("milestones").Add(created);
        await call.JsonAsync(created.DeepClone(), 201);
    }

    private static async Task CreateIssueAsync(RestCall call)
    {
        var created = Records.Issue(call.Services, call.Repository, await call.BodyAsync(), call.Services.Options.Login);
        call.Repository.RecordsOf("issues").Add(created);
        await call.JsonAsync(created.DeepClone(), 201);
    }

    private static async Task UpdateIssueAsync(RestCall call)
    {
        var body = await call.BodyAsync();
        if (call.Repository.RecordsOf("issues").FirstOrDefault(issue => (int)issue["number"]! == call.Number("issue_number")) is not { } issue)
        {
            await call.ErrorAsync(404, "Not Found");
            return;
        }

        foreach (var field in (ReadOnlySpan<string>)["title", "body", "state", "state_reason"])
        {
            if (body.TryGetPropertyValue(field, out var value))
                issue[field] = value?.DeepClone();
        }

        issue["updated_at"] = Records.Time(DateTimeOffset.UtcNow);
        await call.JsonAsync(issue.DeepClone());
    }

    private static async Task CreateCommentAsync(RestCall call)
    {
        var body = await call.BodyAsync();
        var created = Records.Comment(call.Services, call.Repository, call.Number("issue_number"), (string)body["body"]!, call.Services.Options.Login);
        call.Repository.RecordsOf("comments").Add(created);
        await call.JsonAsync(created.DeepClone(), 201);
    }
}
