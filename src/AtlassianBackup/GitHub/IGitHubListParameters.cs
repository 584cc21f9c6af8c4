using System.Management.Automation;

namespace AtlassianBackup;

/// <summary>The parameters that say which repositories. The cmdlets have them on different bases.</summary>
public interface IGitHubListParameters : IGitHubParameters
{
    /// <summary>Organizations.</summary>
    string[]? Organization { get; }

    /// <summary>Users.</summary>
    string[]? User { get; }

    /// <summary>What the token's user has to do with a repository.</summary>
    string[]? Affiliation { get; }

    /// <summary>Only what the token's user owns.</summary>
    SwitchParameter OwnerOnly { get; }

    /// <summary>Wildcards of what is taken.</summary>
    string[]? Include { get; }

    /// <summary>Wildcards of what is left out.</summary>
    string[]? Exclude { get; }

    /// <summary>Forks too.</summary>
    SwitchParameter IncludeForks { get; }

    /// <summary>Archived repositories too.</summary>
    SwitchParameter IncludeArchived { get; }

    /// <summary>One of several equal parts.</summary>
    string? Shard { get; }
}
