using System.Text;
using Backup.Engine.GitHub;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.GitHub.Git;
using Backup.TestServers.GitHub;
using HubRepository = Backup.TestServers.GitHub.GitHubRepository;

namespace Backup.Engine.Tests.GitHub;

/// <summary>A GitHub with repositories, and a directory to back them up to.</summary>
internal sealed class GitHubPlace : IAsyncDisposable
{
    private GitHubPlace(GitHubServer server) => Server = server;

    public GitHubServer Server { get; }

    public TemporaryDirectory Directory { get; } = new();

    /// <summary>One that nobody waits for, where waits are to be looked at.</summary>
    public FakeTime? Time { get; init; }

    public StoreLocation Destination => StoreLocation.ForDirectory(Directory.Combine("store"));

    public static async Task<GitHubPlace> CreateAsync(GitHubOptions? options = null, bool isImpatient = false)
    {
        Assert.SkipWhen(PeerProgram.Find("git") is null, "git is not installed.");
        var server = await GitHubServer.StartAsync(options);
        server.World.AddAccount("acme", organization: true);
        return new(server) { Time = isImpatient ? new FakeTime(impatient: true) : null };
    }

    /// <summary>A repository with one commit.</summary>
    public async Task<HubRepository> AddAsync(string fullName, string text = "one")
    {
        var repository = Server.AddRepository(fullName);
        await CommitAsync(repository, text);
        return repository;
    }

    public async Task CommitAsync(HubRepository repository, string text, string branch = "refs/heads/main")
    {
        await new SourceRepository(repository.Path).CommitAsync(branch, ("file.txt", Encoding.UTF8.GetBytes(text)));
        repository.Touch();
    }

    public GitHubConnection Connection => new() { ApiUri = Server.ApiUri, Credential = GitHubCredential.ForToken(Server.Token), WritesPerMinute = 60_000 };

    public GitHubBackupOptions Options(params string[] organizations) => new()
    {
        List = new() { Connection = Connection, Organizations = organizations, IncludeArchived = true, IncludeForks = true },
        Destination = Destination,
        Store = Time is null ? new() : new() { Time = Time },
        Stall = TimeSpan.FromSeconds(20),
    };

    public async Task<List<GitHubBackupResult>> BackupAsync(GitHubBackupOptions? options = null) =>
        await GitHubBackup.RunAsync(options ?? Options("acme")).ToListAsync();

    public async Task<IObjectStore> OpenAsync() => await ObjectStores.OpenAsync(Destination);

    /// <summary>All that the store holds: keys and sizes.</summary>
    public async Task<List<string>> StoredAsync()
    {
        await using var store = await OpenAsync();
        return await store.ListAsync().Select(item => $"{item.Key} {item.Size}").ToListAsync();
    }

    /// <summary>The lines of a file of records.</summary>
    public async Task<List<string>> LinesAsync(string key)
    {
        await using var store = await OpenAsync();
        await using var content = await store.ReadAsync(key);
        await using var gzip = new System.IO.Compression.GZipStream(content.Stream, System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        return [.. (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    public async Task<List<RunManifest>> RunsAsync()
    {
        await using var store = await OpenAsync();
        return await new RunCatalog(store).ListAsync(new() { System = "github" }, CancellationToken.None).ToListAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Directory.Dispose();
    }
}
