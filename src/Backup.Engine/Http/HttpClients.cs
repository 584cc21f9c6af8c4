
namespace Backup.Engine.Http;

/// <summary>Makes clients that do nothing by themselves: no redirects, no cookies, no timeout of the whole. <see cref="HttpSender"/> sees to that.</summary>
internal static class HttpClients
{
    /// <summary>The product's name and version, as RFC 9110 has it.</summary>
    public static string UserAgent { get; } = $"AtlassianBackup/{ProductVersion.Current}";

    /// <summary>Makes a client.</summary>
    public static HttpClient Create(HttpOptions options)
    {
        var client = new HttpClient(CreateHandler(options)) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", UserAgent);
        return client;
    }

    private static SocketsHttpHandler CreateHandler(HttpOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = options.Decompression,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            // Names move to other addresses while a long run lasts.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        CertificatePin.Apply(handler, options.TrustedCertificate);
        return handler;
    }
}
