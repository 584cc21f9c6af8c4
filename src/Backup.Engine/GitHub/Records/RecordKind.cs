namespace Backup.Engine.GitHub;

/// <summary>How a kind of record is read.</summary>
internal enum RecordMode
{
    /// <summary>It can be asked for what was updated since a time.</summary>
    Since,

    /// <summary>It can be sorted by the time of its last update, newest first.</summary>
    NewestUpdateFirst,

    /// <summary>It only grows, newest first.</summary>
    Growing,

    /// <summary>It is small and read whole, where one of its pages has another entity tag.</summary>
    Whole,
}

/// <summary>A kind of record: one file of JSON lines a pass.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Content">What it belongs to.</param>
/// <param name="Mode">How it is read.</param>
/// <param name="Operation">The operation that lists it.</param>
/// <param name="Query">What is asked.</param>
/// <param name="Property">The property that holds the list, or null.</param>
internal sealed record RecordKind(string Name, GitHubContent Content, RecordMode Mode, Operation Operation, string Query = "?per_page=100", string? Property = null)
{
    // Sorted by creation, so that what is updated meanwhile moves nothing from one page to another.
    private const string ByCreation = "sort=created&direction=asc&per_page=100";

    public static readonly RecordKind Issues = new("issues", GitHubContent.Issues, RecordMode.Since, Operation.ListIssues, $"?state=all&{ByCreation}");
    public static readonly RecordKind IssueComments = new("issue-comments", GitHubContent.Issues, RecordMode.Since, Operation.ListIssueComments, $"?{ByCreation}");
    public static readonly RecordKind IssueEvents = new("issue-events", GitHubContent.Issues, RecordMode.Growing, Operation.ListIssueEvents);
    public static readonly RecordKind Labels = new("labels", GitHubContent.Issues, RecordMode.Whole, Operation.ListLabels);
    public static readonly RecordKind Milestones = new("milestones", GitHubContent.Issues, RecordMode.Whole, Operation.ListMilestones, "?state=all&per_page=100");
    public static readonly RecordKind Pulls = new("pulls", GitHubContent.PullRequests, RecordMode.NewestUpdateFirst, Operation.ListPulls, "?state=all&sort=updated&direction=desc&per_page=100");
    public static readonly RecordKind ReviewComments = new("review-comments", GitHubContent.PullRequests, RecordMode.Since, Operation.ListReviewComments, $"?{ByCreation}");
    public static readonly RecordKind Releases = new("releases", GitHubContent.Releases, RecordMode.Whole, Operation.ListReleases);
    public static readonly RecordKind BranchProtections = new("branch-protections", GitHubContent.Settings, RecordMode.Whole, Operation.ListBranches, "?protected=true&per_page=100");
    public static readonly RecordKind Rulesets = new("rulesets", GitHubContent.Settings, RecordMode.Whole, Operation.ListRulesets, "?includes_parents=false&per_page=100");
    public static readonly RecordKind Webhooks = new("webhooks", GitHubContent.Settings, RecordMode.Whole, Operation.ListWebhooks);
    public static readonly RecordKind Environments = new("environments", GitHubContent.Settings, RecordMode.Whole, Operation.ListEnvironments, "?per_page=100", "environments");
    public static readonly RecordKind Gists = new("gists", GitHubContent.Gists, RecordMode.Whole, Operation.ListGists);
    public static readonly RecordKind GistsOfUser = new("public-gists", GitHubContent.Gists, RecordMode.Whole, Operation.ListGistsOfUser);
    public static readonly RecordKind Members = new("members", GitHubContent.Members, RecordMode.Whole, Operation.ListMembers);
    public static readonly RecordKind Teams = new("teams", GitHubContent.Teams, RecordMode.Whole, Operation.ListTeams);

    /// <summary>What belongs to a repository.</summary>
    public static IReadOnlyList<RecordKind> OfRepository { get; } =
        [Labels, Milestones, Issues, IssueComments, IssueEvents, Pulls, ReviewComments, Releases, BranchProtections, Rulesets, Webhooks, Environments];

    /// <summary>What a list does not tell and each item has to be asked for.</summary>
    public (Operation Operation, Func<IReadOnlyList<object>, System.Text.Json.JsonElement, IReadOnlyList<object>> Values)? Detail => Name switch
    {
        "branch-protections" => (Operation.GetBranchProtection, static (values, item) => [.. values, item.GetProperty("name").GetString()!]),
        "rulesets" => (Operation.GetRuleset, static (values, item) => [.. values, item.GetProperty("id").GetInt64()]),
        "gists" or "public-gists" => (Operation.GetGist, static (_, item) => [item.GetProperty("id").GetString()!]),
        _ => null,
    };
}
