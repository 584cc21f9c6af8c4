using System.Text;
using System.Text.Json;

namespace Backup.TestServers.Aws;

/// <summary>One request to an AWS service, read whole.</summary>
public sealed class AwsRequest
{
    public required string Method { get; init; }

    /// <summary>The path as sent, escapes included.</summary>
    public required string RawPath { get; init; }

    /// <summary>The query as sent, without its question mark.</summary>
    public required string RawQuery { get; init; }

    /// <summary>All headers, names in lower case.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public required byte[] Body { get; init; }

    /// <summary>The access key of the signature; null where there is none.</summary>
    public string? AccessKey { get; init; }

    /// <summary>The region of the signature's scope.</summary>
    public string? Region { get; init; }

    /// <summary>The service of the signature's scope.</summary>
    public string? Service { get; init; }

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement.Clone();

    /// <summary>Query parameters, decoded.</summary>
    public IReadOnlyDictionary<string, string> Query => Pairs(RawQuery);

    /// <summary>Form fields, decoded.</summary>
    public IReadOnlyDictionary<string, string> Form => Pairs(Text);

    /// <summary>X-Amz-Target's operation, the form's Action, or method and path.</summary>
    public string Operation =>
        Headers.TryGetValue("x-amz-target", out var target) ? target[(target.LastIndexOf('.') + 1)..]
        : Headers.GetValueOrDefault("content-type", "").StartsWith("application/x-www-form-urlencoded", StringComparison.Ordinal) && Form.TryGetValue("Action", out var action) ? action
        : $"{Method} {RawPath}";

    private static Dictionary<string, string> Pairs(string text) => text.Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2))
        .ToDictionary(pair => Uri.UnescapeDataString(pair[0].Replace('+', ' ')), pair => pair.Length < 2 ? "" : Uri.UnescapeDataString(pair[1].Replace('+', ' ')), StringComparer.Ordinal);
}
