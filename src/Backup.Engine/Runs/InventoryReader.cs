using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>Reads an inventory: its segments are merged as they arrive, so that a million entries take no more memory than one.</summary>
internal static class InventoryReader
{
    private const int LineBuffer = 64 << 10;

    /// <summary>The entries in the order of their paths' UTF-8 bytes; of each path the newest, and none that was deleted.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Corrupt"/> where a segment is not what the manifest says. What was read before that must not be relied on.</exception>
    public static async IAsyncEnumerable<InventoryEntry> ReadAsync(IObjectStore store, IReadOnlyList<InventorySegment> segments, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursors = segments.Select(segment => ReadSegmentAsync(store, segment, cancellationToken).GetAsyncEnumerator(cancellationToken)).ToList();
        try
        {
            // By path, and of one path the newest segment first.
            var next = new PriorityQueue<int, (string Path, int Newness)>(Comparer<(string Path, int Newness)>.Create(
                static (a, b) => Utf8Order.Instance.Compare(a.Path, b.Path) is var order and not 0 ? order : a.Newness.CompareTo(b.Newness)));
            for (var i = 0; i < cursors.Count; i++)
                await AdvanceAsync(i);

            string? last = null;
            while (next.TryDequeue(out var index, out _))
            {
                var entry = cursors[index].Current;
                if (entry.Path != last && entry.Type != InventoryEntryType.Deleted)
                    yield return entry;
                last = entry.Path;
                await AdvanceAsync(index);
            }

            async ValueTask AdvanceAsync(int index)
            {
                if (await cursors[index].MoveNextAsync())
                    next.Enqueue(index, (cursors[index].Current.Path, -index));
            }
        }
        finally
        {
            foreach (var cursor in cursors)
                await cursor.DisposeAsync();
        }
    }

    private static async IAsyncEnumerable<InventoryEntry> ReadSegmentAsync(IObjectStore store, InventorySegment segment, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var content = await store.ReadAsync(segment.Key, null, cancellationToken);
        using var sha256 = SHA256.Create();
        await using var hashed = new CryptoStream(content.Stream, sha256, CryptoStreamMode.Read);
        await using var gzip = new GZipStream(hashed, CompressionMode.Decompress);
        using var lines = new StreamReader(gzip, bufferSize: LineBuffer);
        var entries = 0L;
        while (await ReadLineAsync(lines, segment, cancellationToken) is { } line)
        {
            entries++;
            yield return Parse(line, segment);
        }

        // The trailer of a gzip may be followed by more, which belongs to the hash.
        await hashed.CopyToAsync(Stream.Null, cancellationToken);
        if (entries != segment.Entries || Convert.ToHexStringLower(sha256.Hash ?? []) != segment.Sha256)
            throw Damaged(segment, $"it holds {entries} of {segment.Entries} entries, or other ones");
    }

    private static async ValueTask<string?> ReadLineAsync(StreamReader lines, InventorySegment segment, CancellationToken cancellationToken)
    {
        try
        {
            return await lines.ReadLineAsync(cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(segment, exception.Message, exception);
        }
    }

    private static InventoryEntry Parse(string line, InventorySegment segment)
    {
        try
        {
            return JsonSerializer.Deserialize(line, InventoryJson.Default.InventoryEntry) ?? throw Damaged(segment, "a line is empty");
        }
        catch (JsonException exception)
        {
            throw Damaged(segment, exception.Message, exception);
        }
    }

    private static BackupException Damaged(InventorySegment segment, string how, Exception? inner = null) =>
        new(FailureKind.Corrupt, $"The inventory '{segment.Key}' is damaged: {how}.", "Use an earlier run, or run the backup again with -Reset: that writes a new inventory.", inner);
}
