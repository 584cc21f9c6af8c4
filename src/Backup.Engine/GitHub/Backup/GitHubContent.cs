namespace Backup.Engine.GitHub;

/// <summary>What of repositories and accounts is backed up.</summary>
[Flags]
public enum GitHubContent
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>All refs and their history, as bundles.</summary>
    Git = 1,

    /// <summary>The default branch as a zip archive.</summary>
    Zip = 1 << 1,

    /// <summary>The objects of Git LFS that any commit names.</summary>
    Lfs = 1 << 2,

    /// <summary>The wiki.</summary>
    Wiki = 1 << 3,

    /// <summary>Issues with their comments and events, labels and milestones.</summary>
    Issues = 1 << 4,

    /// <summary>Pull requests with reviews and review comments.</summary>
    PullRequests = 1 << 5,

    /// <summary>Releases with their assets.</summary>
    Releases = 1 << 6,

    /// <summary>Description, topics, branch protection, rulesets, webhooks without their secrets, environments.</summary>
    Settings = 1 << 7,

    /// <summary>The account's gists.</summary>
    Gists = 1 << 8,

    /// <summary>The organization's members.</summary>
    Members = 1 << 9,

    /// <summary>The organization's teams with their members and repositories.</summary>
    Teams = 1 << 10,

    /// <summary>Everything but <see cref="Zip"/>, which <see cref="Git"/> holds already.</summary>
    Default = Git | Lfs | Wiki | Issues | PullRequests | Releases | Settings | Gists | Members | Teams,
}
