using Amazon.Runtime;
using Amazon.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.TestServers;

/// <summary>Clients that others wrote (and a raw HttpClient), pointed at the strict S3.</summary>
internal static class StrictS3Clients
{
    public const string Bucket = "examplebucket";

    public static Task<StrictS3Server> StartAsync(StrictS3Options? options = null) =>
        StrictS3Server.StartAsync((options ?? new StrictS3Options()) with { Buckets = [Bucket] });

    public static AmazonS3Client Sdk(this StrictS3Server server, string? secretKey = null, string? accessKey = null, Action<AmazonS3Config>? configure = null)
    {
        var config = new AmazonS3Config
        {
            ServiceURL = server.Endpoint.ToString(),
            ForcePathStyle = true,
            AuthenticationRegion = server.Options.Region,
            MaxErrorRetry = 0,
            HttpClientFactory = new TrustingFactory(server),
        };
        configure?.Invoke(config);
        return new AmazonS3Client(new BasicAWSCredentials(accessKey ?? server.Options.AccessKey, secretKey ?? server.Options.SecretKey), config);
    }

    /// <summary>A presigned request needs no headers: the shortest way to talk to the server by hand.</summary>
    public static HttpClient Raw(this StrictS3Server server) => new(Handler(server)) { BaseAddress = server.Endpoint, Timeout = TimeSpan.FromSeconds(20) };

    public static Uri Presign(this StrictS3Server server, string key, HttpVerb verb = HttpVerb.GET, Action<Amazon.S3.Model.GetPreSignedUrlRequest>? configure = null)
    {
        using var sdk = server.Sdk();
        var request = new Amazon.S3.Model.GetPreSignedUrlRequest
        {
            BucketName = Bucket,
            Key = key,
            Verb = verb,
            Expires = DateTime.UtcNow.AddMinutes(10),
            Protocol = server.Options.Tls ? Protocol.HTTPS : Protocol.HTTP,
        };
        configure?.Invoke(request);
        return new Uri(sdk.GetPreSignedURL(request));
    }

    public static async Task<string> ErrorCodeAsync(this HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        var start = text.IndexOf("<Code>", StringComparison.Ordinal);
        return start < 0 ? text : text[(start + 6)..text.IndexOf("</Code>", StringComparison.Ordinal)];
    }

    private static SocketsHttpHandler Handler(StrictS3Server server) => new()
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, given, _, _) => given is not null && given.Equals(server.Certificate) },
    };

    private sealed class TrustingFactory(StrictS3Server server) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(Handler(server));

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;
    }
}
