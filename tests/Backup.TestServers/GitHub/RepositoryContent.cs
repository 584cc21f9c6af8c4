using System.Text.Json.Nodes;
using Backup.TestServers.GitHub.Rest;

namespace Backup.TestServers.GitHub;

/// <summary>Fills a repository with records, each as GitHub would give it.</summary>
public sealed class RepositoryContent
{
    private readonly GitHubServices _services;
    private readonly GitHubRepository _repository;

    internal RepositoryContent(GitHubServices services, GitHubRepository repository) => (_services, _repository) = (services, repository);

    public JsonObject Label(string name, string color = "d73a4a") => Add("labels", Records.Label(_services, new() { ["name"] = name, ["color"] = color }));

    public JsonObject Milestone(string title) => Add("milestones", Records.Milestone(_services, _repository, new() { ["title"] = title }));

    public JsonObject Issue(string title, string body = "", string login = "hubot", string[]? labels = null, int? milestone = null, string state = "open") => Add(
        "issues",
        Records.Issue(_services, _repository, new() { ["title"] = title, ["body"] = body, ["state"] = state, ["labels"] = new JsonArray([.. (labels ?? []).Select(label => (JsonNode)label)]), ["milestone"] = milestone }, login));

    public JsonObject Comment(int issue, string body, string login = "hubot") => Add("comments", Records.Comment(_services, _repository, issue, body, login));

    public JsonObject Event(int issue, string name) => Add("events", new()
    {
        ["id"] = _services.World.NextId(),
        ["event"] = name,
        ["created_at"] = Records.Time(DateTimeOffset.UtcNow),
        ["issue"] = new JsonObject { ["number"] = issue },
    });

    /// <summary>A pull request: an issue with the key pull_request, and a document of its own.</summary>
    public JsonObject PullRequest(string title, string login = "hubot")
    {
        var issue = Issue(title, login: login);
        issue["pull_request"] = new JsonObject { ["url"] = "" };
        var pull = issue.DeepClone().AsObject();
        pull.Remove("pull_request");
        pull["head"] = new JsonObject { ["ref"] = "topic", ["sha"] = new string('0', 40) };
        pull["base"] = new JsonObject { ["ref"] = _repository.DefaultBranch, ["sha"] = new string('0', 40) };
        return Add("pulls", pull);
    }

    public JsonObject Review(int pull, string body) => Add($"reviews/{pull}", new()
    {
        ["id"] = _services.World.NextId(),
        ["user"] = _services.World.AddAccount("hubot").DeepClone(),
        ["body"] = body,
        ["state"] = "APPROVED",
        ["pull_request_url"] = $"https://api.github.com/repos/{_repository.FullName}/pulls/{pull}",
        ["submitted_at"] = Records.Time(DateTimeOffset.UtcNow),
    });

    public JsonObject Release(string tag, string body = "") => Add("releases", ReleaseOperations.Release(_services, _repository, new() { ["tag_name"] = tag, ["name"] = tag, ["body"] = body }));

    public JsonObject Asset(JsonObject release, string name, byte[] bytes) => ReleaseOperations.AddAsset(_services, _repository, release, name, "application/octet-stream", bytes);

    /// <summary>Any other record: rulesets, hooks, environments, branch-protections, topics, review-comments.</summary>
    public JsonObject Add(string kind, JsonObject record)
    {
        _repository.RecordsOf(kind).Add(record);
        return record;
    }
}
