using System.Management.Automation;
using Backup.Engine.PrePost;

namespace AtlassianBackup.Commands;

/// <summary>Get-PrePostBackup: lists runs of EC2 backups and where they stand.</summary>
[Cmdlet(VerbsCommon.Get, "PrePostBackup")]
[OutputType("Backup.Engine.PrePost.PrePostBackupRun")]
public sealed class GetPrePostBackupCommand : AwsCmdlet
{
    /// <summary>The store.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Run ids.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string[]? RunId { get; set; }

    /// <summary>Only runs in this state.</summary>
    [Parameter]
    [ValidateSet("Running", "Interrupted", "Completed", "Failed")]
    public string? State { get; set; }

    /// <summary>Lists.</summary>
    protected override void ProcessRecord()
    {
        var store = ResolveStore(Destination);
        var options = CreateStoreOptions();
        var ids = RunIds.Given(RunId);
        var isOpen = State is not null && (State.Equals("Running", StringComparison.OrdinalIgnoreCase) || State.Equals("Interrupted", StringComparison.OrdinalIgnoreCase));
        RunAsync(
            token => PrePostBackup.ListAsync(store, options, ids, isOpen, token),
            run =>
            {
                if (State is null || string.Equals(run.State.ToString(), State, StringComparison.OrdinalIgnoreCase))
                    WriteObject(run);
            },
            Destination);
    }
}
