using System.Net;
using System.Security.Cryptography.X509Certificates;
using Backup.TestServers.S3.Auth;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backup.TestServers.S3;

/// <summary>An S3 on the loopback address that believes nothing it is told: signatures, hashes and checksums are verified.</summary>
public sealed class StrictS3Server : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly S3Services _services;

    private StrictS3Server(WebApplication app, S3Services services, X509Certificate2? certificate)
    {
        _app = app;
        _services = services;
        Certificate = certificate;
        State = new StrictS3State(services);
        Endpoint = new Uri(app.Urls.Single());
    }

    public Uri Endpoint { get; }

    public StrictS3Options Options => _services.Options;

    /// <summary>With TLS: what a client must trust.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>Every request, in order of arrival. Empty in sink mode.</summary>
    public IReadOnlyList<RequestRecord> Requests => [.. _services.Requests];

    public FaultScript Faults => _services.Faults;

    public CredentialStore Credentials => _services.Credentials;

    public StrictS3State State { get; }

    /// <summary>Requests and body bytes by operation.</summary>
    public IReadOnlyDictionary<string, OperationCounter> Counters => _services.Counters;

    /// <summary>How far the server's clock is from the true time.</summary>
    public TimeSpan ClockOffset
    {
        get => _services.Clock.Offset;
        set => _services.Clock.Offset = value;
    }

    /// <summary>Requests this says true for get AccessDenied, whatever their signature.</summary>
    public Func<RequestRecord, bool>? Deny
    {
        get => _services.Deny;
        set => _services.Deny = value;
    }

    public static async Task<StrictS3Server> StartAsync(StrictS3Options? options = null, Action<RequestRecord>? answered = null)
    {
        options ??= new StrictS3Options();
        var directory = Path.Combine(options.DataDirectory ?? Path.GetTempPath(), "strict-s3-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(directory);
        var services = new S3Services(options, new S3Store(directory)) { Answered = answered };
        services.Credentials.Add(options.AccessKey, options.SecretKey, options.SessionToken);
        foreach (var bucket in options.Buckets)
            services.Store.Buckets[bucket] = new S3Bucket(bucket, DateTime.UtcNow);
        var certificate = options.Tls ? LoopbackCertificate.Create() : null;
        var app = Build(options, services, certificate);
        try
        {
            await app.StartAsync();
            return new StrictS3Server(app, services, certificate);
        }
        catch
        {
            await app.DisposeAsync();
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    /// <summary>Every access key known now has expired. New ones may be added to <see cref="Credentials"/>.</summary>
    public void ExpireCredentials() => _services.Credentials.ExpireAll();

    /// <summary>Storage ages: restores finish, restored copies expire. Signatures do not get older by it.</summary>
    public void AdvanceStorageTime(TimeSpan time) => _services.Clock.AdvanceStorage(time);

    public void ClearRequests()
    {
        _services.Requests.Clear();
        _services.Counters.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.Stopping.CancelAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
        Certificate?.Dispose();
        Directory.Delete(_services.Store.DataDirectory, recursive: true);
        _services.Stopping.Dispose();
    }

    private static WebApplication Build(StrictS3Options options, S3Services services, X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        if (certificate is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
            kestrel.Listen(IPAddress.Loopback, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (certificate is not null)
                    listen.UseHttps(certificate);
            });
        });
        var app = builder.Build();
        var handler = new S3Handler(services);
        app.Run(handler.HandleAsync);
        return app;
    }
}
