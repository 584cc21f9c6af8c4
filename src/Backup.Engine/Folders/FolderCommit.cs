using System.Globalization;
using System.Text.Json;
using Backup.Engine.Runs;

namespace Backup.Engine.Folders;

/// <summary>Ends a folder's run: the inventory of what changed, or now and then of everything, and then the manifest.</summary>
internal sealed class FolderCommit(RunWriter run, FolderCache cache, ObjectKeys keys)
{
    /// <summary>The manifest's property that tells the volume.</summary>
    public const string VolumeProperty = "volume";

    private const int MaxSegments = 12;

    // A delta this small is always worth a segment of its own, however small the folder.
    private const double FullInventoryShare = 0.2;

    /// <summary>Commits.</summary>
    /// <param name="manifest">What the run did.</param>
    /// <param name="identity">What the folder's root is; after a refusal that of the last good run, which stays the one to compare with.</param>
    /// <param name="cancellationToken">Stops before the manifest is written.</param>
    public async Task RunAsync(RunManifest manifest, string? identity, CancellationToken cancellationToken)
    {
        var segments = await WriteInventoryAsync(cancellationToken);
        manifest = await run.CommitAsync(
            manifest with
            {
                TotalObjects = cache.Files.Count,
                TotalBytes = cache.Files.Bytes,
                Inventory = segments,
                Properties = identity is null ? null : new Dictionary<string, string>(StringComparer.Ordinal) { [VolumeProperty] = identity },
            },
            cancellationToken);
        cache.CommitRun(
        [
            new(CacheNotes.Uploading, null),
            new(CacheNotes.LastManifest, RunCatalog.ManifestKey(manifest)),
            new(CacheNotes.Seen, manifest.Started.ToString("O", CultureInfo.InvariantCulture)),
            new(CacheNotes.Segments, JsonSerializer.Serialize(segments, ManifestJson.Default.IReadOnlyListInventorySegment)),
            new(CacheNotes.Identity, identity),
        ]);
    }

    private async Task<IReadOnlyList<InventorySegment>> WriteInventoryAsync(CancellationToken cancellationToken)
    {
        var segments = cache.Meta(CacheNotes.Segments) is { } json ? JsonSerializer.Deserialize(json, ManifestJson.Default.IReadOnlyListInventorySegment) ?? [] : [];
        var isFull = segments.Count == 0 || segments.Count >= MaxSegments || cache.JournalCount > cache.Files.Count * FullInventoryShare;
        if (!isFull && cache.JournalCount == 0)
            return segments;
        await using var writer = run.StartInventory(cancellationToken);
        if (isFull)
        {
            foreach (var row in cache.ReadAll())
                await writer.AddAsync(FolderInventory.ToEntry(row, keys), cancellationToken);
        }
        else
        {
            foreach (var (path, row) in cache.ReadJournal())
                await writer.AddAsync(row is null ? new() { Path = path, Type = InventoryEntryType.Deleted } : FolderInventory.ToEntry(row, keys), cancellationToken);
        }

        var segment = await writer.CompleteAsync(cancellationToken);
        return isFull ? [segment] : [.. segments, segment];
    }
}
