using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Folders;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Files;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Tests.Folders;

/// <summary>A source, a cache and a place to restore to, and a store somewhere: all that a folder's backup and way back need.</summary>
internal sealed class FolderPlace(StoreLocation? location = null, StoreOptions? store = null) : IDisposable
{
    private static readonly DateTime Old = new(2021, 3, 4, 5, 6, 7, DateTimeKind.Utc);

    private readonly TempFolder _folder = new();
    private int _copies;

    public string Source => Directory.CreateDirectory(_folder["source"]).FullName;

    public string Cache => _folder["cache"];

    public string Store => _folder["store"];

    public string this[string name] => _folder[name];

    public StoreLocation Location => location ?? StoreLocation.ForDirectory(Store);

    public FolderSyncOptions Options => new()
    {
        Paths = [Source],
        Destination = Location,
        Store = store ?? new(),
        CachePath = Cache,
        StorageClass = Location.IsS3 ? "STANDARD" : null,
        MaxDeletePercent = 100,
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public string Write(string name, string content = "content", bool old = true)
    {
        var file = _folder.Write("source/" + name, content);
        if (old)
            File.SetLastWriteTimeUtc(file, Old.AddTicks(1234567));
        return file;
    }

    /// <summary>Waits until no file counts as written just now: what is synced from here on need not be hashed again.</summary>
    public static Task SettleAsync() => Task.Delay(50, Token);

    public Task<FolderSyncResult> SyncAsync(Func<FolderSyncOptions, FolderSyncOptions>? change = null, CancellationToken cancellationToken = default) =>
        RunAsync(change is null ? Options : change(Options), null, cancellationToken);

    public static async Task<FolderSyncResult> RunAsync(FolderSyncOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var outputs = await FolderSync.RunAsync(options, progress, cancellationToken: cancellationToken == default ? Token : cancellationToken).ToListAsync(CancellationToken.None);
        var result = outputs.OfType<FolderSyncResult>().ShouldHaveSingleItem();
        result.Failed.ShouldBe(outputs.OfType<FileFailure>().Count());
        return result;
    }

    /// <summary>A run that must succeed.</summary>
    public async Task<FolderSyncResult> SyncedAsync(Func<FolderSyncOptions, FolderSyncOptions>? change = null)
    {
        var result = await SyncAsync(change);
        result.Outcome.ShouldBe(Outcome.Completed, $"{result.Reason} {string.Join(' ', result.Failures)}");
        return result;
    }

    public async Task<(RestoreSummary Summary, List<RestoredItem> Items)> RestoreAsync(string destination, Func<FolderRestoreOptions, FolderRestoreOptions>? change = null)
    {
        var options = new FolderRestoreOptions { From = Location, Store = store ?? new(), Destination = destination };
        var outputs = await FolderRestore.RunAsync(change is null ? options : change(options), cancellationToken: Token).ToListAsync(Token);
        return (outputs.OfType<RestoreSummary>().ShouldHaveSingleItem(), [.. outputs.OfType<RestoredItem>()]);
    }

    /// <summary>Restores to a new place and compares names, bytes, modes and times with the source.</summary>
    public async Task<string> ShouldComeBackAsync(string? expected = null)
    {
        var copy = _folder[$"copy-{_copies++}"];
        var (summary, items) = await RestoreAsync(copy);
        summary.Outcome.ShouldBe(Outcome.Completed, string.Join('\n', items));
        ShouldBeSame(expected ?? Source, copy);
        return copy;
    }

    public async Task<RunVerification> VerifyAsync(bool deep, string? runId = null) =>
        await RunVerifier.RunAsync(Location, new() { RunIds = runId is null ? null : [runId] }, deep, store, cancellationToken: Token).SingleAsync(Token);

    public async Task<List<BackupRun>> RunsAsync() => await RunQueries.RunAsync(Location, new(), store, Token).ToListAsync(Token);

    public async Task<IObjectStore> OpenStoreAsync() => await ObjectStores.OpenAsync(Location, store, Token);

    public async Task<List<InventoryEntry>> InventoryAsync()
    {
        await using var opened = await OpenStoreAsync();
        var catalog = new RunCatalog(opened);
        var manifest = (await catalog.FindLatestAsync("folders", CatalogSource.FromName(Source), null, Token)).ShouldNotBeNull();
        return await catalog.ReadInventoryAsync(manifest, Token).ToListAsync(Token);
    }

    public async Task<RunManifest> ManifestAsync()
    {
        await using var opened = await OpenStoreAsync();
        return (await new RunCatalog(opened).FindLatestAsync("folders", CatalogSource.FromName(Source), null, Token)).ShouldNotBeNull();
    }

    /// <summary>The current data objects: path below the source, and size.</summary>
    public async Task<List<string>> ObjectsAsync()
    {
        await using var opened = await OpenStoreAsync();
        var prefix = Source[1..] + "/";
        return await opened.ListAsync(cancellationToken: Token).Where(o => !o.Key.StartsWith("_catalog/", StringComparison.Ordinal)).Select(o => o.Key.StartsWith(prefix, StringComparison.Ordinal) ? o.Key[prefix.Length..] : o.Key).ToListAsync(Token);
    }

    /// <summary>When the folder was last marked as unchanged; null where it never was.</summary>
    public async Task<DateTimeOffset?> MarkedAsync()
    {
        await using var opened = await OpenStoreAsync();
        return (await CatalogMark.ReadAsync(opened, $"_catalog/unchanged/folders/{CatalogSource.FromName(Source)}.json", MarkJson.Default.UnchangedMark, Token))?.At;
    }

    /// <summary>Deletes all that is stored, as somebody would who knows nothing of us.</summary>
    public async Task EmptyStoreAsync()
    {
        await using var opened = await OpenStoreAsync();
        var keys = await opened.ListAsync(cancellationToken: Token).Select(item => item.Key).ToListAsync(Token);
        await foreach (var result in opened.DeleteAsync(keys.ToAsyncEnumerable(), Token))
            result.Failure.ShouldBeNull();
    }

    public string CacheFile => Directory.GetFiles(Cache, "*.db").ShouldHaveSingleItem();

    public void LoseCache() => Directory.Delete(Cache, recursive: true);

    /// <summary>Every file below a directory with the hash of its bytes; nothing where there is no directory.</summary>
    public static SortedDictionary<string, string> Bytes(params string[] directories)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in directories.Where(Directory.Exists).SelectMany(d => Directory.EnumerateFileSystemEntries(d, "*", SearchOption.AllDirectories)))
            found[file] = File.Exists(file) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))) : "directory";
        return found;
    }

    /// <summary>Compares by find and diff, which know nothing of us: kinds, modes, times to 100 ns (18 characters of a time after 2001), link targets, bytes.</summary>
    public static void ShouldBeSame(string expected, string actual)
    {
        Describe(actual).ShouldBe(Describe(expected));
        var (exit, output) = Run("diff", "-rq", "--no-dereference", expected, actual);
        exit.ShouldBe(0, output);
    }

    public static (int Exit, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.Latin1 })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    public void Dispose() => _folder.Dispose();

    private static List<string> Describe(string directory)
    {
        var (exit, output) = Run("find", directory, "-mindepth", "1", "-printf", "%P %y %m %.18T@ %l\\0");
        exit.ShouldBe(0, output);
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }
}

/// <summary>Hears what a run says, as it says it.</summary>
internal sealed class Listener(Action<string> hear) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => hear(formatter(state, exception));
}
