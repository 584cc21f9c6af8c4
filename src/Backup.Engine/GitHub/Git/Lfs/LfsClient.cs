using System.Net.Http.Headers;
using System.Text.Json;
using Backup.Engine.Http;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>
/// An LFS server: the batch API and its basic transfer (git-lfs, docs/api/batch.md and basic-transfers.md). Where an object lies is
/// the server's choice: the token goes to the repository's own origin alone, and only where the action brings no credentials of its own.
/// </summary>
internal sealed class LfsClient(HttpSender http, GitRemote remote, TimeSpan stall)
{
    /// <summary>As many as git-lfs asks for at once.</summary>
    public const int BatchSize = 100;

    private const string Batch = "/info/lfs/objects/batch";
    private const string MediaType = "application/vnd.git-lfs+json";
    private const long MaxAnswer = 16L << 20;

    /// <summary>Asks what to do for some objects, at most <see cref="BatchSize"/>.</summary>
    /// <param name="operation"><c>download</c> or <c>upload</c>.</param>
    /// <param name="objects">The objects.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<IReadOnlyDictionary<string, LfsAnswer>> AskAsync(string operation, IReadOnlyList<LfsObject> objects, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new(operation, objects), LfsJson.Default.LfsBatchRequest);
        var token = await remote.TokenAsync(cancellationToken);
        using var response = await http.SendAsync(() => Post(remote.At(Batch), body, token), new() { Repeatable = true, BufferUpTo = MaxAnswer }, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw await HttpFailure.OfAsync(response, $"The LFS server of '{remote}'", cancellationToken: cancellationToken);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            var answer = await JsonSerializer.DeserializeAsync(stream, LfsJson.Default.LfsBatchResponse, cancellationToken);
            var asked = objects.ToDictionary(item => item.Oid, StringComparer.Ordinal);
            return (answer?.Objects ?? []).Where(item => item.Oid is not null && asked.ContainsKey(item.Oid)).DistinctBy(item => item.Oid, StringComparer.Ordinal).ToDictionary(item => item.Oid, StringComparer.Ordinal);
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.Corrupt, $"The LFS server of '{remote}' does not answer as one does.", "Run again later.", exception);
        }
    }

    /// <summary>Opens an object. The caller disposes the stream.</summary>
    public async Task<Stream> OpenAsync(LfsAction action, string oid, CancellationToken cancellationToken)
    {
        var address = AddressOf(action, oid);
        var token = await TokenForAsync(address, action, cancellationToken);
        var response = await http.SendAsync(() => Request(HttpMethod.Get, address, action, token), null, cancellationToken);
        try
        {
            if (!response.IsSuccessStatusCode)
                throw await HttpFailure.OfAsync(response, $"The LFS object '{oid}' of '{remote}'", cancellationToken: cancellationToken);
            return await WatchedBody.OpenAsync(response, $"The LFS object '{oid}' of '{remote}'", stall, cancellationToken);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Sends an object.</summary>
    /// <param name="actions">What the server asked for.</param>
    /// <param name="item">The object.</param>
    /// <param name="openAsync">Opens its bytes, once for each attempt.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task UploadAsync(LfsActions actions, LfsObject item, Func<Task<Stream>> openAsync, CancellationToken cancellationToken)
    {
        if (actions.Upload is { } upload)
        {
            var address = AddressOf(upload, item.Oid);
            var token = await TokenForAsync(address, upload, cancellationToken);
            await using var bytes = await openAsync();
            using var response = await http.SendAsync(
                () =>
                {
                    var request = Request(HttpMethod.Put, address, upload, token);
                    request.Content = new StreamContent(bytes);
                    request.Content.Headers.ContentLength = item.Size;
                    request.Content.Headers.ContentType = new(Header(upload, "Content-Type") ?? "application/octet-stream");
                    return request;
                },
                // Its bytes are read from the store once; the caller begins anew.
                new() { Repeatable = false },
                cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw await HttpFailure.OfAsync(response, $"The LFS object '{item.Oid}'", cancellationToken: cancellationToken);
        }

        if (actions.Verify is { } verify)
        {
            var address = AddressOf(verify, item.Oid);
            var token = await TokenForAsync(address, verify, cancellationToken);
            var body = JsonSerializer.SerializeToUtf8Bytes(item, LfsJson.Default.LfsObject);
            using var response = await http.SendAsync(
                () =>
                {
                    var request = Post(address, body, token);
                    AddHeaders(request, verify);
                    return request;
                },
                new() { Repeatable = true },
                cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw await HttpFailure.OfAsync(response, $"The LFS object '{item.Oid}'", cancellationToken: cancellationToken);
        }
    }

    private Uri AddressOf(LfsAction action, string oid)
    {
        if (!Uri.TryCreate(action.Href, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new BackupException(FailureKind.Corrupt, $"The LFS server of '{remote}' says no address for '{oid}'.");
        return address.Scheme == Uri.UriSchemeHttps || remote.Url.Scheme == Uri.UriSchemeHttp
            ? address
            : throw new BackupException(FailureKind.Unavailable, $"The LFS server of '{remote}' wants '{oid}' to travel unencrypted. It does not.");
    }

    private async ValueTask<string?> TokenForAsync(Uri address, LfsAction action, CancellationToken cancellationToken) =>
        SafeUri.IsSameOrigin(address, remote.Url) && Header(action, "Authorization") is null ? await remote.TokenAsync(cancellationToken) : null;

    private static HttpRequestMessage Request(HttpMethod method, Uri address, LfsAction action, string? token)
    {
        var request = new HttpRequestMessage(method, address);
        Authorize(request, token);
        AddHeaders(request, action);
        return request;
    }

    private static HttpRequestMessage Post(Uri address, byte[] body, string? token)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaType);
        request.Headers.Accept.Add(new(MediaType));
        Authorize(request, token);
        return request;
    }

    private static void Authorize(HttpRequestMessage request, string? token)
    {
        if (token is { Length: > 0 })
            request.Headers.Authorization = new("Basic", GitRemote.BasicParameter(token));
    }

    private static void AddHeaders(HttpRequestMessage request, LfsAction action)
    {
        foreach (var (name, value) in action.Header ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            if (name.Equals("Authorization", StringComparison.OrdinalIgnoreCase))
                request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private static string? Header(LfsAction action, string name) =>
        action.Header?.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
