using System.Globalization;
using Backup.Engine.Files;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Folders;

/// <summary>
/// Rebuilds a lost cache from the store: the newest inventory, held against the listing, because the store has the last word.
/// What is adopted is hashed by the run that follows before it counts as stored; nothing of it is sent again if it is the same.
/// </summary>
internal sealed class FolderAdoption(IObjectStore store, RunCatalog catalog, ObjectKeys keys, FolderSyncOptions options)
{
    private const int Parallelism = 32;

    // Listings and answers have whole seconds, and one may be rounded where the other is cut.
    private const long ClockGrain = 2 * TimeSpan.TicksPerSecond;

    /// <summary>Fills an empty cache; false where the store holds nothing of this folder.</summary>
    public async Task<bool> RunAsync(FolderCache cache, string source, CancellationToken cancellationToken)
    {
        var manifest = await catalog.FindLatestAsync(FolderRun.System, source, null, cancellationToken);
        if (manifest is not null && manifest.Host != Environment.MachineName)
            options.Logger?.LogWarning("The newest run of this folder was made by '{Host}', not by this machine: it is taken over.", manifest.Host);

        var inventory = manifest is null ? AsyncEnumerable.Empty<InventoryEntry>() : catalog.ReadInventoryAsync(manifest, cancellationToken);
        var unknown = await MergeAsync(cache, inventory, manifest?.Finished ?? DateTimeOffset.MinValue, cancellationToken);
        await AdoptUnknownAsync(cache, unknown, cancellationToken);
        options.Logger?.LogInformation("The cache was rebuilt from the store: {Files} files.", cache.Files.Count);
        return cache.Files.Count > 0;
    }

    /// <summary>After a run was killed: adopts what it stored in its last moments and could not note any more. False where there is nothing of the kind.</summary>
    public async Task<bool> AdoptNewerAsync(FolderCache cache, CancellationToken cancellationToken)
    {
        var unknown = new List<string>();
        await foreach (var stored in store.ListAsync(keys.ListPrefix, cancellationToken).Where(IsOurs))
        {
            if (await PathOfAsync(stored.Key, cancellationToken) is { } path && !IsKnown(stored, cache.Find(path)))
                unknown.Add(stored.Key);
        }

        await AdoptUnknownAsync(cache, unknown, cancellationToken);
        options.Logger?.LogInformation("The last run was interrupted: {Files} files that it had stored are adopted.", unknown.Count);
        return unknown.Count > 0;
    }

    private static bool IsKnown(StoredObject stored, CacheRow? row) =>
        row?.StoredAtTicks is { } ticks && row.Entry.Kind == FileEntryKind.File && row.Entry.Size == stored.Size && stored.LastModified.UtcTicks <= ticks + ClockGrain;

    private Task AdoptUnknownAsync(FolderCache cache, List<string> unknown, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(unknown, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken }, (key, token) => AdoptUnknownAsync(cache, key, token));

    /// <summary>Adopts what inventory and listing agree on, and returns the keys that only the listing knows, or knows better.</summary>
    private async Task<List<string>> MergeAsync(FolderCache cache, IAsyncEnumerable<InventoryEntry> inventory, DateTimeOffset inventoryTime, CancellationToken cancellationToken)
    {
        var unknown = new List<string>();
        // Shortened keys are not in the order of their paths; there are few of them.
        var shortened = new Dictionary<string, InventoryEntry>(StringComparer.Ordinal);
        await using var listing = store.ListAsync(keys.ListPrefix, cancellationToken).Where(IsOurs).GetAsyncEnumerator(cancellationToken);
        var more = await listing.MoveNextAsync();

        await foreach (var entry in inventory)
        {
            if (entry.Type != InventoryEntryType.File)
            {
                cache.Put(FolderInventory.ToRow(entry));
                continue;
            }

            if (ObjectKeys.IsShortened(entry.Key!))
            {
                shortened[entry.Key!] = entry;
                continue;
            }

            while (more && (ObjectKeys.IsShortened(listing.Current.Key) || Utf8Order.Instance.Compare(listing.Current.Key, entry.Key) < 0))
                more = await NextAsync();
            if (more && listing.Current.Key == entry.Key)
            {
                Meet(entry, listing.Current);
                more = await listing.MoveNextAsync();
            }
        }

        while (more)
            more = await NextAsync();
        return unknown;

        async ValueTask<bool> NextAsync()
        {
            if (shortened.Remove(listing.Current.Key, out var entry))
                Meet(entry, listing.Current);
            else
                unknown.Add(listing.Current.Key);
            return await listing.MoveNextAsync();
        }

        void Meet(InventoryEntry entry, StoredObject stored)
        {
            // Written after the inventory: by a run that was killed before its commit.
            if (stored.Size == entry.Size && stored.LastModified <= inventoryTime)
                Put(cache, FolderInventory.ToRow(entry));
            else
                unknown.Add(stored.Key);
        }
    }

    private bool IsOurs(StoredObject stored) => keys.TryGetPath(stored.Key, out _) || ObjectKeys.IsShortened(stored.Key);

    private async ValueTask AdoptUnknownAsync(FolderCache cache, string key, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(key, null, cancellationToken) is not { } head || await PathOfAsync(key, cancellationToken) is not { } path)
            return;
        Put(cache, new(new FileEntry { Path = path, Kind = FileEntryKind.File, Size = head.Size, Mode = InventoryEntry.ParseMode(head.Metadata.GetValueOrDefault("mode")) })
        {
            Sha256 = head.Sha256 is { } hash ? Convert.FromHexString(hash) : null,
            Checksum = head.Checksum?.ToString(),
            Version = head.VersionId,
            StorageClass = head.StorageClass,
            StoredAtTicks = head.LastModified.UtcTicks,
        });
    }

    private async ValueTask<string?> PathOfAsync(string key, CancellationToken cancellationToken)
    {
        if (keys.TryGetPath(key, out var path))
            return path;
        return await LongNames.ReadAsync(store, key, cancellationToken) is { } name && name.StartsWith(keys.Root, StringComparison.Ordinal) ? name[keys.Root.Length..] : null;
    }

    // A modification time that no file has makes the run look at the content.
    private static void Put(FolderCache cache, CacheRow row) => cache.Put(row with { Entry = row.Entry with { ModifiedTicks = 0 } });
}
