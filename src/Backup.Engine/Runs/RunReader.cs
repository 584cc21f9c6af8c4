using Backup.Engine.Stores;
using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Runs;

/// <summary>Opens what a run's inventory names. A large object of S3 is read by several ranges at once: one connection is slower than the line.</summary>
internal sealed class RunReader(IObjectStore store)
{
    private const long Large = 4 * RangeReader.RangeSize;

    // 128 MiB read ahead, however many large objects are read side by side.
    private const int RangesAhead = 16;

    private readonly SemaphoreSlim _ahead = new(RangesAhead);

    /// <summary>Opens an entry's content. It is for the caller to compare its hash.</summary>
    public async Task<Stream> OpenAsync(InventoryEntry entry, CancellationToken cancellationToken) => store.Location.IsS3 && entry.Size >= Large
        ? new RangeReader(store, entry.Key!, entry.Version, entry.Size, _ahead)
        : (await store.ReadAsync(entry.Key!, new() { VersionId = entry.Version }, cancellationToken)).Stream;
}
