using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Backup.Engine.Runs;

/// <summary>
/// Puts entries that come in any order, from any thread, into the order of an inventory. Beyond a few thousand they wait sorted in temporary files, so that
/// millions take no more memory than those.
/// </summary>
/// <param name="held">How many are held at a time.</param>
/// <param name="directory">Where the rest waits; null for the temporary directory.</param>
internal sealed class InventorySorter(int held = InventorySorter.DefaultHeld, string? directory = null) : IDisposable
{
    private const int DefaultHeld = 8192;
    private const int FileBuffer = 32 << 10;

    private readonly Lock _lock = new();
    private readonly List<FileStream> _files = [];
    private readonly List<InventoryEntry> _held = [];

    /// <summary>How many were added.</summary>
    public long Count { get; private set; }

    /// <summary>Adds entries.</summary>
    public void Add(IEnumerable<InventoryEntry> entries)
    {
        lock (_lock)
        {
            var before = _held.Count;
            _held.AddRange(entries);
            Count += _held.Count - before;
            if (_held.Count >= held)
                Spill();
        }
    }

    /// <summary>Adds an entry.</summary>
    public void Add(InventoryEntry entry) => Add([entry]);

    /// <summary>All of them in the order of their paths' UTF-8 bytes, when no more are added.</summary>
    public async IAsyncEnumerable<InventoryEntry> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Sort();
        List<IAsyncEnumerator<InventoryEntry>> cursors = [.. _files.Select(file => ReadAsync(file, cancellationToken).GetAsyncEnumerator(cancellationToken)), _held.ToAsyncEnumerable().GetAsyncEnumerator(cancellationToken)];
        try
        {
            var next = new PriorityQueue<IAsyncEnumerator<InventoryEntry>, string>(Utf8Order.Instance);
            foreach (var cursor in cursors)
                await AdvanceAsync(cursor);
            while (next.TryDequeue(out var cursor, out _))
            {
                yield return cursor.Current;
                await AdvanceAsync(cursor);
            }

            async ValueTask AdvanceAsync(IAsyncEnumerator<InventoryEntry> cursor)
            {
                if (await cursor.MoveNextAsync())
                    next.Enqueue(cursor, cursor.Current.Path);
            }
        }
        finally
        {
            foreach (var cursor in cursors)
                await cursor.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
    }

    private static async IAsyncEnumerable<InventoryEntry> ReadAsync(FileStream file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        file.Position = 0;
        await using var gzip = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
        using var lines = new StreamReader(gzip);
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
            yield return JsonSerializer.Deserialize(line, InventoryJson.Default.InventoryEntry)!;
    }

    private void Sort() => _held.Sort(static (a, b) => Utf8Order.Instance.Compare(a.Path, b.Path));

    private void Spill()
    {
        Sort();
        var file = new FileStream(Path.Combine(directory ?? Path.GetTempPath(), $"AtlassianBackup-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileBuffer, FileOptions.DeleteOnClose);
        _files.Add(file);
        // Also a run that is killed leaves none behind; Windows sees to that by itself.
        if (!OperatingSystem.IsWindows())
            File.Delete(file.Name);
        using (var gzip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var entry in _held)
            {
                JsonSerializer.Serialize(gzip, entry, InventoryJson.Default.InventoryEntry);
                gzip.WriteByte((byte)'\n');
            }
        }

        file.Flush();
        _held.Clear();
    }
}
