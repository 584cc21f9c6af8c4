using System.Globalization;

namespace Backup.Engine.GitHub;

/// <summary>One operation of the API: method and path as GitHub's OpenAPI description has them.</summary>
/// <param name="Method">The method.</param>
/// <param name="Template">The path; what is in braces is filled in, in order.</param>
internal sealed record Operation(HttpMethod Method, string Template)
{
    private const string RepositoryRoot = "repos/{owner}/{repo}/";

    // operationId "users/get-authenticated" and so on: the names of these fields, the other way round.
    public static readonly Operation GetAuthenticatedUser = new(HttpMethod.Get, "user");
    public static readonly Operation ListRepositoriesOfAuthenticatedUser = new(HttpMethod.Get, "user/repos");
    public static readonly Operation ListRepositoriesOfUser = new(HttpMethod.Get, "users/{username}/repos");
    public static readonly Operation ListRepositoriesOfOrganization = new(HttpMethod.Get, "orgs/{org}/repos");
    public static readonly Operation ListRepositoriesOfInstallation = new(HttpMethod.Get, "installation/repositories");
    public static readonly Operation CreateInstallationToken = new(HttpMethod.Post, "app/installations/{installation_id}/access_tokens");

    public static readonly Operation GetRepository = new(HttpMethod.Get, "repos/{owner}/{repo}");
    public static readonly Operation ListIssues = new(HttpMethod.Get, RepositoryRoot + "issues");
    public static readonly Operation ListIssueComments = new(HttpMethod.Get, RepositoryRoot + "issues/comments");
    public static readonly Operation ListIssueEvents = new(HttpMethod.Get, RepositoryRoot + "issues/events");
    public static readonly Operation ListLabels = new(HttpMethod.Get, RepositoryRoot + "labels");
    public static readonly Operation ListMilestones = new(HttpMethod.Get, RepositoryRoot + "milestones");
    public static readonly Operation ListPulls = new(HttpMethod.Get, RepositoryRoot + "pulls");
    public static readonly Operation ListReviewComments = new(HttpMethod.Get, RepositoryRoot + "pulls/comments");
    public static readonly Operation ListReviews = new(HttpMethod.Get, RepositoryRoot + "pulls/{pull_number}/reviews");
    public static readonly Operation ListReleases = new(HttpMethod.Get, RepositoryRoot + "releases");
    public static readonly Operation GetReleaseAsset = new(HttpMethod.Get, RepositoryRoot + "releases/assets/{asset_id}");
    public static readonly Operation ListBranches = new(HttpMethod.Get, RepositoryRoot + "branches");
    public static readonly Operation GetBranchProtection = new(HttpMethod.Get, RepositoryRoot + "branches/{branch}/protection");
    public static readonly Operation ListRulesets = new(HttpMethod.Get, RepositoryRoot + "rulesets");
    public static readonly Operation GetRuleset = new(HttpMethod.Get, RepositoryRoot + "rulesets/{ruleset_id}");
    public static readonly Operation ListWebhooks = new(HttpMethod.Get, RepositoryRoot + "hooks");
    public static readonly Operation ListEnvironments = new(HttpMethod.Get, RepositoryRoot + "environments");
    public static readonly Operation DownloadZipball = new(HttpMethod.Get, RepositoryRoot + "zipball/{ref}");

    public static readonly Operation ListGists = new(HttpMethod.Get, "gists");
    public static readonly Operation ListGistsOfUser = new(HttpMethod.Get, "users/{username}/gists");
    public static readonly Operation GetGist = new(HttpMethod.Get, "gists/{gist_id}");
    public static readonly Operation ListMembers = new(HttpMethod.Get, "orgs/{org}/members");
    public static readonly Operation ListTeams = new(HttpMethod.Get, "orgs/{org}/teams");
    public static readonly Operation ListTeamMembers = new(HttpMethod.Get, "orgs/{org}/teams/{team_slug}/members");
    public static readonly Operation ListTeamRepositories = new(HttpMethod.Get, "orgs/{org}/teams/{team_slug}/repos");

    public static readonly Operation CreateRepositoryForAuthenticatedUser = new(HttpMethod.Post, "user/repos");
    public static readonly Operation CreateRepositoryInOrganization = new(HttpMethod.Post, "orgs/{org}/repos");
    public static readonly Operation UpdateRepository = new(HttpMethod.Patch, "repos/{owner}/{repo}");
    public static readonly Operation ReplaceTopics = new(HttpMethod.Put, RepositoryRoot + "topics");
    public static readonly Operation CreateLabel = new(HttpMethod.Post, RepositoryRoot + "labels");
    public static readonly Operation CreateMilestone = new(HttpMethod.Post, RepositoryRoot + "milestones");
    public static readonly Operation CreateIssue = new(HttpMethod.Post, RepositoryRoot + "issues");
    public static readonly Operation UpdateIssue = new(HttpMethod.Patch, RepositoryRoot + "issues/{issue_number}");
    public static readonly Operation CreateIssueComment = new(HttpMethod.Post, RepositoryRoot + "issues/{issue_number}/comments");
    public static readonly Operation CreateRelease = new(HttpMethod.Post, RepositoryRoot + "releases");
    public static readonly Operation UploadReleaseAsset = new(HttpMethod.Post, RepositoryRoot + "releases/{release_id}/assets");

    /// <summary>Whether it counts as creating content, of which GitHub takes 80 a minute.</summary>
    public bool IsWrite => Method != HttpMethod.Get;

    /// <summary>The path with its values, escaped.</summary>
    public string Path(IReadOnlyList<object> values)
    {
        var index = 0;
        var parts = Template.Split('/');
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i] is not ['{', ..])
                continue;
            var value = Convert.ToString(values[index++], CultureInfo.InvariantCulture)!;
            // A path of '..' would leave the operation that is meant.
            if (value is "" or "." or "..")
                throw new BackupException(FailureKind.InvalidInput, $"'{value}' cannot be a {parts[i].Trim('{', '}')} on GitHub.");
            parts[i] = Uri.EscapeDataString(value);
        }

        return index == values.Count ? string.Join('/', parts) : throw new ArgumentException($"{Template} takes {index} values.", nameof(values));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Method} /{Template}";
}
