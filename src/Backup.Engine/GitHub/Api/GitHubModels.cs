using System.Text.Json;
using System.Text.Json.Serialization;

namespace Backup.Engine.GitHub;

// Names are those of GitHub's OpenAPI description (@octokit/openapi 23.0.2), and only what the backup looks at; records are kept as they came.

/// <summary>Schema "simple-user", in part.</summary>
internal sealed record SimpleUser(string Login, long Id, string? Type = null);

/// <summary>Schema "minimal-repository", in part: even clone_url and pushed_at are optional there.</summary>
internal sealed record MinimalRepository
{
    public required long Id { get; init; }

    public required string Name { get; init; }

    public required string FullName { get; init; }

    public required SimpleUser Owner { get; init; }

    public bool Private { get; init; }

    public string? Visibility { get; init; }

    public bool Fork { get; init; }

    public bool? Archived { get; init; }

    public bool? Disabled { get; init; }

    public string? Description { get; init; }

    public string? CloneUrl { get; init; }

    public string? DefaultBranch { get; init; }

    /// <summary>In KB.</summary>
    public long? Size { get; init; }

    public bool? HasWiki { get; init; }

    public bool? HasIssues { get; init; }

    public bool? HasPullRequests { get; init; }

    public DateTimeOffset? PushedAt { get; init; }

    public DateTimeOffset? UpdatedAt { get; init; }

    public IReadOnlyList<string>? Topics { get; init; }
}

/// <summary>Schema "installation-token", in part.</summary>
internal sealed record InstallationToken(string Token, DateTimeOffset ExpiresAt);

/// <summary>Schema "label", in part.</summary>
internal sealed record Label(string Name, string? Color = null, string? Description = null);

/// <summary>Schema "milestone", in part.</summary>
internal sealed record Milestone
{
    public int? Number { get; init; }

    public required string Title { get; init; }

    public string? State { get; init; }

    public string? Description { get; init; }

    public DateTimeOffset? DueOn { get; init; }
}

/// <summary>Schema "issue", in part. A pull request is an issue with <see cref="PullRequest"/>.</summary>
internal sealed record Issue
{
    public required int Number { get; init; }

    public required string Title { get; init; }

    public string? Body { get; init; }

    public string? State { get; init; }

    public string? StateReason { get; init; }

    public SimpleUser? User { get; init; }

    public IReadOnlyList<JsonElement>? Labels { get; init; }

    public Milestone? Milestone { get; init; }

    public JsonElement? PullRequest { get; init; }

    public string? HtmlUrl { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Schema "issue-comment", in part.</summary>
internal sealed record IssueComment
{
    public required long Id { get; init; }

    public string? Body { get; init; }

    public SimpleUser? User { get; init; }

    public string? IssueUrl { get; init; }

    public string? HtmlUrl { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Schemas "pull-request-review" and "pull-request-review-comment", in part: what they have in common, and what one of them has.</summary>
internal sealed record Review
{
    public required long Id { get; init; }

    public string? Body { get; init; }

    public SimpleUser? User { get; init; }

    public string? PullRequestUrl { get; init; }

    /// <summary>Of a review: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED.</summary>
    public string? State { get; init; }

    public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>Of a comment: the file.</summary>
    public string? Path { get; init; }

    public int? Line { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>Schema "release", in part.</summary>
internal sealed record Release
{
    public required long Id { get; init; }

    public required string TagName { get; init; }

    public string? TargetCommitish { get; init; }

    public string? Name { get; init; }

    public string? Body { get; init; }

    public bool Draft { get; init; }

    public bool Prerelease { get; init; }

    public SimpleUser? Author { get; init; }

    public DateTimeOffset? PublishedAt { get; init; }

    public IReadOnlyList<ReleaseAsset> Assets { get; init => field = value ?? []; } = [];
}

/// <summary>Schema "release-asset", in part.</summary>
internal sealed record ReleaseAsset
{
    public required long Id { get; init; }

    public required string Name { get; init; }

    public string? State { get; init; }

    public string? Label { get; init; }

    public string? ContentType { get; init; }

    public long Size { get; init; }

    /// <summary><c>sha256:</c> and hexadecimal digits, or null for older ones.</summary>
    public string? Digest { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SimpleUser))]
[JsonSerializable(typeof(MinimalRepository))]
[JsonSerializable(typeof(InstallationToken))]
[JsonSerializable(typeof(Label))]
[JsonSerializable(typeof(Milestone))]
[JsonSerializable(typeof(Issue))]
[JsonSerializable(typeof(IssueComment))]
[JsonSerializable(typeof(Review))]
[JsonSerializable(typeof(Release))]
[JsonSerializable(typeof(ReleaseAsset))]
internal sealed partial class GitHubJson : JsonSerializerContext;
