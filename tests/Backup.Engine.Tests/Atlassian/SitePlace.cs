using Backup.Engine.Atlassian;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.Atlassian;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Tests.Atlassian;

/// <summary>A site, a store, and everything that was said while one was backed up to the other.</summary>
internal sealed class SitePlace : IAsyncDisposable
{
    public const string Token = "t0ken-that-must-never-appear";

    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _said = [];

    private SitePlace(AtlassianServer server, StoreLocation? destination)
    {
        Server = server;
        Destination = destination ?? StoreLocation.ForDirectory(_directory.Path);
    }

    public AtlassianServer Server { get; }

    public StoreLocation Destination { get; }

    /// <summary>Every log line.</summary>
    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_said)
                return [.. _said];
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<SitePlace> StartAsync(AtlassianOptions? options = null, StoreLocation? destination = null) =>
        new(await AtlassianServer.StartAsync((options ?? new()) with { Token = Token }), destination);

    public SiteBackupOptions Options(AtlassianProduct product = AtlassianProduct.Confluence) => new()
    {
        Product = product,
        Sites = [AtlassianSite.Parse(Server.Address.AbsoluteUri)],
        User = Server.Options.User,
        ApiToken = new(Token),
        Destination = Destination,
        PollInterval = TimeSpan.FromMilliseconds(5),
        RetryDelay = TimeSpan.FromMilliseconds(1),
        StallTimeout = TimeSpan.FromSeconds(20),
        Timeout = TimeSpan.FromMinutes(2),
        Logger = new CallbackLogger((int)LogLevel.Trace, (_, line) =>
        {
            lock (_said)
                _said.Add(line);
        }),
    };

    /// <summary>Runs, and holds every word of it against the token.</summary>
    public async Task<ExportResult> RunAsync(SiteBackupOptions? options = null, IProgress<BackupProgress>? progress = null)
    {
        var results = await SiteBackup.RunAsync(options ?? Options(), progress, Stop).ToListAsync(Stop);
        var result = results.ShouldHaveSingleItem();
        await ShouldKeepTheSecretAsync($"{result}");
        return result;
    }

    public async Task<IReadOnlyList<RunManifest>> RunsAsync()
    {
        await using var store = await OpenAsync();
        return await new RunCatalog(store).ListAsync(new(), Stop).ToListAsync(Stop);
    }

    public async Task<IReadOnlyList<string>> KeysAsync()
    {
        await using var store = await OpenAsync();
        return await store.ListAsync("", Stop).Select(item => item.Key).ToListAsync(Stop);
    }

    public async Task<ContentHash> HashAsync(string key)
    {
        await using var store = await OpenAsync();
        await using var content = await store.ReadAsync(key, null, Stop);
        return await ContentHash.ComputeAsync(content.Stream, Stop);
    }

    /// <summary>The token, and what it becomes in a header, are in nothing that was said or stored.</summary>
    public async Task ShouldKeepTheSecretAsync(string more)
    {
        var basic = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{Server.Options.User}:{Token}"));
        var text = new List<string>(Said) { more };
        await using var store = await OpenAsync();
        await foreach (var item in store.ListAsync("_catalog/", Stop))
        {
            await using var content = await store.ReadAsync(item.Key, null, Stop);
            using var reader = new StreamReader(content.Stream);
            text.Add(item.Key + await reader.ReadToEndAsync(Stop));
        }

        text.ShouldAllBe(line => !line.Contains(Token, StringComparison.Ordinal) && !line.Contains(basic, StringComparison.Ordinal) && !line.Contains("token=", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _directory.Dispose();
    }

    private Task<IObjectStore> OpenAsync() => ObjectStores.OpenAsync(Destination, null, Stop);
}
