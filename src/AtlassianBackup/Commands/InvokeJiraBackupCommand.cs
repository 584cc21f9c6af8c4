using System.Management.Automation;
using Backup.Engine.Atlassian;

namespace AtlassianBackup.Commands;

/// <summary>Invoke-JiraBackup: exports Jira sites into a store.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "JiraBackup", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.Atlassian.ExportResult")]
public sealed class InvokeJiraBackupCommand : SiteBackupCmdlet
{
    private protected override AtlassianProduct Product => AtlassianProduct.Jira;
}
