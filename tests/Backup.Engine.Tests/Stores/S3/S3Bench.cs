using Backup.Engine.Stores;
using Backup.Engine.Stores.S3;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>A strict S3 of a test's own, and stores on it that wait for nothing between attempts.</summary>
internal sealed class S3Bench : IAsyncDisposable
{
    public const string Bucket = "bench-bucket";
    public const int PartSize = 5 << 20;

    private readonly List<S3ObjectStore> _stores = [];

    private S3Bench(StrictS3Server server) => Server = server;

    public StrictS3Server Server { get; }

    public FakeTime Time { get; } = new(impatient: true);

    public StoreOptions Options => StrictS3Fixture.OptionsFor(Server) with { PartSize = PartSize, MemoryBudget = 32 << 20, Time = Time };

    public static async Task<S3Bench> StartAsync(StrictS3Options? options = null, string? versioning = null)
    {
        var bench = new S3Bench(await StrictS3Server.StartAsync(options));
        bench.Server.State.CreateBucket(Bucket, versioning);
        return bench;
    }

    public S3ObjectStore Open(Func<StoreOptions, StoreOptions>? change = null, string bucket = Bucket, string prefix = "")
    {
        var store = S3ObjectStore.Open(StoreLocation.ForBucket(bucket, prefix), change?.Invoke(Options) ?? Options);
        _stores.Add(store);
        return store;
    }

    /// <summary>A store that has found out what the endpoint can do, so that faults hit what a test means.</summary>
    public async Task<S3ObjectStore> ReadyAsync(Func<StoreOptions, StoreOptions>? change = null)
    {
        var store = Open(change);
        await store.CheckAsync(forWriting: true, Token);
        Server.ClearRequests();
        return store;
    }

    /// <summary>AWS's own client, on the same server.</summary>
    public Amazon.S3.AmazonS3Client Sdk() => TestServers.StrictS3Clients.Sdk(Server);

    public int Count(string operation) => Server.Requests.Count(request => request.Operation == operation);

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
            await store.DisposeAsync();
        await Server.DisposeAsync();
    }

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static byte[] Data(int length, int seed = 1)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }
}

/// <summary>Adds up what is reported.</summary>
internal sealed class SumOfProgress : IProgress<long>
{
    private long _total;

    public long Total => Interlocked.Read(ref _total);

    public void Report(long value) => Interlocked.Add(ref _total, value);
}
