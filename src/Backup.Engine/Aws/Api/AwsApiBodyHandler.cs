using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.EventStreams;
using Amazon.Runtime.Internal.Transform;

namespace Backup.Engine.Aws.Api;

/// <summary>
/// Reads an answer whole before it is looked at, with the caller's token and within the call's time. The SDK itself reads it without either,
/// so that a service which stops in the middle of an answer would hold a caller who has long given up.
/// </summary>
internal sealed class AwsApiBodyHandler(TimeSpan timeout) : PipelineHandler
{
    public override void InvokeSync(IExecutionContext executionContext) => throw new NotSupportedException("Requests are asynchronous here.");

    public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
    {
        var context = executionContext.RequestContext;
        try
        {
            var result = await base.InvokeAsync<T>(executionContext);
            if (!((AwsApiRequest)context.OriginalRequest).IsStreaming)
                executionContext.ResponseContext.HttpResponse = await ReadAsync(executionContext.ResponseContext.HttpResponse, context.CancellationToken);
            return result;
        }
        catch (HttpErrorResponseException exception)
        {
            throw new HttpErrorResponseException(exception.Message, exception.InnerException, await ReadAsync(exception.Response, context.CancellationToken));
        }
    }

    private async Task<IWebResponseData> ReadAsync(IWebResponseData response, CancellationToken cancellationToken)
    {
        var whole = new MemoryStream();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(timeout);
        try
        {
            using var body = response.ResponseBody;
            await using var stream = await body.OpenResponseAsync();
            await stream.CopyToAsync(whole, patience.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The answer stopped for {timeout.TotalSeconds:0} s.", exception);
        }

        whole.Position = 0;
        return new WholeResponse(response, whole);
    }

    private sealed class WholeResponse(IWebResponseData response, MemoryStream body) : IWebResponseData, IHttpResponseBody
    {
        public long ContentLength => body.Length;

        public string ContentType => response.ContentType;

        public System.Net.HttpStatusCode StatusCode => response.StatusCode;

        public bool IsSuccessStatusCode => response.IsSuccessStatusCode;

        public IHttpResponseBody ResponseBody => this;

        public string[] GetHeaderNames() => response.GetHeaderNames();

        public bool IsHeaderPresent(string headerName) => response.IsHeaderPresent(headerName);

        public string GetHeaderValue(string headerName) => response.GetHeaderValue(headerName);

        public bool IsEventHeaderPresent(string eventHeaderName) => response.IsEventHeaderPresent(eventHeaderName);

        public IEventStreamHeader GetEventStreamHeader(string headerName) => response.GetEventStreamHeader(headerName);

        public Stream OpenResponse() => body;

        public Task<Stream> OpenResponseAsync() => Task.FromResult<Stream>(body);

        public void Dispose()
        {
        }
    }
}
