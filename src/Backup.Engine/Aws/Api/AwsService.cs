namespace Backup.Engine.Aws.Api;

/// <summary>One AWS service, in the words of its published model.</summary>
/// <param name="ServiceId">Its id: it names the endpoint variable, <c>AWS_ENDPOINT_URL_{ID}</c>, and the key in a profile's <c>services</c>.</param>
/// <param name="EndpointPrefix">What its host names begin with.</param>
/// <param name="ApiVersion">The version of its API.</param>
/// <param name="SigningName">The service in the signature's scope, where it is not the prefix.</param>
internal sealed record AwsService(string ServiceId, string EndpointPrefix, string ApiVersion, string? SigningName = null)
{
    /// <summary>It has one endpoint a partition, and not one a region.</summary>
    public bool IsGlobal { get; init; }
}
