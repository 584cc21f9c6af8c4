namespace Backup.TestServers.S3.Storage;

/// <summary>Takes a body: in memory up to 1 MiB, in a file of the data directory beyond.</summary>
internal sealed class BlobWriter(string directory) : IAsyncDisposable
{
    private const int MemoryLimit = 1024 * 1024;

    private MemoryStream? _memory = new();
    private FileStream? _file;
    private long _length;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data)
    {
        _length += data.Length;
        if (_file is null && _length > MemoryLimit)
        {
            _file = new FileStream(Path.Combine(directory, Guid.NewGuid().ToString("N")), FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1);
            _memory!.Position = 0;
            await _memory.CopyToAsync(_file);
            _memory = null;
        }

        await (_file ?? (Stream)_memory!).WriteAsync(data);
    }

    public async Task<Blob> FinishAsync()
    {
        if (_file is null)
            return _length is 0 ? Blob.Empty : new Blob([new Segment(_memory!.ToArray())]);
        var path = _file.Name;
        await _file.DisposeAsync();
        _file = null;
        return new Blob([new Segment(path, _length)]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_file is null)
            return;
        await _file.DisposeAsync();
        File.Delete(_file.Name);
    }
}
