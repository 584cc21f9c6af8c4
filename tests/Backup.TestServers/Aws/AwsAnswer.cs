using System.Text;
using System.Text.Json.Nodes;

namespace Backup.TestServers.Aws;

/// <summary>What an AWS service answers.</summary>
public sealed record AwsAnswer
{
    public int Status { get; init; } = 200;

    public string ContentType { get; init; } = "application/x-amz-json-1.1";

    public byte[] Body { get; init; } = [];

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The connection is cut instead.</summary>
    public bool Reset { get; init; }

    /// <summary>The body is cut after this many bytes, and the connection with it.</summary>
    public int? CutAfter { get; init; }

    /// <summary>With <see cref="CutAfter"/>: what the cut waits for.</summary>
    public Task CutWhen { get; init; } = Task.CompletedTask;

    public static AwsAnswer Json(string text, int status = 200) => new() { Body = Encoding.UTF8.GetBytes(text), Status = status };

    public static AwsAnswer Xml(string text, int status = 200) => new() { Body = Encoding.UTF8.GetBytes(text), Status = status, ContentType = "text/xml;charset=UTF-8" };

    /// <summary>An error in json-1.1: <c>__type</c> in the body.</summary>
    public static AwsAnswer Error(int status, string code, string message) =>
        Json(new JsonObject { ["__type"] = code, ["message"] = message }.ToJsonString(), status);

    public AwsAnswer With(string header, string value) => this with { Headers = new Dictionary<string, string>(Headers, StringComparer.Ordinal) { [header] = value } };
}
