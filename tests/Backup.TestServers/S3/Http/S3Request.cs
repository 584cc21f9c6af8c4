using System.Globalization;
using System.Text;
using Backup.TestServers.S3.Auth;
using Microsoft.AspNetCore.Http.Features;

namespace Backup.TestServers.S3.Http;

/// <summary>A request taken apart from its raw target: bucket, key, query, operation.</summary>
internal sealed class S3Request
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private S3Request(HttpContext http, string rawPath, string rawQuery)
    {
        Http = http;
        RawPath = rawPath;
        RawQuery = rawQuery;
        Query = ParseQuery(rawQuery);
    }

    public HttpContext Http { get; }

    public string Method => Http.Request.Method;

    public bool IsTls => Http.Request.IsHttps;

    public string RawPath { get; }

    public string RawQuery { get; }

    public IReadOnlyDictionary<string, string> Query { get; }

    public string? Bucket { get; private set; }

    public string? Key { get; private set; }

    public string Operation { get; private set; } = "Unknown";

    public string? VersionId => Query.GetValueOrDefault("versionId");

    public string? UploadId => Query.GetValueOrDefault("uploadId");

    public int? PartNumber =>
        int.TryParse(Query.GetValueOrDefault("partNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static S3Request Parse(HttpContext http)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (Uri.TryCreate(target, UriKind.Absolute, out var absolute) && absolute.Scheme.StartsWith("http", StringComparison.Ordinal))
            target = absolute.PathAndQuery;
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var request = new S3Request(http, mark < 0 ? target : target[..mark], mark < 0 ? "" : target[(mark + 1)..]);
        request.Address();
        request.Operation = OperationNames.Of(request);
        return request;
    }

    public string? Header(string name) => Http.Request.Headers.TryGetValue(name, out var value) && value.Count > 0 ? value.ToString() : null;

    public bool Has(string parameter) => Query.ContainsKey(parameter);

    public IEnumerable<KeyValuePair<string, string>> HeadersStarting(string prefix) => Http.Request.Headers
        .Where(h => h.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
        .Select(h => KeyValuePair.Create(h.Key.ToLowerInvariant(), h.Value.ToString()));

    private void Address()
    {
        var path = RawPath.TrimStart('/').Length == RawPath.Length ? RawPath : RawPath[1..];
        var bucket = VirtualHostBucket(Http.Request.Host.Host);
        if (bucket is null)
        {
            var slash = path.IndexOf('/', StringComparison.Ordinal);
            bucket = Text(slash < 0 ? path : path[..slash]);
            path = slash < 0 ? "" : path[(slash + 1)..];
        }

        Bucket = bucket.Length is 0 ? null : bucket;
        Key = path.Length is 0 || Bucket is null ? null : Text(path);
    }

    private static string? VirtualHostBucket(string host)
    {
        if (host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
            return host[..^".localhost".Length];
        var dot = host.IndexOf(".s3.", StringComparison.OrdinalIgnoreCase);
        return dot > 0 ? host[..dot] : null;
    }

    private static string Text(string raw)
    {
        try
        {
            return StrictUtf8.GetString(UriText.Decode(raw, plusIsSpace: false));
        }
        catch (DecoderFallbackException)
        {
            throw new S3Error(400, "InvalidURI", "Couldn't parse the specified URI.");
        }
    }

    private static Dictionary<string, string> ParseQuery(string raw)
    {
        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in raw.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? pair : pair[..equals];
            query[Encoding.UTF8.GetString(UriText.Decode(name, plusIsSpace: true))] =
                equals < 0 ? "" : Encoding.UTF8.GetString(UriText.Decode(pair.AsSpan(equals + 1), plusIsSpace: true));
        }

        return query;
    }
}
