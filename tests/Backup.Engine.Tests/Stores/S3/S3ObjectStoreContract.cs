using Backup.Engine.Aws;
using Backup.Engine.Stores;
using Backup.Engine.Stores.S3;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>The contract over S3ObjectStore; each test has a prefix of its own.</summary>
public abstract class S3ObjectStoreContract : ObjectStoreContract
{
    private readonly string _prefix = $"contract-{Guid.NewGuid():n}/";
    private StoreOptions _options = new();
    private StoreLocation? _location;

    protected override int PartSize => 5 << 20;

    protected override int MaxKeyBytes => 1024 - _prefix.Length;

    protected abstract Task<(string Bucket, StoreOptions Options)> ConnectAsync();

    protected override async Task<IObjectStore> OpenStoreAsync()
    {
        (var bucket, _options) = await ConnectAsync();
        _location = StoreLocation.ForBucket(bucket, _prefix);
        _options = _options with { PartSize = PartSize, MemoryBudget = 32 << 20 };
        return S3ObjectStore.Open(_location, _options);
    }

    protected override async Task<int> CountOrphansAsync()
    {
        using var control = S3Controls.Create(_location!.Bucket!, _options);
        return await control.ListUploadsAsync(_location.Prefix, TestContext.Current.CancellationToken).CountAsync();
    }
}

/// <summary>The contract over the strict S3, which verifies signatures and every checksum.</summary>
public sealed class StrictS3ObjectStoreContract(StrictS3Fixture server) : S3ObjectStoreContract, IClassFixture<StrictS3Fixture>
{
    protected override Task<(string Bucket, StoreOptions Options)> ConnectAsync() => Task.FromResult((StrictS3Fixture.Bucket, server.Options));
}

/// <summary>The contract over TLS, where payloads go unsigned and the checksum is all there is.</summary>
public sealed class TlsS3ObjectStoreContract(StrictTlsS3Fixture server) : S3ObjectStoreContract, IClassFixture<StrictTlsS3Fixture>
{
    protected override Task<(string Bucket, StoreOptions Options)> ConnectAsync() => Task.FromResult((StrictS3Fixture.Bucket, server.Options));
}

/// <summary>The contract over an endpoint that echoes checksums and verifies none: MD5 is the proof.</summary>
public sealed class LesserS3ObjectStoreContract(LesserS3Fixture server) : S3ObjectStoreContract, IClassFixture<LesserS3Fixture>
{
    protected override Task<(string Bucket, StoreOptions Options)> ConnectAsync() => Task.FromResult((StrictS3Fixture.Bucket, server.Options));
}

/// <summary>
/// The contract over a store that others wrote: the endpoint that S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY and
/// S3_TEST_REGION name, or moto. What it lacks is in the reasons of the skipped tests.
/// </summary>
public sealed class PeerS3ObjectStoreContract(MotoServer moto) : S3ObjectStoreContract
{
    private static readonly string? Named = Environment.GetEnvironmentVariable("S3_TEST_ENDPOINT");

    // moto's URL patterns end at a line break, and its XML parser takes no carriage return from a reference.
    protected override string? RefusedKeyReason(string key) =>
        string.IsNullOrEmpty(Named) && key.AsSpan().IndexOfAny('\n', '\r', '\v') >= 0 ? "moto does not route keys with line breaks." : null;

    protected override async Task<(string Bucket, StoreOptions Options)> ConnectAsync()
    {
        var options = new StoreOptions { Aws = await EndpointAsync() };
        var bucket = $"contract-{Guid.NewGuid():n}";
        using var control = S3Controls.Create(bucket, options);
        await control.EnsureBucketAsync(versionDays: 180, TestContext.Current.CancellationToken);
        return (bucket, options);
    }

    private async Task<AwsOptions> EndpointAsync() => string.IsNullOrEmpty(Named)
        ? new() { EndpointUrl = await moto.EndpointAsync(), Region = "us-east-1", Keys = new("test", "test") }
        : new()
        {
            EndpointUrl = new(Named),
            Region = Environment.GetEnvironmentVariable("S3_TEST_REGION") ?? "us-east-1",
            Keys = new(Environment.GetEnvironmentVariable("S3_TEST_ACCESS_KEY") ?? "", Environment.GetEnvironmentVariable("S3_TEST_SECRET_KEY") ?? ""),
        };
}
