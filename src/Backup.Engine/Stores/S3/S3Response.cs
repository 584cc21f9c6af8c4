using System.Globalization;
using System.Net;
using System.Text;

namespace Backup.Engine.Stores.S3;

/// <summary>A successful answer of S3. Its body is in <see cref="Body"/>, or, where the request streams, still to be read.</summary>
internal sealed class S3Response(HttpResponseMessage message, byte[] body) : IDisposable
{
    public HttpStatusCode Status => message.StatusCode;

    /// <summary>The body; empty where the request streams.</summary>
    public byte[] Body { get; } = body;

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>The length of the body that is to be read.</summary>
    public long? ContentLength => message.Content.Headers.ContentLength;

    /// <summary>The size of the whole object, behind a range too.</summary>
    public long ObjectSize => message.Content.Headers.ContentRange?.Length ?? ContentLength ?? 0;

    public DateTimeOffset LastModified => message.Content.Headers.LastModified ?? message.Headers.Date ?? DateTimeOffset.UnixEpoch;

    /// <summary>The entity tag without quotes.</summary>
    public string? ETag => Header("ETag")?.Trim('"');

    public string? VersionId => Header("x-amz-version-id") is { } id && id != "null" ? id : null;

    // Not validated: they are compared and kept as they came, and taking each apart costs more than hashing a small file.
    public string? Header(string name) =>
        message.Headers.NonValidated.TryGetValues(name, out var values) || message.Content.Headers.NonValidated.TryGetValues(name, out values) ? values.ToString() : null;

    public IReadOnlyDictionary<string, string> Metadata()
    {
        const string prefix = "x-amz-meta-";
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, values) in message.Headers.NonValidated)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                metadata[name[prefix.Length..].ToLower(CultureInfo.InvariantCulture)] = S3Encoding.FromMetadata(values.First());
        }

        return metadata;
    }

    public Stream OpenBody(CancellationToken cancellationToken) => message.Content.ReadAsStream(cancellationToken);

    public void Dispose() => message.Dispose();
}
