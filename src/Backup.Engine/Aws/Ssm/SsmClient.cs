using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.Ssm;

/// <summary>AWS Systems Manager: the operations that the module uses, named as the AWS SDK names them.</summary>
internal sealed class SsmClient : IDisposable
{
    /// <summary>The service.</summary>
    public static AwsService Service { get; } = new("SSM", "ssm", "2014-11-06");

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public SsmClient(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _api.Region;

    /// <summary>
    /// Has a document run on instances. It has no token of its own, so where it is unknown whether the service received it, it is not sent again:
    /// that ends as <see cref="FailureKind.Unavailable"/>.
    /// </summary>
    public Task<SendCommandResponse> SendCommandAsync(SendCommandRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("SendCommand", request, SsmJson.Default.SendCommandRequest, SsmJson.Default.SendCommandResponse, cancellationToken, onlyOnce: true);

    /// <summary>What became of a command on each instance.</summary>
    public IAsyncEnumerable<CommandInvocation> ListCommandInvocationsAsync(ListCommandInvocationsRequest request, CancellationToken cancellationToken = default) => Paging.ReadAsync(
        (token, stop) => CallAsync("ListCommandInvocations", request with { NextToken = token ?? request.NextToken }, SsmJson.Default.ListCommandInvocationsRequest, SsmJson.Default.ListCommandInvocationsResponse, stop),
        page => page.CommandInvocations,
        page => page.NextToken,
        cancellationToken);

    /// <summary>What became of a command on one instance, with its output. In the first seconds it is <c>InvocationDoesNotExist</c>.</summary>
    public Task<GetCommandInvocationResponse> GetCommandInvocationAsync(GetCommandInvocationRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("GetCommandInvocation", request, SsmJson.Default.GetCommandInvocationRequest, SsmJson.Default.GetCommandInvocationResponse, cancellationToken);

    /// <summary>Stops a command.</summary>
    public Task<CancelCommandResponse> CancelCommandAsync(CancelCommandRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("CancelCommand", request, SsmJson.Default.CancelCommandRequest, SsmJson.Default.CancelCommandResponse, cancellationToken);

    /// <summary>The instances whose agent is known.</summary>
    public IAsyncEnumerable<InstanceInformation> DescribeInstanceInformationAsync(DescribeInstanceInformationRequest request, CancellationToken cancellationToken = default) => Paging.ReadAsync(
        (token, stop) => CallAsync("DescribeInstanceInformation", request with { NextToken = token ?? request.NextToken }, SsmJson.Default.DescribeInstanceInformationRequest, SsmJson.Default.DescribeInstanceInformationResponse, stop),
        page => page.InstanceInformationList,
        page => page.NextToken,
        cancellationToken);

    /// <summary>A parameter's value.</summary>
    public Task<GetParameterResponse> GetParameterAsync(GetParameterRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("GetParameter", request, SsmJson.Default.GetParameterRequest, SsmJson.Default.GetParameterResponse, cancellationToken);

    /// <summary>Creates a document.</summary>
    public Task<CreateDocumentResponse> CreateDocumentAsync(CreateDocumentRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("CreateDocument", request, SsmJson.Default.CreateDocumentRequest, SsmJson.Default.CreateDocumentResponse, cancellationToken);

    /// <summary>Adds a version to a document; the default version stays what it was.</summary>
    public Task<UpdateDocumentResponse> UpdateDocumentAsync(UpdateDocumentRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("UpdateDocument", request, SsmJson.Default.UpdateDocumentRequest, SsmJson.Default.UpdateDocumentResponse, cancellationToken);

    /// <summary>Chooses a document's default version.</summary>
    public Task<UpdateDocumentDefaultVersionResponse> UpdateDocumentDefaultVersionAsync(UpdateDocumentDefaultVersionRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("UpdateDocumentDefaultVersion", request, SsmJson.Default.UpdateDocumentDefaultVersionRequest, SsmJson.Default.UpdateDocumentDefaultVersionResponse, cancellationToken);

    /// <summary>A document's versions, parameters and hash.</summary>
    public Task<DescribeDocumentResponse> DescribeDocumentAsync(DescribeDocumentRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("DescribeDocument", request, SsmJson.Default.DescribeDocumentRequest, SsmJson.Default.DescribeDocumentResponse, cancellationToken);

    /// <summary>The tags of a document, or of another resource.</summary>
    public Task<ListTagsForResourceResponse> ListTagsForResourceAsync(ListTagsForResourceRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("ListTagsForResource", request, SsmJson.Default.ListTagsForResourceRequest, SsmJson.Default.ListTagsForResourceResponse, cancellationToken);

    /// <summary>Adds tags, or gives those that are there another value.</summary>
    public Task<AddTagsToResourceResponse> AddTagsToResourceAsync(AddTagsToResourceRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("AddTagsToResource", request, SsmJson.Default.AddTagsToResourceRequest, SsmJson.Default.AddTagsToResourceResponse, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();

    private Task<TOut> CallAsync<TIn, TOut>(string operation, TIn input, JsonTypeInfo<TIn> inputType, JsonTypeInfo<TOut> outputType, CancellationToken cancellationToken, bool onlyOnce = false) =>
        _api.JsonAsync("AmazonSSM", operation, input, inputType, outputType, cancellationToken, onlyOnce);
}
