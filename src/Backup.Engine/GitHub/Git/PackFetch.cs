using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Backup.Engine.Http;

namespace Backup.Engine.GitHub.Git;

/// <summary>
/// A pack on its way: what <c>git-upload-pack</c> answers to one request that names all that is wanted and all that is there already
/// (gitprotocol-pack(5), version 0, stateless). It is never thin: each pack can be indexed by itself.
/// </summary>
internal sealed class PackFetch : IAsyncDisposable
{
    private const string Service = "/git-upload-pack";
    private const string RequestType = "application/x-git-upload-pack-request";
    private const string ResponseType = "application/x-git-upload-pack-result";
    private const string NotOurRef = "not our ref";

    // What is not named is only sent again; a server that reads more than 10 MB of names is asking for trouble (http.maxRequestBuffer).
    private const int MaxHaves = 50_000;

    // After the pack a server has nothing to say. What it has to say before it is short.
    private const int MaxPreamble = 1_000;
    private const int PackHeader = 12;

    private readonly WatchedBody _body;
    private readonly PktLineReader _reader;
    private readonly GitRemote _remote;
    private ReadOnlyMemory<byte> _rest;
    private bool _isOver;

    private PackFetch(WatchedBody body, GitRemote remote)
    {
        (_body, _remote) = (body, remote);
        _reader = new(body, $"'{remote}'");
    }

    /// <summary>How many objects the pack says it has.</summary>
    public uint ObjectCount { get; private set; }

    /// <summary>Asks for a pack and reads its beginning.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.ChangedWhileRead"/> where a wanted object is no ref's any more; else as for <see cref="RefAdvertisement"/>.</exception>
    public static async Task<PackFetch> StartAsync(HttpSender http, RefAdvertisement refs, IReadOnlyCollection<string> wants, IReadOnlyCollection<string> haves, TimeSpan stall, CancellationToken cancellationToken)
    {
        var remote = refs.Remote;
        var body = RequestBody(refs, wants, haves);
        var token = await remote.TokenAsync(cancellationToken);
        // It only reads, so it may be sent again.
        var response = await http.SendAsync(() => Request(remote, token, body), new() { Repeatable = true }, cancellationToken);
        WatchedBody? watched = null;
        try
        {
            if (!response.IsSuccessStatusCode)
                throw await HttpFailure.OfAsync(response, $"'{remote}'", cancellationToken: cancellationToken);
            RefAdvertisement.CheckMediaType(response.Content.Headers.ContentType, ResponseType, remote);
            watched = await WatchedBody.OpenAsync(response, $"'{remote}'", stall, cancellationToken);
            var fetch = new PackFetch(watched, remote);
            await fetch.ReadHeaderAsync();
            return fetch;
        }
        catch
        {
            if (watched is not null)
                await watched.DisposeAsync();
            response.Dispose();
            throw;
        }
    }

    /// <summary>Fills a buffer with the next bytes of the pack; less than its length only at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        var count = 0;
        while (count < buffer.Length)
        {
            if (_rest.IsEmpty)
                _rest = _isOver ? default : await NextAsync();
            if (_rest.IsEmpty)
                break;
            var take = Math.Min(_rest.Length, buffer.Length - count);
            _rest[..take].CopyTo(buffer[count..]);
            _rest = _rest[take..];
            count += take;
        }

        return count;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _body.DisposeAsync();

    // "PACK", the version and the number of objects: whoever stores it wants to know whether there is anything to store.
    private async Task ReadHeaderAsync()
    {
        var header = new ArrayBufferWriter<byte>();
        while (header.WrittenCount < PackHeader)
        {
            var bytes = await NextAsync();
            if (bytes.IsEmpty)
                throw new BackupException(FailureKind.Corrupt, $"'{_remote}' sent no pack.", "Run again.");
            header.Write(bytes.Span);
        }

        if (!header.WrittenSpan.StartsWith("PACK"u8) || BinaryPrimitives.ReadUInt32BigEndian(header.WrittenSpan[4..]) is not (2 or 3))
            throw new BackupException(FailureKind.Corrupt, $"What '{_remote}' sent is not a pack.", "Run again.");
        ObjectCount = BinaryPrimitives.ReadUInt32BigEndian(header.WrittenSpan[8..]);
        _rest = header.WrittenMemory;
    }

    private async ValueTask<ReadOnlyMemory<byte>> NextAsync()
    {
        for (var preamble = 0; ;)
        {
            var kind = await _reader.ReadAsync(CancellationToken.None);
            if (kind == PktKind.Flush)
            {
                _isOver = true;
                return default;
            }

            if (kind == PktKind.End)
                throw new BackupException(FailureKind.Unavailable, $"The pack of '{_remote}' was cut.", "Run again.");
            var payload = _reader.Payload;
            // Side band 1 is the pack, 2 is for people, 3 is the end of everything.
            switch (payload.IsEmpty ? (byte)0 : payload.Span[0])
            {
                case 1 when payload.Length > 1:
                    return payload[1..];
                case 1 or 2:
                    continue;
                case 3:
                    throw Refused(payload[1..]);
            }

            if (payload.Span.StartsWith("ERR "u8))
                throw Refused(payload[4..]);
            if (++preamble > MaxPreamble || !(payload.Span.StartsWith("NAK"u8) || payload.Span.StartsWith("ACK "u8)))
                throw new BackupException(FailureKind.Corrupt, $"'{_remote}' does not answer as a git server does.", "Run again.");
        }
    }

    private BackupException Refused(ReadOnlyMemory<byte> text)
    {
        var said = RefAdvertisement.Printable(Encoding.UTF8.GetString(text.Span).Trim());
        return said.Contains(NotOurRef, StringComparison.Ordinal)
            ? new(FailureKind.ChangedWhileRead, $"A ref of '{_remote}' moved while it was fetched.", "Run again.")
            : new(FailureKind.Unavailable, $"'{_remote}' gave up: {said}.", "Run again later.");
    }

    private static byte[] RequestBody(RefAdvertisement refs, IReadOnlyCollection<string> wants, IReadOnlyCollection<string> haves)
    {
        var to = new ArrayBufferWriter<byte>();
        var capabilities = string.Join(' ', Capabilities(refs));
        foreach (var want in wants)
        {
            PktLine.Write(to, capabilities.Length > 0 ? $"want {want} {capabilities}\n" : $"want {want}\n");
            capabilities = "";
        }

        PktLine.WriteFlush(to);
        foreach (var have in haves.Take(MaxHaves))
            PktLine.Write(to, $"have {have}\n");
        PktLine.Write(to, "done\n");
        return to.WrittenSpan.ToArray();
    }

    private static IEnumerable<string> Capabilities(RefAdvertisement refs)
    {
        if (!refs.Capabilities.Contains("side-band-64k"))
            throw new BackupException(FailureKind.NotSupported, $"'{refs.Remote}' is a git server older than 2007: it has no side band.");
        yield return "side-band-64k";
        foreach (var wish in (string[])["ofs-delta", "no-progress"])
        {
            if (refs.Capabilities.Contains(wish))
                yield return wish;
        }

        if (refs.Format != ObjectFormat.Sha1)
            yield return "object-format=" + refs.Format.Name;
        if (refs.Capabilities.Any(capability => capability.StartsWith("agent=", StringComparison.Ordinal)))
            yield return "agent=" + HttpClients.UserAgent;
    }

    private static HttpRequestMessage Request(GitRemote remote, string? token, byte[] body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, remote.At(Service)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new(RequestType);
        request.Headers.Accept.Add(new(ResponseType));
        if (token is { Length: > 0 })
            request.Headers.Authorization = new("Basic", GitRemote.BasicParameter(token));
        return request;
    }
}
