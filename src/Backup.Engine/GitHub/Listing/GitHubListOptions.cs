using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>Which repositories. Without an account it is those of the token: its user's, or its installation's.</summary>
public sealed record GitHubListOptions
{
    /// <summary>Which GitHub, and as whom.</summary>
    public GitHubConnection Connection { get; init; } = new();

    /// <summary>Organizations.</summary>
    public IReadOnlyList<string> Organizations { get; init; } = [];

    /// <summary>Users. Of another user than the token's own only what is public can be seen.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>Single repositories as <c>owner/name</c>.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>For the token's own user: <c>owner</c>, <c>collaborator</c>, <c>organization_member</c>; empty for all.</summary>
    public IReadOnlyList<string> Affiliation { get; init; } = [];

    /// <summary>Wildcards for <c>owner/name</c>, or for the name alone where they have no slash; null takes all.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>Wildcards of what is left out.</summary>
    public IReadOnlyList<string>? Exclude { get; init; }

    /// <summary>Forks too.</summary>
    public bool IncludeForks { get; init; }

    /// <summary>Archived repositories too.</summary>
    public bool IncludeArchived { get; init; }

    /// <summary>One part of them, or null for all.</summary>
    public Shard? Shard { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
