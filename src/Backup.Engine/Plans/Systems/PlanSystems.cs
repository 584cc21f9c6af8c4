using Backup.Engine.Atlassian;

namespace Backup.Engine.Plans;

/// <summary>The systems that a plan can name.</summary>
internal static class PlanSystems
{
    public static IReadOnlyList<PlanSystem> All { get; } =
    [
        new FoldersPlan(),
        new SitePlan(AtlassianProduct.Confluence),
        new SitePlan(AtlassianProduct.Jira),
        new GitHubPlan(),
        new MavenPlan(),
        new PrePostPlan(),
    ];

    public static PlanSystem? Find(string name) => All.FirstOrDefault(system => system.Name == name);
}
