using Amazon.S3;
using Backup.Engine.Aws;
using Backup.Engine.Stores;
using Backup.Engine.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>A strict S3 for the tests of a class.</summary>
public class StrictS3Fixture : IAsyncLifetime
{
    /// <summary>A versioned bucket.</summary>
    public const string Bucket = "backup-test";

    private StrictS3Server? _server;

    /// <summary>The server.</summary>
    public StrictS3Server Server => _server!;

    /// <summary>How the store reaches it.</summary>
    public StoreOptions Options => OptionsFor(Server);

    /// <summary>How the server is started.</summary>
    protected virtual StrictS3Options ServerOptions => new();

    /// <summary>How a store reaches a server.</summary>
    public static StoreOptions OptionsFor(StrictS3Server server) => new()
    {
        Aws = new() { EndpointUrl = server.Endpoint, Region = server.Options.Region, Keys = new(server.Options.AccessKey, server.Options.SecretKey) },
        TrustedCertificate = server.Certificate,
    };

    public async ValueTask InitializeAsync()
    {
        _server = await StrictS3Server.StartAsync(ServerOptions);
        _server.State.CreateBucket(Bucket, "Enabled");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

/// <summary>The same over TLS.</summary>
public sealed class StrictTlsS3Fixture : StrictS3Fixture
{
    protected override StrictS3Options ServerOptions => new() { Tls = true };
}

/// <summary>An endpoint that echoes checksums and verifies none of them.</summary>
public sealed class LesserS3Fixture : StrictS3Fixture
{
    protected override StrictS3Options ServerOptions => new() { EchoChecksumsUnverified = true };
}

/// <summary>The control calls, as the store makes them.</summary>
internal static class S3Controls
{
    public static S3Control Create(string bucket, StoreOptions options)
    {
        var config = new AmazonS3Config();
        return new(bucket, new AwsSession(options.Aws, config), config, options);
    }
}
