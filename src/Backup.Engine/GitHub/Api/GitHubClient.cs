using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Http;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>
/// GitHub's REST API. Every request passes the governor; next links are followed on the configured origin only; redirects are followed
/// by <see cref="HttpSender"/>, which keeps the token from other origins.
/// </summary>
internal sealed class GitHubClient : IDisposable
{
    /// <summary>The header that pins the version of the API.</summary>
    public const string VersionHeader = "X-GitHub-Api-Version";

    /// <summary>The version that is asked for.</summary>
    public const string ApiVersion = "2022-11-28";

    /// <summary>As many as a page can have.</summary>
    public const int PageSize = 100;

    private const long MaxBody = 64L << 20;
    private const int MaxRefusals = 8;

    private readonly GitHubConnection _connection;
    private readonly HttpSender _http;
    private readonly TimeProvider _time;
    private readonly ILogger? _logger;

    /// <summary>Makes a client.</summary>
    public GitHubClient(GitHubConnection connection, TimeProvider time, ILogger? logger, HttpOptions? http = null)
    {
        connection.Check();
        (_connection, _time, _logger) = (connection, time, logger);
        Governor = new(connection.MaxConcurrency, connection.WritesPerMinute, time, logger);
        _http = new((http ?? new()) with
        {
            Decompression = DecompressionMethods.All,
            // Whoever is asked to wait tells the governor, so that all wait.
            LongestRetryAfter = TimeSpan.Zero,
            Time = time,
            Logger = logger,
        });
        Tokens = new(connection, _http, time);
    }

    public GitHubConnection Connection => _connection;

    public RequestGovernor Governor { get; }

    public GitHubTokens Tokens { get; }

    /// <summary>Told of each operation that is sent.</summary>
    public Action<Operation>? Sent { get; init; }

    /// <summary>Gets one document.</summary>
    public async Task<T> GetAsync<T>(Operation operation, IReadOnlyList<object> values, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(operation, Address(operation, values), null, null, cancellationToken);
        await ThrowIfFailedAsync(response, Thing(operation, values), cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return await DeserializeAsync(body, type, operation, cancellationToken);
    }

    /// <summary>Gets one page of a list, or one document as a page of its own.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="values">What its path is filled with.</param>
    /// <param name="address">Where it is: the first page's address, or the next link of the page before.</param>
    /// <param name="etag">What the page was when it was last seen: the answer may then be that it still is, which costs nothing.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<GitHubPage> GetPageAsync(Operation operation, IReadOnlyList<object> values, Uri address, string? etag, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(operation, address, null, etag, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotModified)
            return new(null, null, etag, true, response.Headers.Date ?? _time.GetUtcNow());
        await ThrowIfFailedAsync(response, Thing(operation, values), cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(body, default, cancellationToken);
        }
        catch (JsonException exception)
        {
            throw NotUnderstood(operation, exception);
        }

        return new(document, NextOf(response), response.Headers.ETag?.ToString(), false, response.Headers.Date ?? _time.GetUtcNow());
    }

    /// <summary>Gets all items of a list, page by page.</summary>
    public async IAsyncEnumerable<JsonElement> ListAsync(Operation operation, IReadOnlyList<object> values, string query, string? property, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var next = Address(operation, values, query); next is not null;)
        {
            using var page = await GetPageAsync(operation, values, next, null, cancellationToken);
            foreach (var item in page.Items(operation, property))
                yield return item;
            next = page.Next;
        }
    }

    /// <summary>Sends a document and gets one back.</summary>
    public async Task<JsonElement> WriteAsync(Operation operation, IReadOnlyList<object> values, JsonObject body, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body);
        using var response = await SendAsync(
            operation,
            Address(operation, values),
            () => new ByteArrayContent(bytes) { Headers = { ContentType = new("application/json") } },
            null,
            cancellationToken);
        await ThrowIfFailedAsync(response, Thing(operation, values), cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        try
        {
            using var document = await JsonDocument.ParseAsync(stream, default, cancellationToken);
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw NotUnderstood(operation, exception);
        }
    }

    /// <summary>Uploads a release's asset.</summary>
    /// <param name="values">Owner, repository, release.</param>
    /// <param name="asset">Its name, label and type.</param>
    /// <param name="open">Opens its bytes, for each attempt anew.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task UploadAsync(IReadOnlyList<object> values, ReleaseAsset asset, Func<CancellationToken, Task<Stream>> open, long length, CancellationToken cancellationToken)
    {
        var operation = Operation.UploadReleaseAsset;
        var query = $"?name={Uri.EscapeDataString(asset.Name)}" + (asset.Label is { Length: > 0 } label ? $"&label={Uri.EscapeDataString(label)}" : "");
        var address = new Uri(_connection.UploadUri, operation.Path(values) + query);
        await using var content = await open(cancellationToken);
        using var response = await SendAsync(
            operation,
            address,
            () => new StreamContent(content) { Headers = { ContentType = MediaTypeHeaderValue.TryParse(asset.ContentType, out var type) ? type : new("application/octet-stream"), ContentLength = length } },
            null,
            cancellationToken);
        await ThrowIfFailedAsync(response, $"The asset '{asset.Name}'", cancellationToken);
    }

    /// <summary>Opens a download. The caller disposes the answer and reads its body.</summary>
    public async Task<HttpResponseMessage> DownloadAsync(Operation operation, IReadOnlyList<object> values, string accept, CancellationToken cancellationToken)
    {
        var response = await SendAsync(operation, Address(operation, values), null, null, cancellationToken, accept);
        try
        {
            await ThrowIfFailedAsync(response, Thing(operation, values), cancellationToken);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>The address of an operation.</summary>
    public Uri Address(Operation operation, IReadOnlyList<object> values, string query = "") => new(_connection.BaseUri, operation.Path(values) + query);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    internal static async Task<T> DeserializeAsync<T>(Stream body, JsonTypeInfo<T> type, Operation operation, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(body, type, cancellationToken) ?? throw NotUnderstood(operation, null);
        }
        catch (JsonException exception)
        {
            throw NotUnderstood(operation, exception);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Operation operation, Uri address, Func<HttpContent>? content, string? etag, CancellationToken cancellationToken, string? accept = null)
    {
        Sent?.Invoke(operation);
        var isRenewed = false;
        for (var refusals = 0; ;)
        {
            var token = await Tokens.GetAsync(cancellationToken);
            var attempt = refusals;
            var how = new SendOptions
            {
                BufferUpTo = accept is null ? MaxBody : null,
                WaitFor = response => RateLimit.WaitOf(response, attempt, _time.GetUtcNow()),
            };
            HttpResponseMessage response;
            using (await Governor.EnterAsync(operation.IsWrite, cancellationToken))
                response = await _http.SendAsync(() => Request(operation.Method, address, token, content, etag, accept), how, cancellationToken);

            if (response.StatusCode == HttpStatusCode.Unauthorized && Tokens.CanRenew && !isRenewed)
            {
                isRenewed = true;
                Tokens.Forget(token);
                response.Dispose();
                continue;
            }

            if (RateLimit.WaitOf(response, refusals, _time.GetUtcNow()) is not { } wait)
            {
                if (RateLimit.UntilReset(response, _time.GetUtcNow()) is { } untilReset)
                    Governor.Pause(untilReset, "the hour's requests are used up");
                else
                    Governor.Good();
                return response;
            }

            Governor.Pause(wait, $"{(int)response.StatusCode}, {address.Host}");
            // What was sent as a stream is used up by sending.
            if (++refusals == MaxRefusals || operation == Operation.UploadReleaseAsset)
                return response;
            response.Dispose();
        }
    }

    private HttpRequestMessage Request(HttpMethod method, Uri address, string? token, Func<HttpContent>? content, string? etag, string? accept)
    {
        var request = new HttpRequestMessage(method, address) { Content = content?.Invoke() };
        request.Headers.TryAddWithoutValidation("Accept", accept ?? _connection.Accept);
        request.Headers.TryAddWithoutValidation(VersionHeader, ApiVersion);
        if (token is not null)
            request.Headers.Authorization = new(_connection.AuthorizationScheme, token);
        if (etag is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", etag);
        return request;
    }

    private static async Task ThrowIfFailedAsync(HttpResponseMessage response, string thing, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw await GitHubFailure.OfAsync(response, thing, cancellationToken);
    }

    /// <summary>The next page, where it is on the configured origin.</summary>
    private Uri? NextOf(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Link", out var values) || LinkHeader.Next(string.Join(", ", values)) is not { } link)
            return null;
        var next = new Uri(response.RequestMessage?.RequestUri ?? _connection.BaseUri, link);
        if (!SafeUri.IsSameOrigin(next, _connection.BaseUri))
        {
            throw new BackupException(
                FailureKind.Unavailable,
                $"The list at {SafeUri.Of(response.RequestMessage?.RequestUri)} goes on at {SafeUri.Of(next)}, which is another place than {SafeUri.Of(_connection.BaseUri)}. It was not followed.",
                "Give the API's own address as -ApiUri.");
        }

        return next;
    }

    private static string Thing(Operation operation, IReadOnlyList<object> values)
    {
        if (operation.Template.StartsWith("repos/", StringComparison.Ordinal))
        {
            var what = operation.Template.Split('/')[3..];
            return what.Length == 0 ? $"'{values[0]}/{values[1]}'" : $"'{values[0]}/{values[1]}' ({what[0]})";
        }

        return values.Count > 0 ? $"'{values[0]}'" : $"'/{operation.Template}'";
    }

    private static BackupException NotUnderstood(Operation operation, Exception? inner) =>
        new(FailureKind.Corrupt, $"What answered {operation} is not what GitHub's API answers.", "Check -ApiUri, and what stands between this machine and it (a sign-in page, a proxy).", inner);
}
