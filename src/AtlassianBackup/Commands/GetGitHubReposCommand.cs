using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.GitHub;

namespace AtlassianBackup.Commands;

/// <summary>Get-GitHubRepos: lists repositories.</summary>
[Cmdlet(VerbsCommon.Get, "GitHubRepos")]
[OutputType("Backup.Engine.GitHub.GitHubRepository")]
public sealed class GetGitHubReposCommand : AwsCmdlet, IGitHubListParameters
{
    private GitHubListOptions? _list;

    /// <summary>Single repositories as owner/name.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName")]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    /// <summary>Organizations.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Organization { get; set; }

    /// <summary>Users.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? User { get; set; }

    /// <summary>What the token's user has to do with a repository.</summary>
    [Parameter]
    [ValidateSet("owner", "collaborator", "organization_member")]
    public string[]? Affiliation { get; set; }

    /// <summary>Only what the token's user owns.</summary>
    [Parameter]
    public SwitchParameter OwnerOnly { get; set; }

    /// <summary>Wildcards of what is taken.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Include { get; set; }

    /// <summary>Wildcards of what is left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Exclude { get; set; }

    /// <summary>Forks too.</summary>
    [Parameter]
    public SwitchParameter IncludeForks { get; set; }

    /// <summary>Archived repositories too.</summary>
    [Parameter]
    public SwitchParameter IncludeArchived { get; set; }

    /// <summary>One of several equal parts: 3/8.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Shard { get; set; }

    /// <summary>A token.</summary>
    [Parameter]
    [ValidateNotNull]
    [SecretValueTransformation]
    public SecretValue? Token { get; set; }

    /// <summary>The API of an Enterprise Server.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? ApiUri { get; set; }

    /// <summary>A GitHub App.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? AppId { get; set; }

    /// <summary>The App's installation.</summary>
    [Parameter]
    [ValidateRange(1L, long.MaxValue)]
    public long InstallationId { get; set; }

    /// <summary>The App's private key.</summary>
    [Parameter]
    [ValidateNotNull]
    [SecretValueTransformation]
    public SecretValue? PrivateKey { get; set; }

    /// <summary>Checks everything that does not depend on a name.</summary>
    protected override void BeginProcessing() =>
        _list = CreateLogger().With(ReadOrEnd(() => GitHubParameters.ListOptions(this, MyInvocation.BoundParameters.ContainsKey(nameof(OwnerOnly)), Reveal), Target()));

    /// <summary>Lists. With names each that comes down the pipeline is looked up.</summary>
    protected override void ProcessRecord()
    {
        if (MyInvocation.ExpectingInput && Name is null)
            return;
        var options = _list! with { Names = Name ?? [] };
        RunAsync(token => GitHubRepositories.ListAsync(options, token), WriteObject, Target());
    }

    private string Target() => string.Join(", ", [.. Name ?? [], .. Organization ?? [], .. User ?? []]);
}
