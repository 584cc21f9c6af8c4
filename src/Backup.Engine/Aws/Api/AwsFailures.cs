using System.Net.Sockets;
using Amazon.Runtime;

namespace Backup.Engine.Aws.Api;

/// <summary>What the engine calls the failures of AWS services.</summary>
internal static class AwsFailures
{
    /// <summary>The engine's word for a service's error code.</summary>
    public static FailureKind KindOf(string code, int status) => code switch
    {
        // https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html and each service's own list.
        "UnrecognizedClientException" or "InvalidClientTokenId" or "InvalidAccessKeyId" or "AuthFailure" or "SignatureDoesNotMatch" or "InvalidSignatureException"
            or "MissingAuthenticationToken" or "MissingAuthenticationTokenException" or "IncompleteSignature" or "IncompleteSignatureException" or "NotAuthorized" => FailureKind.AuthenticationFailed,
        "ExpiredToken" or "ExpiredTokenException" or "RequestExpired" or "TokenRefreshRequired" => FailureKind.CredentialsExpired,
        "AccessDenied" or "AccessDeniedException" or "UnauthorizedOperation" or "OptInRequired" => FailureKind.PermissionDenied,
        "Throttling" or "ThrottlingException" or "ThrottledException" or "RequestLimitExceeded" or "TooManyRequestsException" or "RequestThrottled"
            or "RequestThrottledException" or "SlowDown" => FailureKind.Throttled,
        "ParameterNotFound" or "ResourceNotFoundException" or "InvocationDoesNotExist" or "InvalidInstanceID.NotFound" or "DocumentNotFound" => FailureKind.NotFound,
        "ConflictException" or "AlreadyExistsException" or "DocumentAlreadyExists" or "ResourceExistsException" => FailureKind.AlreadyExists,
        "ServiceQuotaExceededException" or "LimitExceededException" or "DocumentLimitExceeded" => FailureKind.NoSpace,
        "RequestTimeout" or "RequestTimeoutException" => FailureKind.TimedOut,
        _ when status == 429 => FailureKind.Throttled,
        _ when status >= 500 => FailureKind.Unavailable,
        _ when code.EndsWith("NotFound", StringComparison.Ordinal) || code.EndsWith("NotFoundException", StringComparison.Ordinal) => FailureKind.NotFound,
        _ when status is >= 400 and < 500 => FailureKind.InvalidInput,
        _ => FailureKind.Unknown,
    };

    /// <summary>The failure that anything thrown by the pipeline amounts to.</summary>
    public static BackupException From(Exception exception, AwsService service, string operation, Uri endpoint)
    {
        switch (exception)
        {
            case BackupException known:
                return known;
            // The SDK wraps what reading the answer threw.
            case AmazonUnmarshallingException { InnerException: BackupException unread }:
                return unread;
            case AwsApiSdkException { Error: var error }:
                return From(error, service, operation, exception.InnerException);
            // The SDK's own words for signing, credentials and endpoints.
            case AmazonServiceException { ErrorCode: { Length: > 0 } code } sdk:
                return From(new(sdk.StatusCode, code, sdk.Message, sdk.RequestId, null, null), service, operation, sdk);
            case OperationCanceledException or TimeoutException:
                return new(FailureKind.TimedOut, $"{service.ServiceId} at {endpoint.Host} did not answer {operation} in time.", "Run again later, and check the network.", exception);
        }

        var socket = Find<SocketException>(exception);
        return Find<HttpRequestException>(exception) is { } http
            ? new(FailureKind.Unavailable, $"{service.ServiceId} at {endpoint.Host} cannot be reached ({socket?.SocketErrorCode.ToString() ?? http.HttpRequestError.ToString()}).", "Check the network, the region and the proxy.", exception)
            : exception is IOException
            ? new(FailureKind.Unavailable, $"The connection to {service.ServiceId} at {endpoint.Host} was lost during {operation}.", "Run again.", exception)
            : new BackupException(FailureKind.Unknown, $"{service.ServiceId} {operation} failed: {exception.Message}", null, exception);
    }

    private static AwsServiceException From(AwsApiError error, AwsService service, string operation, Exception? inner)
    {
        var kind = KindOf(error.Code, (int)error.Status);
        var said = error.Message is { Length: > 0 } message ? $"{error.Code}: {message.TrimEnd('.')}" : $"{error.Code}, {(int)error.Status}";
        return new(kind, $"{service.ServiceId} {operation} {Verb(kind)} ({said}).", Advice(kind, service, operation), inner)
        {
            Service = service.ServiceId,
            Operation = operation,
            ErrorCode = error.Code,
            StatusCode = error.Status,
            RequestId = error.RequestId,
            Reason = error.Reason,
            RetryAfter = error.RetryAfter,
            ServiceMessage = error.Message,
        };
    }

    private static string Verb(FailureKind kind) => kind switch
    {
        FailureKind.Unavailable => "could not be served",
        FailureKind.Throttled => "was throttled, and went on being",
        _ => "was refused",
    };

    private static string? Advice(FailureKind kind, AwsService service, string operation) => kind switch
    {
        FailureKind.AuthenticationFailed => "Check the access key and its secret, -ProfileName and the clock.",
        FailureKind.CredentialsExpired => "Sign in again ('aws sso login') or renew the keys, then run again.",
        FailureKind.PermissionDenied => $"Allow {service.SigningName ?? service.EndpointPrefix}:{operation} in the credentials' policy.",
        FailureKind.NotFound => "Check the names, -Region, and the account that the credentials belong to.",
        FailureKind.Throttled or FailureKind.Unavailable or FailureKind.TimedOut => "Run again later.",
        FailureKind.NoSpace => "Ask for a higher quota, or remove what is no longer needed.",
        _ => null,
    };

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
                return found;
        }

        return null;
    }
}
