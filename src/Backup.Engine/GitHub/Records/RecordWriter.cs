using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Json;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub;

/// <summary>Streams records into a store as gzipped JSON lines. Nothing is stored where there is no record.</summary>
internal sealed class RecordWriter(IObjectStore store, string key, CancellationToken cancellationToken) : IAsyncDisposable
{
    private const int FlushBytes = 64 << 10;

    private readonly ArrayBufferWriter<byte> _lines = new(FlushBytes + 4096);
    private Pipe? _pipe;
    private GZipStream? _gzip;
    private Utf8JsonWriter? _json;
    private Task<StoredObject>? _stored;
    private bool _completed;

    /// <summary>How many records were written.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a record, on a line of its own whatever its layout was.</summary>
    public async ValueTask AddAsync(JsonElement record)
    {
        Start();
        record.WriteTo(_json!);
        await _json!.FlushAsync(cancellationToken);
        _json.Reset();
        _lines.Write("\n"u8);
        Count++;
        if (_lines.WrittenCount >= FlushBytes)
            await FlushAsync();
    }

    /// <summary>Ends the file and returns once the store has confirmed it; null where there was nothing to store.</summary>
    /// <param name="evenIfEmpty">Whether an empty file says that there is nothing (any more).</param>
    public async Task<StoredObject?> CompleteAsync(bool evenIfEmpty = false)
    {
        if (_pipe is null && !evenIfEmpty)
            return null;
        Start();
        await FlushAsync();
        await _gzip!.DisposeAsync();
        await _pipe!.Writer.CompleteAsync();
        _completed = true;
        return await _stored!;
    }

    /// <summary>Where the file was not completed, nothing is stored.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_pipe is null)
            return;
        await _json!.DisposeAsync();
        if (_completed)
            return;
        await _pipe.Writer.CompleteAsync(new OperationCanceledException("The records were given up."));
        await _stored!.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private void Start()
    {
        if (_pipe is not null)
            return;
        _pipe = new();
        _gzip = new(_pipe.Writer.AsStream(), CompressionLevel.Fastest);
        _json = new(_lines);
        _stored = StoreAsync(_pipe.Reader);
    }

    private async Task<StoredObject> StoreAsync(PipeReader reader)
    {
        try
        {
            // Records are small, and an incremental pass is laid over them: they stay where they can be read at once.
            return await store.WriteAsync(key, reader.AsStream(), new() { StorageClass = RunCatalog.HotClass(store), ContentType = "application/gzip" }, cancellationToken);
        }
        catch (Exception exception)
        {
            // Whoever still writes would wait for ever for somebody to read.
            await reader.CompleteAsync(exception);
            throw;
        }
    }

    private async ValueTask FlushAsync()
    {
        if (_stored!.IsFaulted)
            await _stored;
        await _gzip!.WriteAsync(_lines.WrittenMemory, cancellationToken);
        _lines.ResetWrittenCount();
    }
}
