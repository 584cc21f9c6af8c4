using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Aws.Api;

/// <summary>Every service here is signed with SigV4.</summary>
internal sealed class AwsApiAuthHandler : BaseAuthResolverHandler
{
    protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => AuthSchemeOption.DEFAULT_SIGV4;
}

/// <summary>Takes the endpoint from the configuration, whatever the operation.</summary>
internal sealed class AwsApiEndpointHandler : BaseEndpointResolver
{
    protected override void ServiceSpecificHandler(IExecutionContext executionContext, EndpointParameters parameters)
    {
    }

    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext) => new();
}

/// <summary>Stands within the retries, so it sees every attempt: keeps the rate, heeds Retry-After, and lets go of what must not be sent twice.</summary>
internal sealed class AwsApiAttemptHandler(AwsService service, AwsClientOptions options) : PipelineHandler
{
    /// <summary>The longest that a service is obeyed.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(2);

    public override void InvokeSync(IExecutionContext executionContext) => throw new NotSupportedException("Requests are asynchronous here.");

    public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
    {
        var context = executionContext.RequestContext;
        var request = (AwsApiRequest)context.OriginalRequest;
        var rate = options.Rates?.Invoke(request.Operation);
        if (rate is not null)
            await rate.WaitAsync(context.CancellationToken);
        try
        {
            return await base.InvokeAsync<T>(executionContext);
        }
        catch (Exception exception) when (!context.CancellationToken.IsCancellationRequested)
        {
            var error = (exception as AwsApiSdkException)?.Error;
            options.Logger?.LogDebug("{Service} {Operation}, attempt {Attempt}: {Reason}", service.ServiceId, request.Operation, context.Retries + 1, error?.Code ?? exception.GetType().Name);
            if (request.OnlyOnce && MayHaveArrived(exception))
            {
                // Neither this type nor a cause of its own is one that the SDK sends again.
                throw new BackupException(
                    FailureKind.Unavailable,
                    $"It is not known whether {service.ServiceId} received {request.Operation}: {exception.Message}",
                    "Look up what it did before it is asked again.");
            }

            if (error?.RetryAfter is { } pause)
                await PauseAsync(pause < MaxRetryAfter ? pause : MaxRetryAfter, rate, context.CancellationToken);
            throw;
        }
    }

    // Where all requests of a rate are held, the next attempt waits with them.
    private async Task PauseAsync(TimeSpan pause, RateLimit? rate, CancellationToken cancellationToken)
    {
        if (rate is not null)
            rate.Pause(pause);
        else
            await Task.Delay(pause, options.Time, cancellationToken);
    }

    private static bool MayHaveArrived(Exception exception) => exception switch
    {
        // It did not get so far as to be sent.
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError } => false,
        AmazonServiceException sdk when (int)sdk.StatusCode is >= 400 and < 500 => false,
        AmazonServiceException sdk when AwsFailures.KindOf(sdk.ErrorCode ?? "", (int)sdk.StatusCode) == FailureKind.Throttled => false,
        AmazonServiceException or HttpRequestException or IOException or TimeoutException or OperationCanceledException => true,
        _ => false,
    };
}
