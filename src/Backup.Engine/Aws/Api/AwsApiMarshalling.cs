using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace Backup.Engine.Aws.Api;

/// <summary>Lets a call write its own request.</summary>
internal sealed class AwsApiMarshaller(string signingName) : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var request = new DefaultRequest(input, signingName) { HttpMethod = "POST", ResourcePath = "/" };
        ((AwsApiRequest)input).Write(request);
        return request;
    }
}

/// <summary>Lets a call read its own answer. The context's stream is plain bytes, so it serves XML as well.</summary>
internal sealed class AwsApiUnmarshaller<T>(AwsApiCall<T> call) : JsonResponseUnmarshaller
{
    public override bool HasStreamingProperty => call.IsStreaming;

    public override AmazonWebServiceResponse Unmarshall(JsonUnmarshallerContext context) =>
        new AwsApiResponse<T> { Value = call.Read(context.Stream, context.ResponseData) };

    public override AmazonServiceException UnmarshallException(JsonUnmarshallerContext context, Exception innerException, System.Net.HttpStatusCode statusCode) =>
        AwsApiError.Read(context.Stream, context.ResponseData, statusCode).ToSdk(innerException);

    // Where the answer is an error its body is small, and read whole.
    protected override bool ShouldReadEntireResponse(IWebResponseData response, bool readEntireResponse) => readEntireResponse && !call.IsStreaming;
}
