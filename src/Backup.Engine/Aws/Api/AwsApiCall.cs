using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace Backup.Engine.Aws.Api;

/// <summary>One request and how its answer is read.</summary>
/// <param name="Operation">The operation, as the service's model names it.</param>
/// <param name="Write">Puts method, path, parameters and body into the request.</param>
/// <param name="Read">Reads the answer's body and headers.</param>
internal sealed record AwsApiCall<T>(string Operation, Action<DefaultRequest> Write, Func<Stream, IWebResponseData, T> Read)
{
    /// <summary>The body is handed on as it arrives.</summary>
    public bool IsStreaming { get; init; }

    /// <summary>
    /// Sending it twice would do it twice. It is then not sent again where it may have arrived: after a lost connection or a server's failure.
    /// </summary>
    public bool OnlyOnce { get; init; }
}

/// <summary>The call in the shape that the SDK's pipeline takes.</summary>
internal sealed class AwsApiRequest(string operation, bool onlyOnce, bool isStreaming, Action<DefaultRequest> write) : AmazonWebServiceRequest
{
    public string Operation => operation;

    public bool OnlyOnce => onlyOnce;

    public bool IsStreaming => isStreaming;

    public Action<DefaultRequest> Write => write;
}

/// <summary>The answer in the shape that the SDK's pipeline takes.</summary>
internal sealed class AwsApiResponse<T> : AmazonWebServiceResponse
{
    public T Value { get; init; } = default!;
}

/// <summary>A body that is read as it arrives, with its headers. Whoever gets it disposes of it.</summary>
/// <param name="Content">The body.</param>
/// <param name="Length">Its length, where the service said it.</param>
/// <param name="Headers">The headers, by name in any case.</param>
internal sealed record AwsApiStream(Stream Content, long? Length, IReadOnlyDictionary<string, string> Headers) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}
