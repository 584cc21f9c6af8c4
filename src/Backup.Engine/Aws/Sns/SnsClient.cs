using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.Sns;

/// <summary>Amazon SNS: the operations that the module uses, named as the AWS SDK names them (https://docs.aws.amazon.com/sns/latest/api/).</summary>
internal sealed class SnsClient : IDisposable
{
    /// <summary>The service.</summary>
    public static AwsService Service { get; } = new("SNS", "sns", "2010-03-31");

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public SnsClient(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>Publishes a message; its id.</summary>
    public Task<string?> PublishAsync(PublishRequest request, CancellationToken cancellationToken = default) => _api.QueryAsync(
        "Publish",
        new QueryForm()
            .With("TopicArn", request.TopicArn)
            .With("Subject", request.Subject)
            .With("Message", request.Message)
            .With("MessageGroupId", request.MessageGroupId)
            .With("MessageDeduplicationId", request.MessageDeduplicationId),
        e => e.Descendants().FirstOrDefault(child => child.Name.LocalName is "MessageId")?.Value,
        cancellationToken);

    /// <summary>Finds out whether a topic is there and may be looked at. It changes nothing.</summary>
    public Task<bool> GetTopicAttributesAsync(string topicArn, CancellationToken cancellationToken = default) =>
        _api.QueryAsync("GetTopicAttributes", new QueryForm().With("TopicArn", topicArn), static _ => true, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();
}

/// <summary>A message. A subject has 100 ASCII characters at the most and no line break, a message 256 KiB.</summary>
internal sealed record PublishRequest
{
    public required string TopicArn { get; init; }

    public string? Subject { get; init; }

    public required string Message { get; init; }

    /// <summary>FIFO topics need one.</summary>
    public string? MessageGroupId { get; init; }

    public string? MessageDeduplicationId { get; init; }
}
