using System.Net;

namespace Backup.Engine.Aws;

/// <summary>An AWS service refused a request, or could not serve it.</summary>
public sealed class AwsServiceException : BackupException
{
    internal AwsServiceException(FailureKind kind, string message, string? advice, Exception? inner)
        : base(kind, message, advice, inner)
    {
    }

    /// <summary>The service, by its id in AWS's models: <c>SSM</c>, <c>EC2</c>, <c>Backup</c>, <c>codeartifact</c>, <c>Secrets Manager</c>.</summary>
    public required string Service { get; init; }

    /// <summary>The operation, such as <c>SendCommand</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>The service's own word for the error, such as <c>InvalidInstanceId</c>.</summary>
    public required string ErrorCode { get; init; }

    /// <summary>The HTTP status.</summary>
    public HttpStatusCode StatusCode { get; init; }

    /// <summary>The request's id, for AWS's support.</summary>
    public string? RequestId { get; init; }

    /// <summary>The closer reason that some errors carry, such as the kind of resource that was not found.</summary>
    public string? Reason { get; init; }

    /// <summary>How long the service asked to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The service's own sentence.</summary>
    public string? ServiceMessage { get; init; }
}
