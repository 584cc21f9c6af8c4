using System.Management.Automation;
using Backup.Engine.Maven;

namespace AtlassianBackup.Commands;

/// <summary>Compare-MavenBackup: what differs between a repository and its backup.</summary>
[Cmdlet(VerbsData.Compare, "MavenBackup")]
[OutputType("Backup.Engine.Maven.MavenDifference")]
public sealed class CompareMavenBackupCommand : AwsCmdlet
{
    private bool _differs;

    /// <summary>The store.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The domain.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string Domain { get; set; } = "";

    /// <summary>The account that owns it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DomainOwner { get; set; }

    /// <summary>The repository.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string Repository { get; set; } = "";

    /// <summary>The formats.</summary>
    [Parameter]
    [ValidateSet("maven", "npm", "nuget", "pypi", "generic")]
    public string[] Format { get; set; } = ["maven"];

    /// <summary>Compare the store with its own manifests alone.</summary>
    [Parameter]
    public SwitchParameter StoreOnly { get; set; }

    /// <summary>Requests a second to CodeArtifact.</summary>
    [Parameter]
    [ValidateRange(0.0, 100_000.0)]
    public double RequestRate { get; set; } = 40;

    /// <summary>Compares.</summary>
    protected override void EndProcessing()
    {
        // Until it is known to be well, it is not.
        SessionState.PSVariable.Set("global:LASTEXITCODE", 2);
        var options = CreateLogger().With(new MavenCompareOptions
        {
            Destination = ResolveStore(Destination),
            Store = CreateStoreOptions(),
            Aws = CreateServiceOptions(),
            Domain = Domain,
            DomainOwner = DomainOwner,
            Repository = Repository,
            Formats = Format,
            StoreOnly = StoreOnly,
            RequestRate = RequestRate,
        });
        RunAsync(
            token => MavenCompare.RunAsync(options, CreateProgress(), token),
            difference =>
            {
                // What the source deleted is what a backup is for.
                _differs |= difference.Difference != MavenDifferenceKind.DeletedAtSource;
                WriteObject(difference);
            },
            Destination);
        SessionState.PSVariable.Set("global:LASTEXITCODE", _differs ? 1 : 0);
    }
}
