using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.GitHub;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Backup-GitHubRepos: backs up repositories.</summary>
[Cmdlet(VerbsData.Backup, "GitHubRepos", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.GitHub.GitHubBackupResult")]
public sealed class BackupGitHubReposCommand : BackupCmdlet, IGitHubListParameters
{
    private readonly List<GitHubRepository> _repositories = [];
    private readonly List<string> _names = [];
    private StoreLocation? _destination;
    private StoreOptions? _store;
    private GitHubListOptions? _list;
    private Retention? _retention;

    /// <summary>Where the backup goes.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Repositories from Get-GitHubRepos.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNull]
    public PSObject? InputObject { get; set; }

    /// <summary>Single repositories as owner/name.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("FullName")]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    /// <summary>What is backed up.</summary>
    [Parameter]
    [ValidateSet("Git", "Zip", "Lfs", "Wiki", "Issues", "PullRequests", "Releases", "Settings", "Gists", "Members", "Teams", "Default")]
    public string[]? Content { get; set; }

    /// <summary>After how many days all records are read again.</summary>
    [Parameter]
    [ValidateRange(1, 3650)]
    public int FullEvery { get; set; } = 30;

    /// <summary>Which runs are kept.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Keep { get; set; }

    /// <summary>A folder that keeps mirrors.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? MirrorPath { get; set; }

    /// <summary>How many repositories at once.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

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

    /// <summary>Checks everything that does not depend on a repository.</summary>
    protected override void BeginProcessing()
    {
        _destination = ResolveStore(Destination);
        _store = CreateWriteOptions();
        _retention = Keep is null ? null : ReadOrEnd(() => Retention.Parse(Keep), Keep);
        _list = ReadOrEnd(() => GitHubParameters.ListOptions(this, MyInvocation.BoundParameters.ContainsKey(nameof(OwnerOnly)), Reveal), Destination);
    }

    /// <summary>Collects what comes down the pipeline.</summary>
    protected override void ProcessRecord()
    {
        switch (InputObject?.BaseObject)
        {
            case GitHubRepository repository:
                _repositories.Add(repository);
                break;
            case string name:
                _names.Add(name);
                break;
            // Anything else that has a FullName.
            case not null when Name is null:
                WriteError(ErrorMapping.ToRecord(FailureKind.InvalidInput, $"'{InputObject}' is not a repository.", "Pipe what Get-GitHubRepos gives, or names as owner/name.", InputObject));
                break;
            default:
                _names.AddRange(Name ?? []);
                break;
        }
    }

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        var isChosen = _repositories.Count + _names.Count > 0;
        if (MyInvocation.ExpectingInput && !isChosen)
            return;
        if (isChosen && (Organization ?? User ?? Affiliation) is not null)
        {
            ThrowMapped(
                new BackupException(FailureKind.InvalidInput, "Repositories are given, and accounts as well.", "Give repositories (by the pipeline, or -Name), or -Organization, -User and -Affiliation."),
                Destination);
        }

        if (!Confirm($"{What()} to {_destination}", "Back up", out var whatIf))
            return;
        var options = CreateLogger().With(new GitHubBackupOptions
        {
            List = _list! with { Names = _names },
            Repositories = _repositories.Count > 0 ? _repositories : null,
            Destination = _destination!,
            Store = _store!,
            StorageClass = StorageClass,
            Content = GitHubParameters.ContentOf(Content),
            FullEvery = TimeSpan.FromDays(FullEvery),
            Keep = _retention,
            MirrorPath = ResolvePathOrEnd(MirrorPath),
            ThrottleLimit = ThrottleLimit,
            Webhook = ResolveWebhook(WebhookUri),
            WhatIf = whatIf,
        });
        RunAsync(token => GitHubBackup.RunAsync(options, CreateProgress(), token), Write, Destination);
    }

    private string What() => _repositories.Count > 0 ? $"{_repositories.Count} repositories"
        : _names.Count > 0 ? string.Join(", ", _names)
        : (Organization ?? User) is not null ? $"the repositories of {string.Join(", ", [.. Organization ?? [], .. User ?? []])}"
        : "the token's repositories";

    private void Write(GitHubBackupResult result)
    {
        WriteObject(result);
        if (result.Outcome is Outcome.Failed)
            WriteError(ErrorMapping.ToRecord(result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.FullName} was not backed up.", result.Advice, result.FullName));
    }
}
