using System.Net;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Http;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>A Maven repository in a directory.</summary>
internal sealed class MavenDirectory(string root) : IMavenFiles
{
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Name => _root;

    public async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) =>
        File.Exists(Resolve(path)) ? await File.ReadAllBytesAsync(Resolve(path), cancellationToken) : null;

    public async Task<bool?> IsSameAsync(string path, StoredAsset asset, CancellationToken cancellationToken)
    {
        if (!File.Exists(Resolve(path)))
            return null;
        await using var file = File.OpenRead(Resolve(path));
        return file.Length == asset.Size && Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken)) == asset.Sha256;
    }

    public async Task WriteAsync(string path, Func<CancellationToken, Task<Stream>> content, CancellationToken cancellationToken)
    {
        var target = Resolve(path);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var part = target + ".part";
        try
        {
            await using (var source = await content(cancellationToken))
            await using (var file = File.Create(part))
            {
                await source.CopyToAsync(file, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(part, target, overwrite: true);
        }
        catch (Exception exception)
        {
            File.Delete(part);
            throw exception is OperationCanceledException ? exception : BackupException.From(exception);
        }
    }

    public void Dispose()
    {
    }

    // Names come from a backup that somebody may have changed: none of them leads out of the repository.
    private string Resolve(string path)
    {
        var full = Path.GetFullPath(Path.Combine(_root, path));
        return full.StartsWith(_root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? full
            : throw new BackupException(FailureKind.Corrupt, $"'{path}' leads out of '{_root}'.", "That backup is damaged, or was changed.");
    }
}

/// <summary>A Maven repository behind an address that takes PUT.</summary>
internal sealed class MavenHttp(Uri address, MavenCredentials? credentials, TimeProvider time, ILogger? logger) : IMavenFiles
{
    private const int MaxSmall = 16 << 20;

    private readonly Uri _address = address.AbsoluteUri.EndsWith('/') ? address : new(address.AbsoluteUri + "/");
    private readonly HttpSender _http = new(new() { AnswerTimeout = TimeSpan.FromHours(1), Time = time, Logger = logger });

    public string Name => _address.GetComponents(UriComponents.HttpRequestUrl & ~UriComponents.UserInfo, UriFormat.UriEscaped);

    public async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(() => Request(HttpMethod.Get, path), new() { BufferUpTo = MaxSmall }, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return null;
        if (!response.IsSuccessStatusCode)
            throw await HttpFailure.OfAsync(response, $"'{path}'", cancellationToken: cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    // A repository serves a file's SHA-1 beside it; where it does not, the file itself is read.
    public async Task<bool?> IsSameAsync(string path, StoredAsset asset, CancellationToken cancellationToken)
    {
        if (asset.Hashes.TryGetValue(AssetHashes.Sha1, out var sha1) && await ReadAsync(path + ".sha1", cancellationToken) is { } known)
        {
            var text = Encoding.ASCII.GetString(known).Trim();
            return text.Split(' ')[0].Equals(sha1, StringComparison.OrdinalIgnoreCase);
        }

        using var response = await _http.SendAsync(() => Request(HttpMethod.Get, path), null, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return null;
        if (!response.IsSuccessStatusCode)
            throw await HttpFailure.OfAsync(response, $"'{path}'", cancellationToken: cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken)) == asset.Sha256;
    }

    public async Task WriteAsync(string path, Func<CancellationToken, Task<Stream>> content, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(
            () =>
            {
                var request = Request(HttpMethod.Put, path);
                request.Content = new OpenedContent(content);
                return request;
            },
            null,
            cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw await HttpFailure.OfAsync(response, $"'{path}'", cancellationToken: cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, new Uri(_address, string.Join('/', path.Split('/').Select(Uri.EscapeDataString))));
        if (credentials is not null)
            request.Headers.TryAddWithoutValidation("Authorization", credentials.Header);
        return request;
    }

    // Opened when it is sent, and again where it is sent again.
    private sealed class OpenedContent(Func<CancellationToken, Task<Stream>> open) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await using var content = await open(cancellationToken);
            await content.CopyToAsync(stream, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
