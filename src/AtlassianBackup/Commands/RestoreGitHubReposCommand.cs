using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.GitHub;

namespace AtlassianBackup.Commands;

/// <summary>Restore-GitHubRepos: gives repositories back.</summary>
[Cmdlet(VerbsData.Restore, "GitHubRepos", SupportsShouldProcess = true, DefaultParameterSetName = "Path")]
[OutputType("Backup.Engine.GitHub.GitHubRestoreResult")]
public sealed class RestoreGitHubReposCommand : AwsCmdlet, IGitHubParameters
{
    private readonly List<string> _names = [];

    /// <summary>The repositories as owner/name.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Name { get; set; } = [];

    /// <summary>The store that holds the backup.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string From { get; set; } = "";

    /// <summary>The directory to restore into.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Path")]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>With the files, not bare.</summary>
    [Parameter(ParameterSetName = "Path")]
    public SwitchParameter Checkout { get; set; }

    /// <summary>The account on GitHub to restore into.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Owner")]
    [ValidateNotNullOrEmpty]
    public string? Owner { get; set; }

    /// <summary>Another git server to restore to.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Remote")]
    [ValidateNotNullOrEmpty]
    public string? Remote { get; set; }

    /// <summary>Restore as it was at this time.</summary>
    [Parameter]
    public DateTimeOffset? At { get; set; }

    /// <summary>What is restored.</summary>
    [Parameter]
    [ValidateSet("Git", "Lfs", "Wiki", "Issues", "PullRequests", "Releases", "Settings", "Default")]
    public string[]? Content { get; set; }

    /// <summary>Overwrite refs that differ.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>How many requests that create content in a minute.</summary>
    [Parameter]
    [ValidateRange(1, 100_000)]
    public int WritesPerMinute { get; set; } = 60;

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

    /// <summary>Collects names.</summary>
    protected override void ProcessRecord() => _names.AddRange(Name);

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        if (_names.Count == 0)
            return;
        GitHubRestoreOptions options;
        try
        {
            var connection = GitHubParameters.Connect(this, Reveal, useEnvironment: Remote is null);
            var path = Path is null ? null : ResolvePath(Path);
            var from = ResolveStore(From);
            if (!Confirm($"{string.Join(", ", _names)} from {from}", $"Restore to {path ?? Owner ?? Remote}", out var whatIf))
                return;
            options = CreateLogger().With(new GitHubRestoreOptions
            {
                From = from,
                Store = CreateStoreOptions(),
                Names = _names,
                At = At,
                Path = path,
                Checkout = Checkout,
                Owner = Owner,
                Remote = Remote,
                Connection = connection with { WritesPerMinute = WritesPerMinute },
                Content = GitHubParameters.ContentOf(Content),
                Force = Force,
                WhatIf = whatIf,
            });
        }
        catch (BackupException e)
        {
            ThrowMapped(e, Path ?? Owner ?? Remote);
            throw;
        }

        RunAsync(token => GitHubRestore.RunAsync(options, CreateProgress(), token), Write, From);
    }

    private void Write(GitHubRestoreResult result)
    {
        WriteObject(result);
        if (result.Outcome is Outcome.Failed)
            WriteError(ErrorMapping.ToRecord(result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.FullName} was not restored.", result.Advice, result.FullName));
    }
}
