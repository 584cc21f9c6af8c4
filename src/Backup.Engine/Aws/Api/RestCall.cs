using Amazon.Runtime.Internal;

namespace Backup.Engine.Aws.Api;

/// <summary>A request in rest-json.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path; a label in it, such as <c>{backupJobId}</c>, is filled in from the labels.</param>
internal sealed record RestCall(string Method, string Path)
{
    private readonly List<KeyValuePair<string, string>> _query = [];

    /// <summary>The path's labels.</summary>
    public Dictionary<string, string> Labels { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Headers beyond those that every request has.</summary>
    public Dictionary<string, string> Headers { get; init; } = new(StringComparer.Ordinal);

    /// <summary>A JSON document, or null.</summary>
    public byte[]? Json { get; init; }

    /// <summary>A body of bytes, or null. It must be seekable, so that it can be sent again.</summary>
    public Stream? Body { get; init; }

    /// <summary>Adds a query parameter where it has a value.</summary>
    public RestCall With(string name, string? value)
    {
        if (value is not null)
            _query.Add(new(name, value));
        return this;
    }

    /// <summary>Writes it into the SDK's request.</summary>
    public void Write(DefaultRequest request)
    {
        request.HttpMethod = Method;
        request.ResourcePath = Path;
        foreach (var (name, value) in Labels)
            request.AddPathResource("{" + name + "}", value);
        foreach (var (name, value) in _query)
            request.Parameters[name] = value;
        request.UseQueryString = true;
        foreach (var (name, value) in Headers)
            request.Headers[name] = value;
        if (Json is not null)
        {
            request.Headers["Content-Type"] = "application/json";
            request.Content = Json;
        }
        else if (Body is not null)
        {
            request.Headers["Content-Type"] = "application/octet-stream";
            request.ContentStream = Body;
        }
    }
}
