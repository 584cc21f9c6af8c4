namespace Backup.Engine.GitHub;

/// <summary>A repository as a listing names it.</summary>
public sealed record GitHubRepository
{
    /// <summary>GitHub's id, which no renaming changes.</summary>
    public required long Id { get; init; }

    /// <summary><c>owner/name</c>.</summary>
    public required string FullName { get; init; }

    /// <summary>The account that owns it.</summary>
    public required string Owner { get; init; }

    /// <summary><c>User</c> or <c>Organization</c>; null where GitHub did not say.</summary>
    public string? OwnerType { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary><c>public</c>, <c>private</c> or <c>internal</c>.</summary>
    public required string Visibility { get; init; }

    /// <summary>Whether it is a fork.</summary>
    public bool Fork { get; init; }

    /// <summary>Whether it is archived, which is read-only.</summary>
    public bool Archived { get; init; }

    /// <summary>Whether GitHub has disabled it.</summary>
    public bool Disabled { get; init; }

    /// <summary>What GitHub says it takes, in bytes.</summary>
    public long Size { get; init; }

    /// <summary>When something was last pushed, in UTC; null where nothing ever was.</summary>
    public DateTimeOffset? PushedAt { get; init; }

    /// <summary>The branch that a clone checks out.</summary>
    public string? DefaultBranch { get; init; }

    /// <summary>Whether it may have a wiki.</summary>
    public bool HasWiki { get; init; }

    /// <summary>Whether it has issues.</summary>
    public bool HasIssues { get; init; }

    /// <summary>Whether it has pull requests.</summary>
    public bool HasPullRequests { get; init; }

    /// <summary>What it says of itself.</summary>
    public string? Description { get; init; }

    /// <summary>Its topics.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Where it is cloned from.</summary>
    public required Uri CloneUrl { get; init; }

    /// <summary>GitHub's own time when it was listed.</summary>
    public DateTimeOffset ListedAt { get; init; }

    /// <summary>The list that named it, as its path in the API.</summary>
    public string? ListedBy { get; init; }

    internal static GitHubRepository From(MinimalRepository repository, GitHubConnection connection, string? listedBy, DateTimeOffset listedAt) => new()
    {
        Id = repository.Id,
        FullName = repository.FullName,
        Owner = repository.Owner.Login,
        OwnerType = repository.Owner.Type,
        Name = repository.Name,
        Visibility = repository.Visibility ?? (repository.Private ? "private" : "public"),
        Fork = repository.Fork,
        Archived = repository.Archived ?? false,
        Disabled = repository.Disabled ?? false,
        Size = (repository.Size ?? 0) * 1024,
        PushedAt = repository.PushedAt,
        DefaultBranch = repository.DefaultBranch,
        HasWiki = repository.HasWiki ?? true,
        HasIssues = repository.HasIssues ?? true,
        HasPullRequests = repository.HasPullRequests ?? true,
        Description = repository.Description,
        Topics = repository.Topics ?? [],
        // Not clone_url: the token goes there, so the address is made from the one that was configured.
        CloneUrl = new(connection.GitUri, $"{Uri.EscapeDataString(repository.Owner.Login)}/{Uri.EscapeDataString(repository.Name)}.git"),
        ListedBy = listedBy,
        ListedAt = listedAt,
    };
}
