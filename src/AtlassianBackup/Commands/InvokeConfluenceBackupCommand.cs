using System.Management.Automation;
using Backup.Engine.Atlassian;

namespace AtlassianBackup.Commands;

/// <summary>Invoke-ConfluenceBackup: exports Confluence sites into a store.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "ConfluenceBackup", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.Atlassian.ExportResult")]
public sealed class InvokeConfluenceBackupCommand : SiteBackupCmdlet
{
    private protected override AtlassianProduct Product => AtlassianProduct.Confluence;
}
