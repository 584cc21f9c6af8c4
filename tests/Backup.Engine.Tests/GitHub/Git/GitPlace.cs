using System.Text;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Http;
using Backup.Engine.Stores;
using Backup.Engine.Stores.Directories;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.GitHub;

namespace Backup.Engine.Tests.GitHub.Git;

/// <summary>A GitHub with one repository, and a store for it.</summary>
internal sealed class GitPlace : IAsyncDisposable
{
    private int _generation;

    private GitPlace(GitHubServer server, GitHubRepository repository, TemporaryDirectory directory, IObjectStore store)
    {
        (Server, Repository, Directory, Store) = (server, repository, directory, store);
        Source = new(repository.Path);
        Remote = new(server.CloneUrl(repository), _ => new(server.Token));
    }

    public GitHubServer Server { get; }

    public GitHubRepository Repository { get; }

    public SourceRepository Source { get; }

    public TemporaryDirectory Directory { get; }

    public IObjectStore Store { get; }

    public GitRemote Remote { get; set; }

    public HttpSender Http { get; } = new(new() { FirstDelay = TimeSpan.FromMilliseconds(1), LongestDelay = TimeSpan.FromMilliseconds(2), MaxAttempts = 2 });

    public string Folder { get; set; } = "github/acme/app.1";

    public string? MirrorPath { get; set; }

    public GitState? State { get; set; }

    public static async Task<GitPlace> CreateAsync(string name = "acme/app")
    {
        Assert.SkipWhen(PeerProgram.Find("git") is null, "git is not installed.");
        var server = await GitHubServer.StartAsync();
        var directory = new TemporaryDirectory();
        System.IO.Directory.CreateDirectory(directory.Combine("work"));
        var store = await DirectoryObjectStore.OpenAsync(StoreLocation.ForDirectory(directory.Combine("store")));
        return new(server, server.AddRepository(name), directory, store);
    }

    public GitBackup Backup(Func<GitBackupOptions, GitBackupOptions>? change = null)
    {
        var options = new GitBackupOptions { WorkPath = Directory.Combine("work"), MirrorPath = MirrorPath, Stall = TimeSpan.FromSeconds(20) };
        return new(Store, Http, change?.Invoke(options) ?? options);
    }

    public GitBackupRequest Request() => new()
    {
        Remote = Remote,
        Name = "acme/app",
        Id = Repository.Id,
        Folder = Folder,
        Generation = $"202611{(++_generation).ToString("D2", System.Globalization.CultureInfo.InvariantCulture)}T000000Z",
        Previous = State,
    };

    /// <summary>A run, whose state the next one gets.</summary>
    public async Task<GitBackupResult> RunAsync(Func<GitBackupRequest, GitBackupRequest>? change = null, Func<GitBackupOptions, GitBackupOptions>? options = null)
    {
        var request = Request();
        var result = await Backup(options).BackupAsync(change?.Invoke(request) ?? request, CancellationToken.None);
        State = result.State;
        return result;
    }

    public async Task<byte[]> ReadAsync(string key)
    {
        await using var content = await Store.ReadAsync(key);
        var bytes = new MemoryStream();
        await content.Stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    public async Task<string> DownloadAsync(string key)
    {
        var path = Directory.Combine(Guid.NewGuid().ToString("N"));
        await File.WriteAllBytesAsync(path, await ReadAsync(key));
        return path;
    }

    public async Task<List<string>> KeysAsync() => await Store.ListAsync().Select(item => item.Key).ToListAsync();

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Bytes that do not compress.</summary>
    public static byte[] Noise(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Store.DisposeAsync();
        await Server.DisposeAsync();
        Directory.Dispose();
    }
}
