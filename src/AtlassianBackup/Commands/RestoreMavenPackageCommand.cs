using System.Management.Automation;
using System.Net;
using Backup.Engine;
using Backup.Engine.Maven;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Restore-MavenPackage: publishes backed-up packages again, into CodeArtifact or a plain Maven repository.</summary>
[Cmdlet(VerbsData.Restore, "MavenPackage", SupportsShouldProcess = true, DefaultParameterSetName = ByCoordinates)]
[OutputType("Backup.Engine.Maven.PackageVersionResult", "Backup.Engine.Maven.RepositoryResult")]
public sealed class RestoreMavenPackageCommand : AwsCmdlet
{
    private const string ByCoordinates = "Coordinates";
    private const string ByRun = "Run";

    /// <summary>The store that holds the backup.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Runs of Backup-MavenPackage.</summary>
    [Parameter(ParameterSetName = ByRun, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] RunId { get; set; } = [];

    /// <summary>The domain to publish to.</summary>
    [Parameter(ParameterSetName = ByCoordinates, Mandatory = true)]
    [Parameter(ParameterSetName = ByRun)]
    [ValidateNotNullOrEmpty]
    public string? Domain { get; set; }

    /// <summary>The account that owns it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DomainOwner { get; set; }

    /// <summary>The repository to publish to.</summary>
    [Parameter(ParameterSetName = ByCoordinates, Mandatory = true)]
    [Parameter(ParameterSetName = ByRun)]
    [ValidateNotNullOrEmpty]
    public string? Repository { get; set; }

    /// <summary>The domain that was backed up, where it is another one.</summary>
    [Parameter(ParameterSetName = ByCoordinates)]
    [ValidateNotNullOrEmpty]
    public string? FromDomain { get; set; }

    /// <summary>The repository that was backed up, where it is another one.</summary>
    [Parameter(ParameterSetName = ByCoordinates)]
    [ValidateNotNullOrEmpty]
    public string? FromRepository { get; set; }

    /// <summary>Packages, as group:artifact.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] Package { get; set; } = [];

    /// <summary>Versions of them.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] Version { get; set; } = [];

    /// <summary>The format.</summary>
    [Parameter(ParameterSetName = ByCoordinates)]
    [ValidateSet("maven", "generic")]
    public string Format { get; set; } = "maven";

    /// <summary>A plain Maven repository instead: a directory, or an address that takes PUT.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? To { get; set; }

    /// <summary>User and password of that address.</summary>
    [Parameter]
    [ValidateNotNull]
    [Credential]
    public PSCredential? ToCredential { get; set; }

    /// <summary>Requests a second to CodeArtifact.</summary>
    [Parameter]
    [ValidateRange(0.0, 100_000.0)]
    public double RequestRate { get; set; } = 40;

    /// <summary>Restores.</summary>
    protected override void ProcessRecord()
    {
        var from = ResolveStore(Destination);
        var options = CreateLogger().With(new MavenRestoreOptions
        {
            From = from,
            Store = CreateStoreOptions(),
            Aws = CreateServiceOptions(),
            FromDomain = FromDomain ?? Domain,
            FromRepository = FromRepository ?? Repository,
            Format = Format,
            Packages = Package,
            Versions = Version,
            Domain = Domain,
            DomainOwner = DomainOwner,
            Repository = Repository,
            Directory = IsAddress ? null : ResolvePathOrEnd(To),
            Url = IsAddress ? ResolveUrl() : null,
            Credentials = ToCredential is null ? null : new(ToCredential.UserName, new NetworkCredential("", ToCredential.Password).Password),
            RequestRate = RequestRate,
        });
        foreach (var id in ParameterSetName == ByRun ? RunId : [null!])
        {
            var what = id is null ? Package.Length > 0 ? string.Join(", ", Package) : $"{options.FromDomain}/{options.FromRepository}" : $"run {id}";
            if (Confirm($"{what} of {from} to {To ?? (Repository is null ? "the repository that was backed up" : $"{Domain ?? "its domain"}/{Repository}")}", "Restore", out var whatIf))
                RunAsync(token => MavenRestore.RunAsync(options with { RunId = id, WhatIf = whatIf }, CreateProgress(), token), output => MavenOutputs.Write(output, WriteObject, WriteError, WriteWarning), what);
        }
    }

    private bool IsAddress => To?.Contains("://", StringComparison.Ordinal) == true;

    private Uri ResolveUrl()
    {
        if (Uri.TryCreate(To, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && (ToCredential is null || url.Scheme == "https" || url.IsLoopback))
            return url;
        ThrowMapped(new BackupException(FailureKind.InvalidInput, $"'{To}' is not the address of a repository.", "Give a directory, or an http or https address; with -ToCredential it has to be https."), To);
        throw new InvalidOperationException();
    }
}
