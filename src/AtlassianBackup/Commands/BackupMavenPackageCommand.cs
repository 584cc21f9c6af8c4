using System.Globalization;
using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Maven;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Backup-MavenPackage: stores packages of CodeArtifact, by event, by coordinates, or all of a repository.</summary>
[Cmdlet(VerbsData.Backup, "MavenPackage", SupportsShouldProcess = true, DefaultParameterSetName = ByEvent)]
[OutputType("Backup.Engine.Maven.PackageVersionResult", "Backup.Engine.Maven.RepositoryResult")]
public sealed class BackupMavenPackageCommand : BackupCmdlet
{
    private const string ByEvent = "Event";
    private const string ByCoordinates = "Coordinates";
    private const string Whole = "All";

    private readonly EventText _events = new();
    private StoreLocation? _destination;
    private StoreOptions? _store;

    /// <summary>The store.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>EventBridge events: as text, as the lines of a file, or as objects; wrapped by SQS or SNS or not.</summary>
    [Parameter(ParameterSetName = ByEvent, Mandatory = true, ValueFromPipeline = true)]
    [AllowEmptyString]
    public object[] InputObject { get; set; } = [];

    /// <summary>The domain.</summary>
    [Parameter(ParameterSetName = ByCoordinates, Mandatory = true)]
    [Parameter(ParameterSetName = Whole, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? Domain { get; set; }

    /// <summary>The account that owns the domain.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DomainOwner { get; set; }

    /// <summary>The repository.</summary>
    [Parameter(ParameterSetName = ByCoordinates, Mandatory = true)]
    [Parameter(ParameterSetName = Whole, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? Repository { get; set; }

    /// <summary>Packages, as group:artifact.</summary>
    [Parameter(ParameterSetName = ByCoordinates, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Package { get; set; } = [];

    /// <summary>Versions of them.</summary>
    [Parameter(ParameterSetName = ByCoordinates, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Version { get; set; } = [];

    /// <summary>Everything in the repository.</summary>
    [Parameter(ParameterSetName = Whole, Mandatory = true)]
    public SwitchParameter All { get; set; }

    /// <summary>Only this namespace and those below it.</summary>
    [Parameter(ParameterSetName = Whole)]
    [ValidateNotNullOrEmpty]
    public string? Namespace { get; set; }

    /// <summary>Only what was published then or later.</summary>
    [Parameter(ParameterSetName = Whole)]
    public DateTimeOffset? Since { get; set; }

    /// <summary>One part of several, as 1/4.</summary>
    [Parameter(ParameterSetName = Whole)]
    [ValidatePattern(@"^\d{1,6}/\d{1,6}$")]
    public string? Shard { get; set; }

    /// <summary>The formats.</summary>
    [Parameter]
    [ValidateSet("maven", "npm", "nuget", "pypi", "generic")]
    public string[] Format { get; set; } = ["maven"];

    /// <summary>Asset requests a second.</summary>
    [Parameter]
    [ValidateRange(0.0, 100_000.0)]
    public double RequestRate { get; set; } = 40;

    /// <summary>Checks what does not depend on the input.</summary>
    protected override void BeginProcessing()
    {
        _destination = ResolveStore(Destination);
        _store = CreateWriteOptions();
    }

    /// <summary>Collects events, or backs packages up.</summary>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case ByEvent:
                foreach (var item in InputObject)
                    _events.Add(item);
                break;
            case ByCoordinates:
                Run(Options() with { Packages = Package, Versions = Version }, string.Join(", ", Package));
                break;
        }
    }

    /// <summary>Runs what needs all of the input.</summary>
    protected override void EndProcessing()
    {
        if (ParameterSetName == Whole)
            Run(Options() with { All = true, Namespace = Namespace, Since = Since, Shard = ParseShard() }, $"{Domain}/{Repository}");
        else if (ParameterSetName == ByEvent)
            Run(Options() with { Events = _events.Documents.Count > 0 ? _events.Documents : [""] }, "the packages of the events");
    }

    private MavenBackupOptions Options() => CreateLogger().With(new MavenBackupOptions
    {
        Destination = _destination!,
        Store = _store!,
        Aws = CreateServiceOptions(),
        Domain = Domain,
        DomainOwner = DomainOwner,
        Repository = Repository,
        Formats = Format,
        RequestRate = RequestRate,
        StorageClass = StorageClass,
        Webhook = ResolveWebhook(WebhookUri),
    });

    private void Run(MavenBackupOptions options, string what)
    {
        if (!Confirm($"{what} to {_destination}", "Back up", out var whatIf))
            return;
        RunAsync(token => MavenBackup.RunAsync(options with { WhatIf = whatIf }, CreateProgress(), token), output => MavenOutputs.Write(output, WriteObject, WriteError, WriteWarning), what);
    }

    private (int Index, int Count)? ParseShard() => Shard?.Split('/') is [var index, var count]
        ? (int.Parse(index, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture))
        : null;
}
