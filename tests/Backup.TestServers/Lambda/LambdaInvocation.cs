using System.Text.Json.Nodes;

namespace Backup.TestServers.Lambda;

/// <summary>What a function answered to an event.</summary>
/// <param name="RequestId">The event's id.</param>
/// <param name="IsError">Whether it said that it failed.</param>
/// <param name="Body">The answer, or the description of the error.</param>
/// <param name="ErrorType">The header Lambda-Runtime-Function-Error-Type, or null.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record LambdaAnswer(string RequestId, bool IsError, JsonNode? Body, string? ErrorType, TimeSpan Elapsed);

/// <summary>An event that waits for a function, or is with one.</summary>
internal sealed class LambdaInvocation(string body, TimeSpan timeout)
{
    public string RequestId { get; } = Guid.NewGuid().ToString();

    public string Body => body;

    public TimeSpan Timeout => timeout;

    /// <summary>When it was handed out; null before.</summary>
    public DateTimeOffset? Started { get; set; }

    public TaskCompletionSource<LambdaAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
