using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;

namespace Backup.Engine.Aws.Api;

/// <summary>An error as a service says it, in JSON or in XML.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The service's own word; where it said none, one that fits the status.</param>
/// <param name="Message">The service's own sentence, or null.</param>
/// <param name="RequestId">The request's id, for AWS's support.</param>
/// <param name="Reason">The closer reason that some errors carry, such as <c>CANNOT_PARSE</c> of a ValidationException, or the kind of resource that was not found.</param>
/// <param name="RetryAfter">How long the service asked to wait.</param>
internal sealed record AwsApiError(HttpStatusCode Status, string Code, string? Message, string? RequestId, string? Reason, TimeSpan? RetryAfter)
{
    private const int MaxBody = 64 * 1024;

    /// <summary>
    /// Reads an error. Where the code is: header <c>x-amzn-ErrorType</c> up to a colon, else <c>__type</c> or <c>code</c> after a hash sign
    /// (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization); in XML <c>Errors/Error/Code</c>.
    /// </summary>
    public static AwsApiError Read(Stream body, IWebResponseData response, HttpStatusCode status)
    {
        var text = ReadStart(body);
        var (code, message, reason, id) = text.AsSpan().TrimStart().StartsWith("<", StringComparison.Ordinal) ? ReadXml(text) : ReadJson(text);
        if (Header(response, "x-amzn-ErrorType") is { } type)
            code = type;
        return new(
            status,
            Clean(code) ?? FromStatus(status),
            message,
            Header(response, "x-amzn-RequestId") ?? Header(response, "x-amz-request-id") ?? id,
            reason,
            ParseRetryAfter(Header(response, "Retry-After")));
    }

    /// <summary>The exception that the SDK's retries understand.</summary>
    public AmazonServiceException ToSdk(Exception inner) => new AwsApiSdkException(this, inner);

    private static (string? Code, string? Message, string? Reason, string? RequestId) ReadJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return default;
            string? Find(params ReadOnlySpan<string> names)
            {
                foreach (var name in names)
                {
                    if (document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String)
                        return value.GetString();
                }

                return null;
            }

            return (Find("__type", "code", "Code"), Find("message", "Message", "errorMessage"), Find("reason", "Reason", "resourceType"), null);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static (string? Code, string? Message, string? Reason, string? RequestId) ReadXml(string text)
    {
        try
        {
            var leaves = XDocument.Parse(text).Descendants().Where(e => !e.HasElements)
                .GroupBy(e => e.Name.LocalName, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First().Value, StringComparer.Ordinal);
            return (leaves.GetValueOrDefault("Code"), leaves.GetValueOrDefault("Message"), null, leaves.GetValueOrDefault("RequestID") ?? leaves.GetValueOrDefault("RequestId"));
        }
        catch (XmlException)
        {
            // An HTML page of a proxy or a gateway: the status says it.
            return default;
        }
    }

    private static string ReadStart(Stream body)
    {
        using var reader = new StreamReader(body, leaveOpen: true);
        var buffer = new char[MaxBody];
        return new(buffer, 0, reader.ReadBlock(buffer));
    }

    private static string? Header(IWebResponseData response, string name) =>
        response.IsHeaderPresent(name) && response.GetHeaderValue(name) is { Length: > 0 } value ? value : null;

    private static string? Clean(string? code)
    {
        if (string.IsNullOrWhiteSpace(code))
            return null;
        code = code[(code.LastIndexOf('#') + 1)..];
        var colon = code.IndexOf(':', StringComparison.Ordinal);
        return (colon < 0 ? code : code[..colon]).Trim();
    }

    private static TimeSpan? ParseRetryAfter(string? value) => value switch
    {
        null => null,
        _ when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) => TimeSpan.FromSeconds(seconds),
        _ when DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out var date) && date > DateTimeOffset.UtcNow => date - DateTimeOffset.UtcNow,
        _ => null,
    };

    private static string FromStatus(HttpStatusCode status) => (int)status switch
    {
        401 => "UnrecognizedClientException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        409 => "ConflictException",
        429 => "TooManyRequestsException",
        503 => "ServiceUnavailable",
        >= 500 => "InternalFailure",
        _ => status.ToString(),
    };
}

/// <summary>An error on its way through the SDK's pipeline.</summary>
internal sealed class AwsApiSdkException(AwsApiError error, Exception? inner)
    : AmazonServiceException(error.Message ?? error.Code, inner, (int)error.Status >= 500 ? ErrorType.Receiver : ErrorType.Sender, error.Code, error.RequestId, error.Status)
{
    public AwsApiError Error => error;
}
