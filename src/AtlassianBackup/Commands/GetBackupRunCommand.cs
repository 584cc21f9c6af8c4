using System.Management.Automation;
using Backup.Engine.Runs;

namespace AtlassianBackup.Commands;

/// <summary>Get-BackupRun: lists what a destination holds.</summary>
[Cmdlet(VerbsCommon.Get, "BackupRun")]
[OutputType("Backup.Engine.Runs.BackupRun")]
public sealed class GetBackupRunCommand : AwsCmdlet
{
    /// <summary>The store.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The system.</summary>
    [Parameter]
    [ValidateSet("folders", "confluence", "jira", "github", "maven", "ec2")]
    public string? System { get; set; }

    /// <summary>The source's name.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? SourceName { get; set; }

    /// <summary>Run ids.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string[]? RunId { get; set; }

    /// <summary>Finished at this time or later.</summary>
    [Parameter]
    public DateTimeOffset? Since { get; set; }

    /// <summary>Finished at this time or earlier.</summary>
    [Parameter]
    public DateTimeOffset? Until { get; set; }

    /// <summary>Only the newest run of each source.</summary>
    [Parameter]
    public SwitchParameter Latest { get; set; }

    /// <summary>Lists.</summary>
    protected override void ProcessRecord()
    {
        var store = ResolveStore(Destination);
        var query = new RunQuery
        {
            System = System?.ToLowerInvariant(),
            SourceName = SourceName,
            RunIds = RunIds.Given(RunId),
            Since = Since,
            Until = Until,
            LatestOnly = Latest,
        };
        var options = CreateStoreOptions();
        var found = false;
        RunAsync(
            token => RunQueries.RunAsync(store, query, options, token),
            run =>
            {
                found = true;
                WriteObject(run);
            },
            Destination);
        // An empty list is an answer; nothing at all looks like one, and may be a prefix or a name that was mistyped.
        if (!found)
            WriteWarning($"'{store}' holds no such run.");
    }
}
