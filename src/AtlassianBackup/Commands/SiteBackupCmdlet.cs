using System.Management.Automation;
using Backup.Engine.Atlassian;

namespace AtlassianBackup.Commands;

/// <summary>What Invoke-ConfluenceBackup and Invoke-JiraBackup have in common: everything but the product.</summary>
public abstract class SiteBackupCmdlet : ExportCmdlet
{
    private readonly List<AtlassianSite> _sites = [];
    private bool _whatIf;

    /// <summary>The sites.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Site { get; set; } = [];

    /// <summary>The user's e-mail address.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string User { get; set; } = "";

    /// <summary>The user's API token.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNull]
    [SecretValueTransformation]
    public SecretValue ApiToken { get; set; } = null!;

    /// <summary>Export attachments too.</summary>
    [Parameter]
    public SwitchParameter IncludeAttachments { get; set; } = true;

    /// <summary>Take an export that is younger than this.</summary>
    [Parameter]
    [SpanTransformation]
    public TimeSpan MaxAge { get; set; }

    /// <summary>The time between two questions about progress.</summary>
    [Parameter]
    [SpanTransformation]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an export may take to be made.</summary>
    [Parameter]
    [SpanTransformation]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromHours(24);

    /// <summary>The product.</summary>
    private protected abstract AtlassianProduct Product { get; }

    /// <summary>Collects sites: they are waited for side by side.</summary>
    protected override void ProcessRecord()
    {
        foreach (var text in Site)
        {
            if (ReadSite(text) is { } site && Confirm(site.Name, $"Export {Product} to {Location}", out _whatIf))
                _sites.Add(site);
        }
    }

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        if (_sites.Count == 0)
            return;
        var options = CreateLogger().With(new SiteBackupOptions
        {
            Product = Product,
            Sites = _sites,
            User = User,
            ApiToken = new(Reveal(ApiToken)),
            Destination = Location,
            Store = StoreOptions,
            StorageClass = StorageClass,
            IncludeAttachments = IncludeAttachments,
            MaxAge = MaxAge > TimeSpan.Zero ? MaxAge : null,
            PollInterval = PollInterval,
            Timeout = Timeout,
            Keep = Retention,
            Webhook = ResolveWebhook(WebhookUri),
            WhatIf = _whatIf,
        });
        RunExports(token => SiteBackup.RunAsync(options, CreateProgress(), token));
    }
}
