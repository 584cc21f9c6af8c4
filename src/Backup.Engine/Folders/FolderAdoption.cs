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
    private const int Batch = 1_000;

    // Listings and answers have whole seconds, and one may be rounded where the other is cut.
    private const long ClockGrain = 2 * TimeSpan.TicksPerSecond;

    /// <summary>Fills an empty cache; false where the store holds nothing of this folder.</summary>
    public async Task<bool> RunAsync(FolderCache cache, string source, CancellationToken cancellationToken)
    {
        try
        {
            var manifest = await catalog.FindLatestAsync(FolderRun.System, source, null, cancellationToken);
            if (manifest is not null)
                Continue(cache, manifest);
            var inventory = manifest is null ? AsyncEnumerable.Empty<InventoryEntry>() : catalog.ReadInventoryAsync(manifest, cancellationToken);
            // By the store's clock, as the times of the objects are: this machine's may be another.
            var committed = manifest is null ? null : await store.HeadAsync(RunCatalog.ManifestKey(manifest), null, cancellationToken);
            await MergeAsync(cache, inventory, committed?.LastModified.AddTicks(ClockGrain) ?? DateTimeOffset.MinValue, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.Corrupt or FailureKind.NotFound)
        {
            // Each object says itself what it is, at the price of a request.
            options.Logger?.LogWarning("{Reason} The cache is rebuilt from the objects alone.", exception.Message);
            await MergeAsync(cache, AsyncEnumerable.Empty<InventoryEntry>(), DateTimeOffset.MinValue, cancellationToken);
        }

        options.Logger?.LogInformation("The cache was rebuilt from the store: {Files} files.", cache.Files.Count);
        return cache.Files.Count > 0;
    }

    private void Continue(FolderCache cache, RunManifest manifest)
    {
        cache.SetMeta(CacheNotes.LastManifest, RunCatalog.ManifestKey(manifest));
        if (manifest.Host != Environment.MachineName)
            options.Logger?.LogWarning("The newest run of this folder was made by '{Host}', not by this machine: it is taken over.", manifest.Host);
        // The volume is this machine's own: that of another one tells nothing of a disk that is not mounted here.
        else if (manifest.Properties?.GetValueOrDefault(FolderCommit.VolumeProperty) is { } volume)
            cache.SetMeta(CacheNotes.Identity, volume);
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

    /// <summary>Adopts what inventory and listing agree on, and asks for each object that only the listing knows, or knows better.</summary>
    private async Task MergeAsync(FolderCache cache, IAsyncEnumerable<InventoryEntry> inventory, DateTimeOffset inventoryTime, CancellationToken cancellationToken)
    {
        var unknown = new List<string>(Batch);
        // Shortened keys are not in the order of their paths; there are few of them.
        var shortened = new Dictionary<string, InventoryEntry>(StringComparer.Ordinal);
        var shortenedListed = new List<StoredObject>();
        await using var listing = store.ListAsync(keys.ListPrefix, cancellationToken).Where(IsOurs).GetAsyncEnumerator(cancellationToken);
        var more = await MoveNextAsync();

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

            while (more && Utf8Order.Instance.Compare(listing.Current.Key, entry.Key) < 0)
            {
                await TakeAsync(listing.Current, null);
                more = await MoveNextAsync();
            }

            if (more && listing.Current.Key == entry.Key)
            {
                await TakeAsync(listing.Current, entry);
                more = await MoveNextAsync();
            }
        }

        for (; more; more = await MoveNextAsync())
            await TakeAsync(listing.Current, null);
        foreach (var stored in shortenedListed)
            await TakeAsync(stored, shortened.GetValueOrDefault(stored.Key));
        await AskAsync();

        async ValueTask<bool> MoveNextAsync()
        {
            while (await listing.MoveNextAsync())
            {
                if (!ObjectKeys.IsShortened(listing.Current.Key))
                    return true;
                shortenedListed.Add(listing.Current);
            }

            return false;
        }

        async ValueTask TakeAsync(StoredObject stored, InventoryEntry? entry)
        {
            // What was written after the inventory came from a run that was killed before its commit.
            if (entry is not null && stored.Size == entry.Size && stored.LastModified <= inventoryTime)
            {
                Put(cache, FolderInventory.ToRow(entry) with { StoredAtTicks = stored.LastModified.UtcTicks });
                return;
            }

            unknown.Add(stored.Key);
            if (unknown.Count == Batch)
                await AskAsync();
        }

        async Task AskAsync()
        {
            await AdoptUnknownAsync(cache, unknown, cancellationToken);
            unknown.Clear();
        }
    }

    private Task AdoptUnknownAsync(FolderCache cache, List<string> unknown, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(unknown, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken }, (key, token) => AdoptUnknownAsync(cache, key, token));

    private bool IsOurs(StoredObject stored) => keys.TryGetPath(stored.Key, out _) || ObjectKeys.IsShortened(stored.Key);

    private async ValueTask AdoptUnknownAsync(FolderCache cache, string key, CancellationToken cancellationToken)
    {
        if (await HeadAsync(key, cancellationToken) is not { } head || await PathOfAsync(key, cancellationToken) is not { } path)
            return;
        Put(cache, new(new FileEntry
        {
            Path = path,
            Kind = FileEntryKind.File,
            Size = head.Size,
            ModifiedTicks = FolderInventory.ModifiedTicks(head.Metadata) ?? head.LastModified.UtcTicks,
            Mode = InventoryEntry.ParseMode(head.Metadata.GetValueOrDefault("mode")),
        })
        {
            Sha256 = head.Sha256 is { } hash ? Convert.FromHexString(hash) : null,
            Checksum = head.Checksum?.ToString(),
            Version = head.VersionId,
            StorageClass = head.StorageClass,
            StoredAtTicks = head.LastModified.UtcTicks,
        });
    }

    private async ValueTask<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.HeadAsync(key, null, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.PermissionDenied)
        {
            // One object that may not be seen is one file that is sent again, not the end of the run.
            options.Logger?.LogWarning("{Reason} It is not taken over.", exception.Message);
            return null;
        }
    }

    private async ValueTask<string?> PathOfAsync(string key, CancellationToken cancellationToken)
    {
        if (keys.TryGetPath(key, out var path))
            return path;
        return await LongNames.ReadAsync(store, key, cancellationToken) is { } name && name.StartsWith(keys.Root, StringComparison.Ordinal) ? name[keys.Root.Length..] : null;
    }

    private static void Put(FolderCache cache, CacheRow row) => cache.Put(row with { Entry = row.Entry with { FileId = FolderChanges.Unproven } });
}
