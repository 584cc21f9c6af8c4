using System.Management.Automation;
using AtlassianBackup.Pipeline;
using Backup.Engine;
using Backup.Engine.Aws;
using Backup.Engine.Stores;

namespace AtlassianBackup;

/// <summary>A cmdlet that opens a store. Its parameters are named as AWS.Tools names them; for a directory they mean nothing.</summary>
public abstract class AwsCmdlet : AsyncCmdlet
{
    /// <summary>A profile of the shared AWS files.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProfileNameCompleter))]
    public string? ProfileName { get; set; }

    /// <summary>The region.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string? Region { get; set; }

    /// <summary>The endpoint of an S3-compatible store.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? EndpointUrl { get; set; }

    /// <summary>Keys, or a credential object of AWS.Tools.</summary>
    [Parameter]
    [ValidateNotNull]
    [AwsCredentialTransformation]
    public AwsCredential? Credential { get; set; }

    /// <summary>How the store is opened, from the parameters and what AWS.Tools has put into the session.</summary>
    protected StoreOptions CreateStoreOptions()
    {
        if (EndpointUrl is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https")))
        {
            ThrowMapped(
                new BackupException(FailureKind.InvalidInput, $"'{url.OriginalString}' is not an endpoint.", "Give an absolute http or https address, such as https://s3.example.com."),
                url.OriginalString);
        }

        if (ProfileName is not null && Credential is not null)
        {
            ThrowMapped(
                new BackupException(FailureKind.InvalidInput, "Both -ProfileName and -Credential are given.", "Give one of them."),
                ProfileName);
        }

        return CreateLogger().With(new StoreOptions { Aws = CreateAwsOptions(Credential) with { EndpointUrl = EndpointUrl } });
    }

    /// <summary>
    /// How AWS services other than the store are reached. -EndpointUrl is the store's alone, and so is a -Credential that is given with it:
    /// theirs come from the environment then.
    /// </summary>
    protected AwsOptions CreateServiceOptions() => CreateAwsOptions(EndpointUrl is null ? Credential : null);

    /// <summary>The secret itself: from Parameter Store or Secrets Manager where the parameter refers to one. What is wrong with it ends the cmdlet.</summary>
    protected string Reveal(SecretValue secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (secret.Warning is { } warning)
            WriteWarning(warning);
        if (secret.Reference is { } reference)
        {
            var options = CreateServiceOptions();
            var logger = CreateLogger();
            RunAsync(async token => secret.Fetched(await reference.ResolveAsync(options, logger, token)), reference.Text);
        }

        return secret.Reveal();
    }

    /// <summary>Reads a destination; a bad one ends the cmdlet.</summary>
    protected StoreLocation ResolveStore(string text) => ReadOrEnd(
        // A path is PowerShell's: relative to its location, and on any of its file system drives.
        () => text.Contains("://", StringComparison.Ordinal) || string.IsNullOrWhiteSpace(text)
            ? StoreLocation.Parse(text)
            : StoreLocation.ForDirectory(ResolvePath(text)),
        text);

    /// <summary>The file system path that a parameter names, or null where it is not given; a bad one ends the cmdlet.</summary>
    protected string? ResolvePathOrEnd(string? path) => path is null ? null : ReadOrEnd(() => ResolvePath(path), path);

    /// <summary>Who is told of errors; null where nobody is.</summary>
    protected SecretUri? ResolveWebhook(SecretValue? webhook)
    {
        if (webhook is null)
            return null;
        if (Uri.TryCreate(Reveal(webhook), UriKind.Absolute, out var address))
            return new(address);
        ThrowMapped(new BackupException(FailureKind.InvalidInput, "-WebhookUri is not an address.", "Copy the whole URL of the Workflows webhook from Teams."), "WebhookUri");
        return null;
    }

    /// <summary>The file system path that a PowerShell path means; wildcards mean themselves.</summary>
    /// <exception cref="BackupException">It is on no drive, or on a drive that holds no files.</exception>
    protected string ResolvePath(string path)
    {
        ProviderInfo provider;
        string resolved;
        try
        {
            resolved = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out provider, out _);
        }
        catch (Exception e) when (e is RuntimeException or SessionStateException or NotSupportedException or ArgumentException)
        {
            throw new BackupException(FailureKind.NotFound, $"'{path}' is not a path: {e.Message}", "Check the drive's name with Get-PSDrive.", e);
        }

        return provider.Name is "FileSystem"
            ? resolved
            : throw new BackupException(FailureKind.InvalidInput, $"'{path}' is on the {provider.Name} provider, which holds no files.", "Give a path of the file system.");
    }

    /// <summary>Asks for one target. Under -WhatIf the answer is yes, and <paramref name="whatIf"/> tells the engine to plan only.</summary>
    protected bool Confirm(string target, string action, out bool whatIf)
    {
        var go = ShouldProcess($"{action}: {target}", $"{action}: {target}?", MyInvocation.MyCommand.Name, out var reason);
        whatIf = reason == ShouldProcessReason.WhatIf;
        return go || whatIf;
    }

    /// <summary>A progress bar fed by the engine.</summary>
    protected IProgress<BackupProgress> CreateProgress() => CreateProgress<BackupProgress>(
        p => new(p.Activity, p.Item, p.BytesDone, p.BytesTotal, p.ItemsDone, p.ItemsTotal));

    private AwsOptions CreateAwsOptions(AwsCredential? given)
    {
        var credential = given ?? (ProfileName is null ? SessionCredential() : null);
        return new()
        {
            ProfileName = ProfileName,
            Region = Region ?? SessionState.PSVariable.GetValue("StoredAWSRegion")?.ToString(),
            Keys = credential is null ? null : new(credential.AccessKey, credential.SecretKey, credential.SessionToken),
        };
    }

    // Set-AWSCredential leaves this behind. What is not understood is left to the SDK's own chain.
    private AwsCredential? SessionCredential()
    {
        if (SessionState.PSVariable.GetValue("StoredAWSCredentials") is not { } stored)
            return null;
        try
        {
            return AwsCredentialTransformationAttribute.Read(stored is PSObject wrapped ? wrapped.BaseObject : stored);
        }
        catch (ArgumentTransformationMetadataException e)
        {
            ThrowMapped(new BackupException(FailureKind.AuthenticationFailed, "$StoredAWSCredentials: " + e.Message, "Run Set-AWSCredential again, or give -ProfileName.", e), "StoredAWSCredentials");
            throw;
        }
    }
}
