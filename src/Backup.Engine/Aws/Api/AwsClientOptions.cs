using Microsoft.Extensions.Logging;

namespace Backup.Engine.Aws.Api;

/// <summary>How a client of an AWS service sends its requests.</summary>
internal sealed record AwsClientOptions
{
    /// <summary>
    /// Credentials and region. Its <see cref="AwsOptions.EndpointUrl"/> is S3's and is not used:
    /// another service's endpoint is AWS's own, or what AWS_ENDPOINT_URL_{SERVICE}, AWS_ENDPOINT_URL or the profile say.
    /// </summary>
    public AwsOptions Aws { get; init; } = new();

    /// <summary>An endpoint in place of all that, or null.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Where each attempt is logged.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The clock of what is waited for here.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The rate to keep each operation below, by its name; null for none.</summary>
    public Func<string, RateLimit?>? Rates { get; init; }

    /// <summary>How often a request is tried; null for what AWS_MAX_ATTEMPTS or the profile say, or 3.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>How long the service may take to begin an answer, and then to give it; what is streamed has no such end.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);
}
