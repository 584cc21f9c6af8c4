using System.Management.Automation;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Restore-BackupRun: gives a run of any system back as files.</summary>
[Cmdlet(VerbsData.Restore, "BackupRun", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.Runs.RestoreSummary")]
public sealed class RestoreBackupRunCommand : RestoreCmdlet
{
    /// <summary>The store that holds the run.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The runs.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] RunId { get; set; } = [];

    /// <summary>The directory to write into.</summary>
    [Parameter(Mandatory = true, Position = 2)]
    [ValidateNotNullOrEmpty]
    public string To { get; set; } = "";

    private readonly List<(StoreLocation From, string RunId)> _runs = [];

    /// <summary>Collects the runs: several of them must not share a directory.</summary>
    protected override void ProcessRecord()
    {
        var from = ResolveStore(Destination);
        foreach (var id in RunId)
            _runs.Add((from, id));
    }

    /// <summary>Restores.</summary>
    protected override void EndProcessing()
    {
        var root = ResolvePathOrEnd(To)!;
        var store = CreateStoreOptions();
        foreach (var (from, id) in _runs)
        {
            var target = _runs.Count == 1 ? root : System.IO.Path.Combine(root, id);
            if (!Confirm($"run {id} of {from}", $"Restore to {target}", out var whatIf))
                continue;
            var options = CreateLogger().With(new RunRestoreOptions
            {
                From = from,
                Store = store,
                RunId = id,
                Destination = target,
                Include = Include,
                Force = Force,
                WhatIf = whatIf,
            });
            RunRestore(token => Backup.Engine.Runs.RunRestore.RunAsync(options, CreateProgress(), token), id);
        }
    }
}
