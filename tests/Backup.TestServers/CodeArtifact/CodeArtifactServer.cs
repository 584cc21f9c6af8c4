using Backup.TestServers.Aws;

namespace Backup.TestServers.CodeArtifact;

/// <summary>A CodeArtifact domain on the loopback address: the signed API, and the Maven endpoint of each repository for a real mvn.</summary>
public sealed class CodeArtifactServer : IAsyncDisposable
{
    /// <summary>What GetAuthorizationToken gives.</summary>
    public const string Token = "ca-token-0123456789";

    private readonly AwsServer _server;

    private CodeArtifactServer(AwsServer server, CodeArtifactState state) => (_server, State) = (server, state);

    public Uri Endpoint => _server.Endpoint;

    public CodeArtifactState State { get; }

    /// <summary>Assets are served with one bit flipped.</summary>
    public bool Corrupt { get; set; }

    /// <summary>The signed API and its log.</summary>
    public AwsServer Api => _server;

    /// <param name="domain">The one domain.</param>
    /// <param name="owner">Its account.</param>
    /// <param name="repositories">Its repositories.</param>
    /// <param name="port">0: any free one.</param>
    /// <param name="pageSize">The most items of a page, however many are asked for.</param>
    /// <param name="verifySignatures">False for benchmarks.</param>
    /// <param name="keepLog">Whether requests are remembered.</param>
    /// <param name="answered">Called with each request and the status of its answer.</param>
    public static async Task<CodeArtifactServer> StartAsync(
        string domain, string owner, IEnumerable<string> repositories, int port = 0, int pageSize = 1000, bool verifySignatures = true, bool keepLog = true, Action<AwsRequest, int>? answered = null)
    {
        var state = new CodeArtifactState(repositories);
        AwsServer? server = null;
        CodeArtifactServer? made = null;
        // The endpoint of a repository is told by the API, so the tests need no host names.
        var api = new CodeArtifactApi(state, domain, owner, pageSize, () => server!.Endpoint);
        var maven = new MavenEndpoint(state);
        var start = $"/d/{domain}/maven/";
        server = await AwsServer.StartAsync(
            request => state.With(() =>
            {
                if (!request.RawPath.StartsWith(start, StringComparison.Ordinal))
                    return request.RawPath == "/v1/package/version/asset" && made?.Corrupt == true ? Damage(api.Answer(request)) : api.Answer(request);
                string[] path = [.. request.RawPath[start.Length..].Split('/').Select(Uri.UnescapeDataString)];
                return maven.Answer(request, path[0], path[1..]);
            }),
            port,
            request => !verifySignatures || request.RawPath.StartsWith(start, StringComparison.Ordinal),
            answered,
            keepLog);
        return made = new(server, state);
    }

    private static AwsAnswer Damage(AwsAnswer answer)
    {
        byte[] body = [.. answer.Body];
        body[body.Length / 2] ^= 1;
        return answer with { Body = body };
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
