namespace Backup.Engine.Aws;

/// <summary>How AWS, or an S3-compatible endpoint, is reached. What is null comes from the SDK's own chain.</summary>
public sealed record AwsOptions
{
    /// <summary>A profile of the shared configuration or credentials file.</summary>
    public string? ProfileName { get; init; }

    /// <summary>The region, such as <c>eu-central-1</c>.</summary>
    public string? Region { get; init; }

    /// <summary>The endpoint of an S3-compatible store; null for AWS, or what AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL say.</summary>
    public Uri? EndpointUrl { get; init; }

    /// <summary>Keys given by hand, or null.</summary>
    public AwsKeys? Keys { get; init; }
}
