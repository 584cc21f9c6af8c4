using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Json;
using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>Streams an inventory segment into a store: lines are compressed and sent as they are given, and none is kept.</summary>
internal sealed class InventoryWriter : IAsyncDisposable
{
    private const int FlushBytes = 64 << 10;

    private readonly Pipe _pipe = new();
    private readonly Task<StoredObject> _stored;
    private readonly GZipStream _gzip;
    private readonly ArrayBufferWriter<byte> _lines = new(FlushBytes + 4096);
    private readonly Utf8JsonWriter _json;
    private readonly string _key;
    private string? _last;
    private long _entries;
    private bool _completed;

    private InventoryWriter(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        _key = key;
        _gzip = new(_pipe.Writer.AsStream(), CompressionLevel.Fastest);
        _json = new(_lines);
        _stored = StoreAsync(store, key, cancellationToken);
    }

    /// <summary>Begins a segment.</summary>
    public static InventoryWriter Start(IObjectStore store, string key, CancellationToken cancellationToken) => new(store, key, cancellationToken);

    /// <summary>Adds an entry. Entries come in the order of their paths' UTF-8 bytes.</summary>
    public async ValueTask AddAsync(InventoryEntry entry, CancellationToken cancellationToken)
    {
        if (_last is not null && Utf8Order.Instance.Compare(_last, entry.Path) >= 0)
            throw new InvalidOperationException($"The inventory entry '{entry.Path}' does not follow '{_last}'.");
        _last = entry.Path;
        _entries++;
        JsonSerializer.Serialize(_json, entry, InventoryJson.Default.InventoryEntry);
        _json.Reset();
        _lines.Write("\n"u8);
        if (_lines.WrittenCount >= FlushBytes)
            await FlushAsync(cancellationToken);
    }

    /// <summary>Ends the segment and returns once the store has confirmed it.</summary>
    public async Task<InventorySegment> CompleteAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await _gzip.DisposeAsync();
        await _pipe.Writer.CompleteAsync();
        _completed = true;
        var stored = await _stored;
        return new(_key, stored.Sha256!, stored.Size, _entries);
    }

    /// <summary>Where the segment was not completed, nothing is stored.</summary>
    public async ValueTask DisposeAsync()
    {
        await _json.DisposeAsync();
        if (_completed)
            return;
        await _pipe.Writer.CompleteAsync(new OperationCanceledException("The inventory was given up."));
        await _stored.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private async Task<StoredObject> StoreAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        var content = _pipe.Reader.AsStream();
        try
        {
            return await store.WriteAsync(key, content, new() { StorageClass = RunCatalog.HotClass(store), ContentType = "application/gzip" }, cancellationToken);
        }
        catch (Exception exception)
        {
            // Whoever still writes would wait for ever for somebody to read.
            await _pipe.Reader.CompleteAsync(exception);
            throw;
        }
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_stored.IsFaulted)
            await _stored;
        await _gzip.WriteAsync(_lines.WrittenMemory, cancellationToken);
        _lines.ResetWrittenCount();
    }
}
