using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;

namespace Backup.Engine.Aws.Api;

/// <summary>The SDK's configuration of a service that has no package here: it brings the environment, the profile, retries and endpoint variables.</summary>
internal sealed class AwsApiConfig : ClientConfig
{
    /// <summary>Creates the configuration; nothing is resolved yet.</summary>
    public AwsApiConfig(AwsService service, AwsClientOptions options)
        : base(new DefaultConfigurationProvider([new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard }]))
    {
        (Service, Options) = (service, options);
        ServiceId = service.ServiceId;
        AuthenticationServiceName = service.SigningName ?? service.EndpointPrefix;
        // The base of the pipeline's endpoint resolver needs one.
        EndpointProvider = new Provider(this);
        DisableLogging = true;
        Timeout = options.Timeout;
        ConnectTimeout = TimeSpan.FromSeconds(10);
        if (options.MaxAttempts is { } attempts)
            MaxErrorRetry = attempts - 1;
    }

    /// <summary>The service.</summary>
    public AwsService Service { get; }

    /// <summary>How its requests are sent.</summary>
    public AwsClientOptions Options { get; }

    /// <inheritdoc/>
    public override string RegionEndpointServiceName => Service.EndpointPrefix;

    /// <inheritdoc/>
    public override string ServiceVersion => Service.ApiVersion;

    /// <inheritdoc/>
    public override string UserAgent { get; } = $"AtlassianBackup/{ProductVersion.Current}";

    /// <inheritdoc/>
    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) => Determine();

    // Every partition names its hosts the same way: https://docs.aws.amazon.com/general/latest/gr/rande.html.
    private Endpoint Determine()
    {
        if (ServiceURL is { Length: > 0 } url)
            return new(url);
        if (Service.IsGlobal)
            return new(GlobalEndpoint(Service.EndpointPrefix, RegionEndpoint));
        var prefix = Service.EndpointPrefix + (UseFIPSEndpoint ? "-fips" : "");
        var suffix = UseDualstackEndpoint ? DualStackSuffix(RegionEndpoint) : RegionEndpoint.PartitionDnsSuffix;
        return new($"https://{prefix}.{RegionEndpoint.SystemName}.{suffix}");
    }

    /// <summary>The region that a global service's requests are signed for (https://docs.aws.amazon.com/general/latest/gr/iam-service.html).</summary>
    public static string GlobalRegion(RegionEndpoint region) => region.PartitionName switch
    {
        "aws" => "us-east-1",
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => region.SystemName,
    };

    private static string GlobalEndpoint(string prefix, RegionEndpoint region) => region.PartitionName switch
    {
        "aws" => $"https://{prefix}.amazonaws.com",
        "aws-us-gov" => $"https://{prefix}.us-gov.amazonaws.com",
        _ => $"https://{prefix}.{GlobalRegion(region)}.{region.PartitionDnsSuffix}",
    };

    private static string DualStackSuffix(RegionEndpoint region) => region.PartitionName is "aws-cn" ? "api.amazonwebservices.com.cn" : "api.aws";

    private sealed class Provider(AwsApiConfig config) : IEndpointProvider
    {
        public Endpoint ResolveEndpoint(EndpointParameters parameters) => config.Determine();
    }
}
