using System.Text.Json.Serialization;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.Ssm;

// Names and members are those of the AWS SDK (model of 2014-11-06): https://docs.aws.amazon.com/systems-manager/latest/APIReference/.

internal sealed record SendCommandRequest
{
    public required string DocumentName { get; init; }

    public string? DocumentVersion { get; init; }

    public string? DocumentHash { get; init; }

    public string? DocumentHashType { get; init; }

    /// <summary>At most 50.</summary>
    public IReadOnlyList<string>? InstanceIds { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Parameters { get; init; }

    /// <summary>How long the command may wait to be delivered: 30 to 2,592,000. How long it may run is the document's own parameter.</summary>
    public int? TimeoutSeconds { get; init; }

    public string? Comment { get; init; }

    public string? OutputS3BucketName { get; init; }

    public string? OutputS3KeyPrefix { get; init; }

    public string? MaxConcurrency { get; init; }

    public string? MaxErrors { get; init; }

    public CloudWatchOutputConfig? CloudWatchOutputConfig { get; init; }
}

internal sealed record CloudWatchOutputConfig
{
    public string? CloudWatchLogGroupName { get; init; }

    public bool? CloudWatchOutputEnabled { get; init; }
}

internal sealed record SendCommandResponse
{
    public Command? Command { get; init; }
}

internal sealed record Command
{
    public string? CommandId { get; init; }

    public string? DocumentName { get; init; }

    public string? DocumentVersion { get; init; }

    public string? Comment { get; init; }

    public DateTimeOffset? ExpiresAfter { get; init; }

    public IReadOnlyList<string>? InstanceIds { get; init; }

    public DateTimeOffset? RequestedDateTime { get; init; }

    public string? Status { get; init; }

    public string? StatusDetails { get; init; }

    public int? TargetCount { get; init; }

    public int? CompletedCount { get; init; }

    public int? ErrorCount { get; init; }

    public int? DeliveryTimedOutCount { get; init; }
}

internal sealed record ListCommandInvocationsRequest
{
    public string? CommandId { get; init; }

    public string? InstanceId { get; init; }

    /// <summary>With the plugins' results.</summary>
    public bool? Details { get; init; }

    /// <summary><c>InvokedAfter</c>, <c>InvokedBefore</c> (ISO 8601, UTC) or <c>Status</c>.</summary>
    public IReadOnlyList<CommandFilter>? Filters { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

internal sealed record CommandFilter
{
    [JsonPropertyName("key")]
    public required string Key { get; init; }

    [JsonPropertyName("value")]
    public required string Value { get; init; }
}

internal sealed record ListCommandInvocationsResponse
{
    public IReadOnlyList<CommandInvocation>? CommandInvocations { get; init; }

    public string? NextToken { get; init; }
}

internal sealed record CommandInvocation
{
    public string? CommandId { get; init; }

    public string? InstanceId { get; init; }

    public string? InstanceName { get; init; }

    public string? Comment { get; init; }

    public string? DocumentName { get; init; }

    public string? DocumentVersion { get; init; }

    public DateTimeOffset? RequestedDateTime { get; init; }

    public string? Status { get; init; }

    public string? StatusDetails { get; init; }

    public string? StandardOutputUrl { get; init; }

    public string? StandardErrorUrl { get; init; }

    public IReadOnlyList<CommandPlugin>? CommandPlugins { get; init; }
}

internal sealed record CommandPlugin
{
    public string? Name { get; init; }

    public string? Status { get; init; }

    public string? StatusDetails { get; init; }

    public int? ResponseCode { get; init; }

    public DateTimeOffset? ResponseStartDateTime { get; init; }

    public DateTimeOffset? ResponseFinishDateTime { get; init; }

    /// <summary>The first 2,500 characters of its output.</summary>
    public string? Output { get; init; }

    public string? StandardOutputUrl { get; init; }

    public string? StandardErrorUrl { get; init; }
}

internal sealed record GetCommandInvocationRequest
{
    public required string CommandId { get; init; }

    public required string InstanceId { get; init; }

    /// <summary>Needed where the document has several steps.</summary>
    public string? PluginName { get; init; }
}

internal sealed record GetCommandInvocationResponse
{
    public string? CommandId { get; init; }

    public string? InstanceId { get; init; }

    public string? DocumentName { get; init; }

    public string? DocumentVersion { get; init; }

    public string? PluginName { get; init; }

    /// <summary>The exit code; -1 before the end.</summary>
    public int? ResponseCode { get; init; }

    /// <summary>ISO 8601, or empty.</summary>
    public string? ExecutionStartDateTime { get; init; }

    /// <summary>An ISO 8601 duration, or empty.</summary>
    public string? ExecutionElapsedTime { get; init; }

    /// <summary>ISO 8601, or empty.</summary>
    public string? ExecutionEndDateTime { get; init; }

    public string? Status { get; init; }

    public string? StatusDetails { get; init; }

    /// <summary>The first 24,000 characters.</summary>
    public string? StandardOutputContent { get; init; }

    public string? StandardOutputUrl { get; init; }

    /// <summary>The first 8,000 characters.</summary>
    public string? StandardErrorContent { get; init; }

    public string? StandardErrorUrl { get; init; }
}

internal sealed record CancelCommandRequest
{
    public required string CommandId { get; init; }

    public IReadOnlyList<string>? InstanceIds { get; init; }
}

internal sealed record CancelCommandResponse;

internal sealed record DescribeInstanceInformationRequest
{
    public IReadOnlyList<InstanceInformationStringFilter>? Filters { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

internal sealed record InstanceInformationStringFilter
{
    public required string Key { get; init; }

    public required IReadOnlyList<string> Values { get; init; }
}

internal sealed record DescribeInstanceInformationResponse
{
    public IReadOnlyList<InstanceInformation>? InstanceInformationList { get; init; }

    public string? NextToken { get; init; }
}

internal sealed record InstanceInformation
{
    public string? InstanceId { get; init; }

    /// <summary>Online, ConnectionLost or Inactive.</summary>
    public string? PingStatus { get; init; }

    public DateTimeOffset? LastPingDateTime { get; init; }

    public string? AgentVersion { get; init; }

    /// <summary>Windows, Linux or MacOS.</summary>
    public string? PlatformType { get; init; }

    public string? PlatformName { get; init; }

    public string? PlatformVersion { get; init; }

    public string? ComputerName { get; init; }

    public string? ResourceType { get; init; }
}

internal sealed record GetParameterRequest
{
    public required string Name { get; init; }

    public bool? WithDecryption { get; init; }
}

// Not a record: a record prints its members.
internal sealed class GetParameterResponse
{
    public Parameter? Parameter { get; init; }
}

internal sealed class Parameter
{
    public string? Name { get; init; }

    public string? Type { get; init; }

    public string? Value { get; init; }

    public long? Version { get; init; }

    public DateTimeOffset? LastModifiedDate { get; init; }

    public string? ARN { get; init; }
}

internal sealed record CreateDocumentRequest
{
    public required string Name { get; init; }

    public required string Content { get; init; }

    public string? DisplayName { get; init; }

    public string? VersionName { get; init; }

    /// <summary>Command, Automation …</summary>
    public string? DocumentType { get; init; }

    /// <summary>YAML, JSON or TEXT.</summary>
    public string? DocumentFormat { get; init; }

    public string? TargetType { get; init; }

    public IReadOnlyList<Tag>? Tags { get; init; }
}

internal sealed record Tag
{
    public required string Key { get; init; }

    public required string Value { get; init; }
}

internal sealed record CreateDocumentResponse
{
    public DocumentDescription? DocumentDescription { get; init; }
}

internal sealed record UpdateDocumentRequest
{
    public required string Name { get; init; }

    public required string Content { get; init; }

    public string? DisplayName { get; init; }

    public string? VersionName { get; init; }

    /// <summary>The version to build on: <c>$LATEST</c>.</summary>
    public string? DocumentVersion { get; init; }

    public string? DocumentFormat { get; init; }

    public string? TargetType { get; init; }
}

internal sealed record UpdateDocumentResponse
{
    public DocumentDescription? DocumentDescription { get; init; }
}

internal sealed record UpdateDocumentDefaultVersionRequest
{
    public required string Name { get; init; }

    public required string DocumentVersion { get; init; }
}

internal sealed record UpdateDocumentDefaultVersionResponse
{
    public DocumentDefaultVersionDescription? Description { get; init; }
}

internal sealed record DocumentDefaultVersionDescription
{
    public string? Name { get; init; }

    public string? DefaultVersion { get; init; }

    public string? DefaultVersionName { get; init; }
}

internal sealed record DescribeDocumentRequest
{
    public required string Name { get; init; }

    public string? DocumentVersion { get; init; }

    public string? VersionName { get; init; }
}

internal sealed record DescribeDocumentResponse
{
    public DocumentDescription? Document { get; init; }
}

internal sealed record DocumentDescription
{
    public string? Name { get; init; }

    public string? DisplayName { get; init; }

    public string? VersionName { get; init; }

    public string? Owner { get; init; }

    public DateTimeOffset? CreatedDate { get; init; }

    public string? Status { get; init; }

    public string? StatusInformation { get; init; }

    public string? DocumentVersion { get; init; }

    public string? Description { get; init; }

    public IReadOnlyList<DocumentParameter>? Parameters { get; init; }

    public IReadOnlyList<string>? PlatformTypes { get; init; }

    public string? DocumentType { get; init; }

    public string? SchemaVersion { get; init; }

    public string? LatestVersion { get; init; }

    public string? DefaultVersion { get; init; }

    public string? DocumentFormat { get; init; }

    public string? TargetType { get; init; }

    /// <summary>The content's hash.</summary>
    public string? Hash { get; init; }

    public string? HashType { get; init; }

    public IReadOnlyList<Tag>? Tags { get; init; }
}

internal sealed record DocumentParameter
{
    public string? Name { get; init; }

    public string? Type { get; init; }

    public string? Description { get; init; }

    public string? DefaultValue { get; init; }
}

internal sealed record ListTagsForResourceRequest
{
    /// <summary>Document, Parameter …</summary>
    public required string ResourceType { get; init; }

    public required string ResourceId { get; init; }
}

internal sealed record ListTagsForResourceResponse
{
    public IReadOnlyList<Tag>? TagList { get; init; }
}

internal sealed record AddTagsToResourceRequest
{
    /// <summary>Document, Parameter …</summary>
    public required string ResourceType { get; init; }

    public required string ResourceId { get; init; }

    public required IReadOnlyList<Tag> Tags { get; init; }
}

internal sealed record AddTagsToResourceResponse;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(EpochSecondsConverter)])]
[JsonSerializable(typeof(SendCommandRequest))]
[JsonSerializable(typeof(SendCommandResponse))]
[JsonSerializable(typeof(ListCommandInvocationsRequest))]
[JsonSerializable(typeof(ListCommandInvocationsResponse))]
[JsonSerializable(typeof(GetCommandInvocationRequest))]
[JsonSerializable(typeof(GetCommandInvocationResponse))]
[JsonSerializable(typeof(CancelCommandRequest))]
[JsonSerializable(typeof(CancelCommandResponse))]
[JsonSerializable(typeof(DescribeInstanceInformationRequest))]
[JsonSerializable(typeof(DescribeInstanceInformationResponse))]
[JsonSerializable(typeof(GetParameterRequest))]
[JsonSerializable(typeof(GetParameterResponse))]
[JsonSerializable(typeof(CreateDocumentRequest))]
[JsonSerializable(typeof(CreateDocumentResponse))]
[JsonSerializable(typeof(UpdateDocumentRequest))]
[JsonSerializable(typeof(UpdateDocumentResponse))]
[JsonSerializable(typeof(UpdateDocumentDefaultVersionRequest))]
[JsonSerializable(typeof(UpdateDocumentDefaultVersionResponse))]
[JsonSerializable(typeof(ListTagsForResourceRequest))]
[JsonSerializable(typeof(ListTagsForResourceResponse))]
[JsonSerializable(typeof(AddTagsToResourceRequest))]
[JsonSerializable(typeof(AddTagsToResourceResponse))]
[JsonSerializable(typeof(DescribeDocumentRequest))]
[JsonSerializable(typeof(DescribeDocumentResponse))]
internal sealed partial class SsmJson : JsonSerializerContext;
