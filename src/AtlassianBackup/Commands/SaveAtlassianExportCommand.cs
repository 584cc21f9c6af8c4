using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Atlassian;

namespace AtlassianBackup.Commands;

/// <summary>Save-AtlassianExport: stores exports that a person made in the browser.</summary>
[Cmdlet(VerbsData.Save, "AtlassianExport", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.Atlassian.ExportResult")]
public sealed class SaveAtlassianExportCommand : ExportCmdlet
{
    private readonly List<string> _paths = [];
    private AtlassianSite? _site;
    private bool _whatIf;

    /// <summary>Files, and folders of files.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The site that they were exported from.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string Site { get; set; } = "";

    /// <summary>What was exported.</summary>
    [Parameter]
    [ValidateSet(nameof(AtlassianProduct.Confluence), nameof(AtlassianProduct.Jira))]
    public string? Product { get; set; }

    /// <summary>Go on looking into the folders.</summary>
    [Parameter]
    public SwitchParameter Watch { get; set; }

    /// <summary>The time between two looks.</summary>
    [Parameter]
    [SpanTransformation]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to watch.</summary>
    [Parameter]
    [SpanTransformation]
    public TimeSpan Timeout { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _site = ReadSite(Site);
    }

    /// <summary>Collects files and folders.</summary>
    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            try
            {
                var resolved = ResolvePath(path);
                if (Watch && File.Exists(resolved))
                    throw new BackupException(FailureKind.InvalidInput, $"'{path}' is a file: there is nothing to watch.", "Give the folder that the browser downloads to, or leave -Watch out.");
                if (Watch && !Directory.Exists(resolved))
                    throw new BackupException(FailureKind.NotFound, $"The folder '{path}' does not exist.", "Check the path.");
                if (_site is not null && Confirm(resolved, $"Store as an export of {_site} in {Location}", out _whatIf))
                    _paths.Add(resolved);
            }
            catch (BackupException e)
            {
                WriteError(ErrorMapping.ToRecord(e, path));
            }
        }
    }

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        if (_paths.Count == 0)
            return;
        var options = CreateLogger().With(new ExportSaveOptions
        {
            Paths = _paths,
            Site = _site!,
            Product = Product is null ? null : Enum.Parse<AtlassianProduct>(Product, ignoreCase: true),
            Destination = Location,
            Store = StoreOptions,
            StorageClass = StorageClass,
            Keep = Retention,
            // A plan tells what is there, and does not wait for more.
            Watch = Watch && !_whatIf,
            PollInterval = PollInterval,
            Timeout = Timeout > TimeSpan.Zero ? Timeout : null,
            Webhook = ResolveWebhook(WebhookUri),
            WhatIf = _whatIf,
        });
        RunExports(token => ExportSave.RunAsync(options, CreateProgress(), token));
    }
}
