using System.Globalization;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>Documents as GitHub's OpenAPI description has them (@octokit/openapi 23.0.2), with the fields that a backup may ask for.</summary>
internal static class Records
{
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Schema "repository", in part.</summary>
    public static JsonObject Repository(GitHubServices services, GitHubRepository repository) => new()
    {
        ["id"] = repository.Id,
        ["node_id"] = $"R_{repository.Id}",
        ["name"] = repository.Name,
        ["full_name"] = repository.FullName,
        ["owner"] = services.World.AddAccount(repository.Owner).DeepClone(),
        ["private"] = repository.Private,
        ["visibility"] = repository.Private ? "private" : "public",
        ["html_url"] = new Uri(services.Endpoint, repository.FullName).AbsoluteUri,
        ["clone_url"] = new Uri(services.Endpoint, repository.FullName + ".git").AbsoluteUri,
        ["description"] = repository.Description,
        ["fork"] = repository.Fork,
        ["archived"] = repository.Archived,
        ["disabled"] = repository.State is RepositoryState.Disabled,
        ["default_branch"] = repository.DefaultBranch,
        ["size"] = 1,
        ["topics"] = new JsonArray([.. repository.RecordsOf("topics").Select(topic => (JsonNode)(string)topic["name"]!)]),
        ["has_wiki"] = repository.HasWiki,
        ["has_issues"] = repository.HasIssues,
        ["has_pull_requests"] = repository.HasPullRequests,
        ["has_discussions"] = false,
        ["created_at"] = Time(repository.CreatedAt),
        ["updated_at"] = Time(repository.UpdatedAt),
        ["pushed_at"] = Time(repository.PushedAt),
    };

    /// <summary>Lists of gists name their files and leave out what is in them.</summary>
    public static JsonNode WithoutContent(JsonObject gist)
    {
        var copy = gist.DeepClone();
        foreach (var (_, file) in copy["files"]!.AsObject())
            file!.AsObject().Remove("content");
        return copy;
    }

    public static JsonObject Label(GitHubServices services, JsonObject from) => new()
    {
        ["id"] = services.World.NextId(),
        ["node_id"] = "LA_1",
        ["url"] = new Uri(services.Endpoint, "labels").AbsoluteUri,
        ["name"] = (string)from["name"]!,
        ["color"] = (string?)from["color"] ?? "ededed",
        ["description"] = (string?)from["description"],
        ["default"] = false,
    };

    public static JsonObject Milestone(GitHubServices services, GitHubRepository repository, JsonObject from)
    {
        var now = Time(DateTimeOffset.UtcNow);
        return new()
        {
            ["id"] = services.World.NextId(),
            ["number"] = repository.RecordsOf("milestones").Count + 1,
            ["title"] = (string)from["title"]!,
            ["description"] = (string?)from["description"],
            ["state"] = (string?)from["state"] ?? "open",
            ["due_on"] = (string?)from["due_on"],
            ["created_at"] = now,
            ["updated_at"] = now,
        };
    }

    /// <summary>Schema "issue". One that is a pull request has the key <c>pull_request</c>.</summary>
    public static JsonObject Issue(GitHubServices services, GitHubRepository repository, JsonObject from, string login)
    {
        var now = Time(DateTimeOffset.UtcNow);
        return new()
        {
            ["id"] = services.World.NextId(),
            ["node_id"] = "I_1",
            ["url"] = new Uri(services.Endpoint, $"repos/{repository.FullName}/issues").AbsoluteUri,
            ["number"] = repository.NextNumber(),
            ["title"] = (string)from["title"]!,
            ["body"] = (string?)from["body"],
            ["state"] = (string?)from["state"] ?? "open",
            ["user"] = services.World.AddAccount(login).DeepClone(),
            ["labels"] = Labels(repository, from["labels"]),
            ["milestone"] = Milestone(repository, from["milestone"]),
            ["assignees"] = new JsonArray(),
            ["comments"] = 0,
            ["created_at"] = now,
            ["updated_at"] = now,
            ["closed_at"] = null,
        };
    }

    public static JsonObject Comment(GitHubServices services, GitHubRepository repository, int issue, string body, string login)
    {
        var now = Time(DateTimeOffset.UtcNow);
        return new()
        {
            ["id"] = services.World.NextId(),
            ["issue_url"] = new Uri(services.Endpoint, $"repos/{repository.FullName}/issues/{issue}").AbsoluteUri,
            ["body"] = body,
            ["user"] = services.World.AddAccount(login).DeepClone(),
            ["created_at"] = now,
            ["updated_at"] = now,
        };
    }

    public static JsonArray Labels(GitHubRepository repository, JsonNode? names) =>
        new([.. (names?.AsArray() ?? []).Select(name => repository.RecordsOf("labels").First(label => (string?)label["name"] == (string)name!).DeepClone())]);

    public static JsonNode? Milestone(GitHubRepository repository, JsonNode? number) =>
        number is null ? null : repository.RecordsOf("milestones").First(milestone => (int)milestone["number"]! == (int)number).DeepClone();
}
