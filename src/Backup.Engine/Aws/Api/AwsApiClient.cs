using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace Backup.Engine.Aws.Api;

/// <summary>
/// Speaks to any AWS service in rest-json, json-1.1 or ec2-query, on the pipeline of AWSSDK.Core: credentials, signatures, retries with
/// backoff, clock skew, proxies and endpoint variables are the SDK's. The services' own SDK packages are not needed.
/// </summary>
internal sealed class AwsApiClient : AmazonServiceClient
{
    private readonly AwsService _service;
    private readonly AwsSession _session;
    private readonly AwsApiMarshaller _marshaller;

    private readonly CurrentCredentials _credentials;

    private AwsApiClient(AwsService service, AwsSession session, CurrentCredentials credentials, AwsApiConfig config)
        : base(credentials, config)
    {
        (_service, _session, _credentials) = (service, session, credentials);
        _marshaller = new(config.AuthenticationServiceName);
    }

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where no region is known.</exception>
    public static AwsApiClient Create(AwsService service, AwsClientOptions options)
    {
        var config = new AwsApiConfig(service, options);
        var session = new AwsSession(options.Aws with { EndpointUrl = options.Endpoint }, config);
        if (service.IsGlobal && config.ServiceURL is null)
            config.AuthenticationRegion = AwsApiConfig.GlobalRegion(config.RegionEndpoint);
        return new(service, session, new CurrentCredentials(), config);
    }

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _session.Region;

    /// <summary>Where requests go.</summary>
    public Uri Endpoint => new(((AwsApiConfig)Config).DetermineServiceOperationEndpoint(null!).URL);

    /// <summary>Sends a call and reads its answer.</summary>
    /// <exception cref="BackupException">Every failure: <see cref="AwsServiceException"/> where the service answered.</exception>
    public async Task<T> SendAsync<T>(AwsApiCall<T> call, CancellationToken cancellationToken)
    {
        for (var renewed = false; ; renewed = true)
        {
            var keys = await _session.GetKeysAsync(cancellationToken);
            _credentials.Keys = keys;
            try
            {
                var request = new AwsApiRequest(call.Operation, call.OnlyOnce, call.IsStreaming, call.Write);
                var invoke = new InvokeOptions { RequestMarshaller = _marshaller, ResponseUnmarshaller = new AwsApiUnmarshaller<T>(call) };
                return (await InvokeAsync<AwsApiResponse<T>>(request, invoke, cancellationToken)).Value;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
            catch (Exception exception)
            {
                var failure = AwsFailures.From(exception, _service, call.Operation, Endpoint);
                // Keys that expired on the way were refused, so nothing was done with them.
                if (renewed || failure.Kind != FailureKind.CredentialsExpired || !await _session.RefreshAsync(keys, cancellationToken))
                    throw failure;
            }
        }
    }

    /// <summary>A call in json-1.1: the target and a JSON document, to the root.</summary>
    public Task<TOut> JsonAsync<TIn, TOut>(string prefix, string operation, TIn input, JsonTypeInfo<TIn> inputType, JsonTypeInfo<TOut> outputType, CancellationToken cancellationToken, bool onlyOnce = false) =>
        SendAsync(
            new AwsApiCall<TOut>(
                operation,
                request =>
                {
                    request.Headers["X-Amz-Target"] = $"{prefix}.{operation}";
                    request.Headers["Content-Type"] = "application/x-amz-json-1.1";
                    request.Content = JsonSerializer.SerializeToUtf8Bytes(input, inputType);
                },
                (body, response) => ReadJson(body, response, outputType))
            { OnlyOnce = onlyOnce },
            cancellationToken);

    /// <summary>A call in rest-json: method, path and query, and perhaps a JSON document.</summary>
    public Task<TOut> RestAsync<TOut>(string operation, RestCall rest, JsonTypeInfo<TOut> outputType, CancellationToken cancellationToken) =>
        SendAsync(new AwsApiCall<TOut>(operation, rest.Write, (body, response) => ReadJson(body, response, outputType)), cancellationToken);

    /// <summary>A call in rest-json whose answer is bytes.</summary>
    public Task<AwsApiStream> RestStreamAsync(string operation, RestCall rest, CancellationToken cancellationToken) =>
        SendAsync(
            new AwsApiCall<AwsApiStream>(
                operation,
                rest.Write,
                static (body, response) => new(body, response.ContentLength >= 0 ? response.ContentLength : null, response.GetHeaderNames().ToDictionary(name => name, response.GetHeaderValue, StringComparer.OrdinalIgnoreCase)))
            { IsStreaming = true },
            cancellationToken);

    /// <summary>A call in ec2-query: a form to the root, an XML document back.</summary>
    public Task<TOut> QueryAsync<TOut>(string action, QueryForm form, Func<XElement, TOut> read, CancellationToken cancellationToken) =>
        SendAsync(
            new AwsApiCall<TOut>(
                action,
                request =>
                {
                    request.Parameters["Action"] = action;
                    request.Parameters["Version"] = _service.ApiVersion;
                    foreach (var (name, value) in form.Fields)
                        request.Parameters[name] = value;
                },
                (body, _) => read(XDocument.Load(body).Root!)),
            cancellationToken);

    /// <inheritdoc/>
    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        // The base builds its pipeline before this class is constructed, so what is needed is in the configuration.
        var config = (AwsApiConfig)Config;
        pipeline.RemoveHandler<Amazon.Runtime.Internal.EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new AwsApiEndpointHandler());
        pipeline.AddHandlerAfter<Marshaller>(new AwsApiAuthHandler());
        pipeline.AddHandlerAfter<RetryHandler>(new AwsApiAttemptHandler(config.Service, config.Options));
        pipeline.AddHandlerAfter<Unmarshaller>(new AwsApiBodyHandler(config.Options.Timeout));
    }

    private static TOut ReadJson<TOut>(Stream body, IWebResponseData response, JsonTypeInfo<TOut> type)
    {
        // Operations without output answer with an empty body, or with none that is JSON.
        var text = new MemoryStream();
        body.CopyTo(text);
        var json = text.Length == 0 ? "{}"u8 : text.GetBuffer().AsSpan(0, (int)text.Length);
        try
        {
            return JsonSerializer.Deserialize(json, type)!;
        }
        catch (JsonException exception)
        {
            // Only the place: what stands there may be a secret.
            throw new BackupException(FailureKind.Unavailable, $"The answer ({(int)response.StatusCode}, {response.ContentType}) is not what the service documents (at {exception.Path}, byte {exception.BytePositionInLine}).", "Check the endpoint and the proxy.");
        }
    }

    // The signer asks for keys without awaiting, so they are fetched before each call: the session caches them, and renews them in time.
    private sealed class CurrentCredentials : AWSCredentials
    {
        public ImmutableCredentials? Keys { get; set; }

        public override ImmutableCredentials GetCredentials() => Keys!;
    }
}
