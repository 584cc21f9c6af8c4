using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.PrePost;

namespace AtlassianBackup.Commands;

/// <summary>Resume-PrePostBackup: goes on with an interrupted run.</summary>
[Cmdlet(VerbsLifecycle.Resume, "PrePostBackup", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.PrePost.PrePostBackupResult")]
public sealed class ResumePrePostBackupCommand : PrePostCmdlet
{
    /// <summary>The run.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string RunId { get; set; } = "";

    /// <summary>Where it is kept.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Take it over from a runner that may be alive.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Goes on.</summary>
    protected override void ProcessRecord()
    {
        var destination = ResolveStore(Destination);
        if (!Confirm($"run {RunId} of {destination}", "Resume", out var whatIf))
            return;
        var options = CreateLogger().With(new PrePostResumeOptions
        {
            RunId = RunId,
            Destination = destination,
            Store = CreateStoreOptions(),
            Aws = CreateServiceOptions(),
            Force = Force,
            WhatIf = whatIf,
            Webhook = ResolveWebhook(WebhookUri),
        });
        RunInstances(token => PrePostBackup.ResumeAsync(options, CreateProgress(), token), RunId);
    }
}
