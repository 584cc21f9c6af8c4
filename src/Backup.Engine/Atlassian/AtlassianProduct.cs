namespace Backup.Engine.Atlassian;

/// <summary>What of a site is backed up.</summary>
public enum AtlassianProduct
{
    /// <summary>Confluence Cloud.</summary>
    Confluence,

    /// <summary>Jira Cloud.</summary>
    Jira,
}
