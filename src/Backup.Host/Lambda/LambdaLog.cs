using System.Text.Json.Nodes;
using Backup.Engine;
using Backup.Host.Output;
using Microsoft.Extensions.Logging;

namespace Backup.Host.Lambda;

/// <summary>A function's log: one line of JSON an event on standard output, which Lambda hands to CloudWatch Logs.</summary>
internal sealed class LambdaLog(TimeProvider time)
{
    /// <summary>Whose lines these are; null outside of an invocation.</summary>
    public string? RequestId { get; set; }

    /// <summary>The engine's own warnings and decisions; requests and retries are left out.</summary>
    public CallbackLogger Logger => new((int)LogLevel.Information, (level, message) => Write((LogLevel)level, message));

    /// <summary>Writes a line.</summary>
    public void Write(LogLevel level, string message, object? result = null)
    {
        var line = new JsonObject
        {
            ["time"] = time.GetUtcNow().ToString("O"),
            ["level"] = level.ToString(),
        };
        if (RequestId is not null)
            line["requestId"] = RequestId;
        line["message"] = message;
        if (result is not null)
            line["result"] = ResultJson.ToObject(result);
        Console.Out.WriteLine(ResultJson.ToLine(line));
    }

    /// <summary>Writes what failed.</summary>
    public void Write(BackupException failure) => Write(LogLevel.Error, failure.Message, new Error(failure.Kind, failure.Message, failure.Advice));
}
