using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Http;

namespace Backup.Engine.GitHub.Git;

/// <summary>
/// The refs of a repository as its server tells them: one GET of <c>info/refs</c>, no git process. The protocol is version 0
/// (gitprotocol-http(5), gitprotocol-pack(5)): every server speaks it, and it needs one request where version 2 needs two.
/// </summary>
internal sealed class RefAdvertisement
{
    private const string Service = "git-upload-pack";
    private const string MediaType = "application/x-git-upload-pack-advertisement";

    // A million refs are about 64 MB; the largest repositories known have some hundred thousand.
    private const long MaxBytes = 256L << 20;
    private const int MaxRefused = 100;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private RefAdvertisement()
    {
    }

    /// <summary>The wanted refs, in the order of their names.</summary>
    public required IReadOnlyList<GitRef> Refs { get; init; }

    /// <summary>The ref that HEAD stands for, or null.</summary>
    public required string? Head { get; init; }

    /// <summary>The hash of the repository.</summary>
    public required ObjectFormat Format { get; init; }

    /// <summary>Refs whose names git itself refuses, as far as they can be printed; the first hundred.</summary>
    public required IReadOnlyList<string> Refused { get; init; }

    /// <summary>What the server can do.</summary>
    public required IReadOnlySet<string> Capabilities { get; init; }

    /// <summary>Where the repository is: its own address after redirects.</summary>
    public required GitRemote Remote { get; init; }

    /// <summary>SHA-256 over HEAD and all wanted refs: where it is the same, nothing has changed.</summary>
    public required string Digest { get; init; }

    /// <summary>Whether there is no ref at all.</summary>
    public bool IsEmpty => Refs.Count == 0;

    /// <summary>Asks a server.</summary>
    /// <exception cref="BackupException">
    /// <see cref="FailureKind.NotFound"/>, <see cref="FailureKind.PermissionDenied"/> (403, 451), <see cref="FailureKind.AuthenticationFailed"/>,
    /// <see cref="FailureKind.Throttled"/>, <see cref="FailureKind.Unavailable"/>, <see cref="FailureKind.TimedOut"/>; <see cref="FailureKind.Corrupt"/> for an answer that is not git's.
    /// </exception>
    public static async Task<RefAdvertisement> ReadAsync(HttpSender http, GitRemote remote, CancellationToken cancellationToken, PullRefs pulls = PullRefs.Heads)
    {
        const string Tail = "/info/refs?service=" + Service;
        var token = await remote.TokenAsync(cancellationToken);
        using var response = await http.SendAsync(() => Request(remote, token, Tail), new() { BufferUpTo = MaxBytes }, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw await HttpFailure.OfAsync(response, $"'{remote}'", cancellationToken: cancellationToken);
        CheckMediaType(response.Content.Headers.ContentType, MediaType, remote);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return await ParseAsync(body, Moved(remote, response.RequestMessage?.RequestUri, Tail), pulls, cancellationToken);
    }

    /// <summary>Reads an advertisement.</summary>
    public static async Task<RefAdvertisement> ParseAsync(Stream body, GitRemote remote, PullRefs pulls, CancellationToken cancellationToken)
    {
        var reader = new PktLineReader(body, $"'{remote}'");
        if (await reader.ReadAsync(cancellationToken) != PktKind.Data || !Text(reader, remote).StartsWith("# service=" + Service, StringComparison.Ordinal) || await reader.ReadAsync(cancellationToken) != PktKind.Flush)
            throw NotGit(remote);

        var format = ObjectFormat.Sha1;
        var capabilities = new HashSet<string>(StringComparer.Ordinal);
        var refs = new Dictionary<string, GitRef>(StringComparer.Ordinal);
        var refused = new List<string>();
        string? head = null;
        PktKind kind;
        for (var isFirst = true; (kind = await reader.ReadAsync(cancellationToken)) == PktKind.Data; isFirst = false)
        {
            var payload = TrimLine(reader.Payload);
            if (payload.Span.StartsWith("ERR "u8))
                throw new BackupException(FailureKind.Unavailable, $"'{remote}' answered: {Printable(Encoding.UTF8.GetString(payload.Span[4..]))}.", "Run again later.");
            if (isFirst)
            {
                var nul = payload.Span.IndexOf((byte)0);
                if (nul < 0)
                    throw NotGit(remote);
                capabilities.UnionWith(Encoding.UTF8.GetString(payload.Span[(nul + 1)..]).Split(' ', StringSplitOptions.RemoveEmptyEntries));
                format = FormatOf(capabilities, remote);
                head = Value(capabilities, "symref=HEAD:");
                payload = payload[..nul];
            }

            if (payload.Length <= format.HexLength || payload.Span[format.HexLength] != (byte)' ')
            {
                if (payload.Span.StartsWith("shallow "u8))
                    throw new BackupException(FailureKind.NotSupported, $"'{remote}' is a shallow copy: its history is cut.", "Back up the repository that it was copied from.");
                throw NotGit(remote);
            }

            var id = Encoding.ASCII.GetString(payload.Span[..format.HexLength]);
            if (!format.IsId(id))
                throw NotGit(remote);
            Add(id, payload.Span[(format.HexLength + 1)..]);
        }

        if (kind != PktKind.Flush)
            throw new BackupException(FailureKind.Unavailable, $"The list of refs of '{remote}' was cut.", "Run again.");
        // A HEAD that leads nowhere, or to what is not wanted, is none.
        head = head is not null && refs.ContainsKey(head) ? head : null;
        var sorted = refs.Values.OrderBy(item => item.Name, Utf8Order.Instance).ToArray();
        return new()
        {
            Refs = sorted,
            Head = head,
            Format = format,
            Refused = refused,
            Capabilities = capabilities,
            Remote = remote,
            Digest = DigestOf(sorted, head),
        };

        void Add(string id, ReadOnlySpan<byte> bytes)
        {
            if (bytes.EndsWith("^{}"u8) || bytes.SequenceEqual("HEAD"u8))
                return;
            string? name = null;
            try
            {
                name = StrictUtf8.GetString(bytes);
            }
            catch (DecoderFallbackException)
            {
                // git stores any bytes; JSON and the file systems of others do not.
            }

            if (name is null || !RefName.IsValid(name))
            {
                if (refused.Count < MaxRefused)
                    refused.Add(Printable(Encoding.UTF8.GetString(bytes)));
            }
            else if (RefName.IsWanted(name, pulls) && !refs.TryAdd(name, new(name, id)))
            {
                throw new BackupException(FailureKind.Corrupt, $"'{remote}' tells the ref '{name}' twice.");
            }
        }
    }

    /// <summary>The digest of these refs.</summary>
    public static string DigestOf(IEnumerable<GitRef> sorted, string? head)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"HEAD {head}\n"));
        foreach (var item in sorted)
            hash.AppendData(Encoding.UTF8.GetBytes($"{item}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A sign-in page has status 200 too.</summary>
    public static void CheckMediaType(MediaTypeHeaderValue? type, string expected, GitRemote remote)
    {
        if (type?.MediaType?.Equals(expected, StringComparison.OrdinalIgnoreCase) != true)
            throw NotGit(remote);
    }

    /// <summary>A text from elsewhere as one short line.</summary>
    public static string Printable(string text)
    {
        var line = new string([.. text.Take(200).Select(c => char.IsControl(c) || c == '\uFFFD' ? '?' : c)]);
        return text.Length > line.Length ? line + "…" : line.TrimEnd('.', '?', ' ');
    }

    private static HttpRequestMessage Request(GitRemote remote, string? token, string tail)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, remote.At(tail));
        request.Headers.Accept.Add(new(MediaType));
        if (token is { Length: > 0 })
            request.Headers.Authorization = new("Basic", GitRemote.BasicParameter(token));
        return request;
    }

    private static GitRemote Moved(GitRemote remote, Uri? answered, string tail)
    {
        if (answered is null || answered == remote.At(tail))
            return remote;
        var address = answered.AbsoluteUri;
        return address.EndsWith(tail, StringComparison.Ordinal)
            ? remote.MovedTo(new Uri(address[..^tail.Length]))
            : throw new BackupException(FailureKind.Unavailable, $"'{remote}' redirects to {SafeUri.Of(answered)}, which is not a repository.", "Check the address.");
    }

    private static ObjectFormat FormatOf(HashSet<string> capabilities, GitRemote remote) =>
        Value(capabilities, "object-format=") is not { } name ? ObjectFormat.Sha1
        : ObjectFormat.Find(name) ?? throw new BackupException(FailureKind.NotSupported, $"'{remote}' names its objects by '{Printable(name)}', which is not known here.");

    private static string? Value(HashSet<string> capabilities, string beginning) =>
        capabilities.FirstOrDefault(capability => capability.StartsWith(beginning, StringComparison.Ordinal))?[beginning.Length..];

    private static ReadOnlyMemory<byte> TrimLine(ReadOnlyMemory<byte> payload) => payload.Span.EndsWith("\n"u8) ? payload[..^1] : payload;

    private static string Text(PktLineReader reader, GitRemote remote) =>
        reader.Payload.Length <= 100 ? Encoding.UTF8.GetString(reader.Payload.Span) : throw NotGit(remote);

    private static BackupException NotGit(GitRemote remote) =>
        new(FailureKind.Corrupt, $"'{remote}' does not answer as a git server does.", "Check the address, and what stands between this machine and it (a sign-in page, a proxy).");
}
