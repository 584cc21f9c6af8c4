using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>
/// The runs of a destination. Manifests are at <c>_catalog/runs/{system}/{source}/{yyyyMMddTHHmmssZ}-{runId}.json</c>, inventories at
/// <c>_catalog/inventories/{system}/{source}/{yyyyMMddTHHmmssZ}-{runId}.jsonl.gz</c>; both always in a class that can be read at once.
/// </summary>
internal sealed class RunCatalog(IObjectStore store)
{
    private const string Root = "_catalog/";
    private const string Runs = Root + "runs/";
    private const string Inventories = Root + "inventories/";
    private const string StampFormat = "yyyyMMdd'T'HHmmss'Z'";
    private const long MaxManifest = 16 << 20;

    /// <summary>A new run's id: 12 hexadecimal digits. The first three are its millisecond, so that two runs within a second stay in order.</summary>
    public static string NewRunId(DateTimeOffset started) => $"{started.Millisecond:x3}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5))[1..]}";

    /// <summary>The id of a run that is told by what it did: whoever does the same gets the same.</summary>
    public static string RunIdOf(DateTimeOffset started, string work) => $"{started.Millisecond:x3}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(work)))[..9]}";

    /// <summary>The class for what must be readable at once, or null where the store has none.</summary>
    public static string? HotClass(IObjectStore store) => store.Abilities.StorageClasses ? "STANDARD" : null;

    /// <summary>Where a run's inventory segment is.</summary>
    public static string InventoryKey(string system, string source, DateTimeOffset started, string runId) =>
        $"{Inventories}{system}/{source}/{Stamp(started)}-{runId}.jsonl.gz";

    /// <summary>Where a run's manifest is.</summary>
    public static string ManifestKey(RunManifest manifest) =>
        $"{Runs}{manifest.System}/{manifest.Source}/{Stamp(manifest.Started)}-{manifest.RunId}.json";

    /// <summary>Writes the manifest: from here on the run has happened.</summary>
    public Task CommitAsync(RunManifest manifest, CancellationToken cancellationToken) =>
        CatalogDocument.WriteAsync(store, ManifestKey(manifest), manifest, ManifestJson.Default.RunManifest, onlyIfAbsent: true, cancellationToken);

    /// <summary>Reads a manifest.</summary>
    public async Task<RunManifest> ReadAsync(string key, CancellationToken cancellationToken)
    {
        await using var content = await store.ReadAsync(key, null, cancellationToken);
        if (content.Object.Size > MaxManifest)
            throw Damaged(key, $"it is {content.Object.Size} bytes long");
        RunManifest? manifest;
        try
        {
            using var document = await JsonDocument.ParseAsync(content.Stream, default, cancellationToken);
            // A newer format may lack what this version requires: its number is looked at first.
            if (document.RootElement.TryGetProperty("format", out var format) && format.TryGetInt32(out var number) && number > RunManifest.CurrentFormat)
                throw new BackupException(FailureKind.NotSupported, $"The manifest '{key}' has format {number}; this version reads up to {RunManifest.CurrentFormat}.", "Update AtlassianBackup.");
            manifest = document.Deserialize(ManifestJson.Default.RunManifest);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Damaged(key, exception.Message, exception);
        }

        return manifest ?? throw Damaged(key, "it is empty");
    }

    /// <summary>The newest run of a source, at a time where one is given.</summary>
    public async Task<RunManifest?> FindLatestAsync(string system, string source, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        var keys = await KeysAsync($"{Runs}{system}/{source}/", cancellationToken);
        foreach (var key in keys)
        {
            if (at is { } limit && string.CompareOrdinal(key.Stamp, Stamp(limit)) > 0)
                continue;
            var manifest = await ReadAsync(key.Key, cancellationToken);
            if (at is null || manifest.Finished <= at)
                return manifest;
        }

        return null;
    }

    /// <summary>The runs that a query selects, newest first.</summary>
    /// <param name="query">Which runs.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    /// <param name="onDamaged">Told of a manifest that cannot be read, which is then left out; without it the listing ends there, since what comes before might be taken for the newest.</param>
    public async IAsyncEnumerable<RunManifest> ListAsync(RunQuery query, [EnumeratorCancellation] CancellationToken cancellationToken, Action<BackupException>? onDamaged = null)
    {
        var keys = await KeysAsync(query.System is { } system ? $"{Runs}{system}/" : Runs, cancellationToken);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (query.RunIds is { } ids && !ids.Contains(key.RunId, StringComparer.OrdinalIgnoreCase))
                continue;
            if (query.Until is { } until && string.CompareOrdinal(key.Stamp, Stamp(until)) > 0)
                continue;
            if (query.LatestOnly && seen.Contains(key.Source))
                continue;
            RunManifest manifest;
            try
            {
                manifest = await ReadAsync(key.Key, cancellationToken);
            }
            catch (BackupException exception) when (onDamaged is not null && exception.Kind is FailureKind.Corrupt or FailureKind.NotSupported)
            {
                onDamaged!(exception);
                continue;
            }

            if (manifest.Finished < query.Since || manifest.Finished > query.Until || (query.SourceName is { } name && !NameMatches(name, manifest.SourceName)))
                continue;
            seen.Add(key.Source);
            yield return manifest;
        }
    }

    /// <summary>Every run of one source, newest first.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Corrupt"/> where a manifest cannot be read.</exception>
    public async IAsyncEnumerable<RunManifest> ListSourceAsync(string system, string source, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var key in await KeysAsync($"{Runs}{system}/{source}/", cancellationToken))
            yield return await ReadAsync(key.Key, cancellationToken);
    }

    /// <summary>The sources of the destination with the keys of their newest manifests. However many runs there are, only one source's keys are held.</summary>
    /// <param name="newest">How many keys a source.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    public async IAsyncEnumerable<SourceRuns> ListSourcesAsync(int newest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = new Queue<string>();
        var (source, total) = ("", 0L);
        // Listings are in the order of the keys: sources one after the other, and the runs of each by their time.
        await foreach (var item in store.ListAsync(Runs, cancellationToken))
        {
            if (RunKey.TryParse(item.Key) is not { } key)
                continue;
            if (key.Source != source)
            {
                if (total > 0)
                    yield return SourceRuns.Of(source[Runs.Length..], keys, total);
                keys.Clear();
                (source, total) = (key.Source, 0);
            }

            total++;
            keys.Enqueue(key.Key);
            if (keys.Count > newest)
                keys.Dequeue();
        }

        if (total > 0)
            yield return SourceRuns.Of(source[Runs.Length..], keys, total);
    }

    /// <summary>The entries of a run.</summary>
    public IAsyncEnumerable<InventoryEntry> ReadInventoryAsync(RunManifest manifest, CancellationToken cancellationToken) =>
        InventoryReader.ReadAsync(store, manifest.Inventory, cancellationToken);

    private async Task<List<RunKey>> KeysAsync(string prefix, CancellationToken cancellationToken)
    {
        var keys = new List<RunKey>();
        await foreach (var item in store.ListAsync(prefix, cancellationToken))
        {
            if (RunKey.TryParse(item.Key) is { } key)
                keys.Add(key);
        }

        keys.Sort(static (a, b) => string.CompareOrdinal(b.Stamp, a.Stamp) is var order and not 0 ? order : string.CompareOrdinal(b.RunId, a.RunId));
        return keys;
    }

    /// <summary>Whether a source's name fits a pattern with <c>*</c> and <c>?</c>; case does not count.</summary>
    public static bool NameMatches(string pattern, string name) =>
        global::System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", @"\\", StringComparison.Ordinal), name, ignoreCase: true);

    /// <summary>A moment as keys write it.</summary>
    public static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture);

    private static BackupException Damaged(string key, string how, Exception? inner = null) =>
        new(FailureKind.Corrupt, $"The manifest '{key}' is damaged: {how.TrimEnd('.')}.", "The runs before and after it are not affected.", inner);

    private sealed record RunKey(string Key, string Source, string Stamp, string RunId)
    {
        private const string Ending = ".json";

        public static RunKey? TryParse(string key)
        {
            var slash = key.LastIndexOf('/');
            var name = key[(slash + 1)..];
            var hyphen = name.IndexOf('-', StringComparison.Ordinal);
            return hyphen > 0 && name.EndsWith(Ending, StringComparison.Ordinal)
                ? new(key, key[..slash], name[..hyphen], name[(hyphen + 1)..^Ending.Length])
                : null;
        }
    }
}
