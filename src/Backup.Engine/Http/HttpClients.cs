using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

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

    [SuppressMessage("Security", "CA5359:Do Not Disable Certificate Validation", Justification = "Only the one certificate that was given is trusted.")]
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
        if (options.TrustedCertificate is { } trusted)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && certificate.GetCertHashString(HashAlgorithmName.SHA256) == trusted.GetCertHashString(HashAlgorithmName.SHA256);
        return handler;
    }
}
