using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Stores.S3;

/// <summary>One request to S3, as it is signed and as often sent as needed.</summary>
/// <param name="method">The HTTP method.</param>
/// <param name="key">The whole object key, or null for the bucket itself.</param>
internal sealed class S3Request(HttpMethod method, string? key)
{
    public HttpMethod Method { get; } = method;

    public string? Key { get; } = key;

    /// <summary>Query parameters. A sub-resource such as <c>uploads</c> has an empty value.</summary>
    public List<(string Name, string Value)> Query { get; } = [];

    /// <summary>Headers to sign and send: lower-case names.</summary>
    public List<(string Name, string Value)> Headers { get; } = [];

    /// <summary>The object data to send, or null.</summary>
    public PartBuffer? Part { get; init; }

    /// <summary>A small body to send, or null.</summary>
    public byte[]? Body { get; init; }

    /// <summary>SHA-256 of what is sent, where it is known already.</summary>
    public string? PayloadSha256 { get; set; }

    /// <summary>Signs the payload even over TLS.</summary>
    public bool SignPayload { get; init; }

    /// <summary>That what is sent does not arrive whole is the answer that is wanted: it is not sent again for that.</summary>
    public bool IsProbe { get; init; }

    /// <summary>Leaves the response's body to the caller.</summary>
    public bool Streams { get; init; }

    /// <summary>How long the answer may take once everything is sent, where it is not the ordinary time.</summary>
    public TimeSpan? AnswerTimeout { get; init; }

    public S3Request With(string name, string? value)
    {
        if (value is not null)
            Headers.Add((name, value));
        return this;
    }

    public S3Request Ask(string name, string value = "")
    {
        Query.Add((name, value));
        return this;
    }
}
