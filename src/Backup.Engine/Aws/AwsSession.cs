using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;

namespace Backup.Engine.Aws;

/// <summary>Credentials, region and endpoint, resolved once from the options and the SDK's own chain.</summary>
internal sealed class AwsSession
{
    private readonly AwsOptions _options;
    private readonly ClientConfig _config;
    private readonly SemaphoreSlim _refresh = new(1, 1);
    private AWSCredentials? _credentials;

    /// <summary>Creates the session for one service. Nothing is resolved or contacted yet.</summary>
    /// <param name="options">What the user gave.</param>
    /// <param name="config">The service's SDK configuration, which knows the service's endpoint variables. It is completed here.</param>
    /// <param name="credentials">Credentials in place of those that the chain finds, or null.</param>
    public AwsSession(AwsOptions options, ClientConfig config, AWSCredentials? credentials = null)
    {
        _credentials = credentials;
        _options = options;
        _config = config;
        if (options.ProfileName is { } profile)
            config.Profile = new Profile(profile);
        if (options.EndpointUrl is { } url)
            config.ServiceURL = url.AbsoluteUri;

        Endpoint = config.ServiceURL is { Length: > 0 } serviceUrl ? new Uri(serviceUrl) : null;
        // Setting ServiceURL clears RegionEndpoint in the SDK, so the region is kept apart and given back for signing.
        Region = options.Region ?? ResolveRegion(config) ?? (Endpoint is null ? null : "us-east-1")
            ?? throw new BackupException(FailureKind.InvalidInput, "No AWS region is set.", "Give -Region, set AWS_REGION, or set a region in the profile.");
        if (Endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(Region);
        }
        else
        {
            config.ServiceURL = Endpoint.AbsoluteUri;
            config.AuthenticationRegion = Region;
        }
    }

    /// <summary>The region that requests are signed for.</summary>
    public string Region { get; }

    /// <summary>The endpoint that was given by option, environment or profile; null means AWS's own.</summary>
    public Uri? Endpoint { get; }

    /// <summary>Whether endpoints that are validated for FIPS 140 are asked for (<c>AWS_USE_FIPS_ENDPOINT</c>, or the profile).</summary>
    public bool IsFips => _config.UseFIPSEndpoint;

    /// <summary>Whether endpoints that IPv6 reaches are asked for (<c>AWS_USE_DUALSTACK_ENDPOINT</c>, or the profile).</summary>
    public bool IsDualStack => _config.UseDualstackEndpoint;

    /// <summary>The keys to sign with. They are refreshed by the SDK before they expire.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.AuthenticationFailed"/> where the chain finds none.</exception>
    public async ValueTask<ImmutableCredentials> GetKeysAsync(CancellationToken cancellationToken)
    {
        return await KeysOfAsync(await GetCredentialsAsync(cancellationToken));
    }

    private async Task<ImmutableCredentials> KeysOfAsync(AWSCredentials credentials)
    {
        try
        {
            return await credentials.GetCredentialsAsync();
        }
        // Each source of credentials fails with exceptions of its own: a process, a file, a web service.
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw NoCredentials(exception);
        }
    }

    /// <summary>The SDK's credentials, for its own clients.</summary>
    public async ValueTask<AWSCredentials> GetCredentialsAsync(CancellationToken cancellationToken)
    {
        if (_credentials is { } known)
            return known;
        await _refresh.WaitAsync(cancellationToken);
        try
        {
            return _credentials ??= await ResolveAsync(cancellationToken);
        }
        finally
        {
            _refresh.Release();
        }
    }

    /// <summary>After the service said that the keys have expired: drops what is cached, and says whether other keys came of it.</summary>
    public async Task<bool> RefreshAsync(ImmutableCredentials expired, CancellationToken cancellationToken)
    {
        if (_options.Keys is not null)
            return false;
        await _refresh.WaitAsync(cancellationToken);
        try
        {
            // Of many requests that fail together the first renews them for all.
            if (_credentials is { } current && Differs(await KeysOfAsync(current), expired))
                return true;
            if (_credentials is RefreshingAWSCredentials refreshing)
                refreshing.ClearCredentials();
            else
                _credentials = await ResolveAsync(cancellationToken);
        }
        finally
        {
            _refresh.Release();
        }

        return Differs(await GetKeysAsync(cancellationToken), expired);
    }

    private static bool Differs(ImmutableCredentials now, ImmutableCredentials expired) =>
        !string.Equals(now.Token, expired.Token, StringComparison.Ordinal) || !string.Equals(now.AccessKey, expired.AccessKey, StringComparison.Ordinal);

    private static string? ResolveRegion(ClientConfig config)
    {
        // As for the AWS CLI: the environment, then the profile that was named. What the configuration knows by itself is the default profile's.
        if (config.Profile is { } profile && !IsInEnvironment()
            && new Amazon.Runtime.CredentialManagement.CredentialProfileStoreChain(profile.Location).TryGetProfile(profile.Name, out var found) && found.Region is { } named)
        {
            return named.SystemName;
        }

        if (config.RegionEndpoint is { } region)
            return region.SystemName;
        // The last resort asks the instance metadata service; with an endpoint of one's own the answer would be of no use.
        return config.ServiceURL is null ? FallbackRegionFactory.GetRegionEndpoint()?.SystemName : FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName;
    }

    private static bool IsInEnvironment() =>
        Environment.GetEnvironmentVariable("AWS_REGION") is { Length: > 0 } || Environment.GetEnvironmentVariable("AWS_DEFAULT_REGION") is { Length: > 0 };

    private async Task<AWSCredentials> ResolveAsync(CancellationToken cancellationToken)
    {
        if (_options.Keys is { } keys)
            return keys.SessionToken is null ? new BasicAWSCredentials(keys.AccessKey, keys.SecretKey) : new SessionAWSCredentials(keys.AccessKey, keys.SecretKey, keys.SessionToken);
        try
        {
            using var resolver = new DefaultAWSCredentialsIdentityResolver();
            return await resolver.ResolveIdentityAsync(_config, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw NoCredentials(exception);
        }
    }

    private BackupException NoCredentials(Exception exception) => new(
        FailureKind.AuthenticationFailed,
        _options.ProfileName is { } profile ? $"The profile '{profile}' gives no AWS credentials." : "No AWS credentials were found.",
        "Give -ProfileName or -Credential, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run 'aws configure' or 'aws sso login'.",
        exception);
}
