using Microsoft.Win32.SafeHandles;

namespace Backup.Engine.Files;

/// <summary>
/// A file that is read for a backup: from its beginning to its end, once. Its end is only reported after the file proved
/// to be what it was when it was opened, so that whoever stores it aborts instead of keeping half of one content and half of another.
/// </summary>
internal sealed class SourceFile : ReadOnlyStream
{
    private const long WorthReadingAhead = 1 << 20;

    private readonly SafeFileHandle _handle;
    private readonly string _display;
    private readonly Func<SafeFileHandle, string, FileEntry> _describe;
    private readonly long _openedTicks = DateTime.UtcNow.Ticks;
    private long _position;

    /// <summary>Takes over an open handle.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.ChangedWhileRead"/> where it is not a regular file (any more).</exception>
    public SourceFile(SafeFileHandle handle, string path, string display, Func<SafeFileHandle, string, FileEntry> describe)
    {
        (_handle, _display, _describe) = (handle, display, describe);
        Entry = describe(handle, path);
        if (Entry.Kind != FileEntryKind.File)
            throw new BackupException(FailureKind.ChangedWhileRead, $"'{display}' is not a regular file any more.", "It is taken up again by the next run.");

        const int sequential = 2;
        if (OperatingSystem.IsLinux() && Entry.Size >= WorthReadingAhead)
            _ = Libc.Advise((int)handle.DangerousGetHandle(), 0, 0, sequential);
    }

    /// <summary>The file as it was when it was opened: what a cache or an inventory says about the content that was read.</summary>
    public FileEntry Entry { get; }

    /// <summary>
    /// <see cref="Entry"/> for a cache. A file that was written within the clock tick before it was opened could be written
    /// again in that tick, with the same size and times: then the file id is 0, which no file has, and the next run hashes it.
    /// </summary>
    public FileEntry CacheEntry => IsSettled ? Entry : Entry with { FileId = Entry.FileId is null ? null : 0 };

    // The kernel's clock for files ticks 100 times a second or more often; whole seconds are those of FAT and old shares, where a tick lasts two.
    private bool IsSettled
    {
        get
        {
            var written = Math.Max(Entry.ModifiedTicks, Entry.ChangedTicks ?? 0);
            var tick = written % TimeSpan.TicksPerSecond == 0 ? 2 * TimeSpan.TicksPerSecond : 20 * TimeSpan.TicksPerMillisecond;
            return _openedTicks - written > tick;
        }
    }

    /// <summary>The size in bytes when it was opened.</summary>
    public override long Length => Entry.Size;

    /// <inheritdoc/>
    protected override long BytesRead => _position;

    /// <summary>Compares the file with what it was when it was opened; for whoever reads a known number of bytes and never meets the end.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.ChangedWhileRead"/>.</exception>
    public void ThrowIfChanged()
    {
        var now = _describe(_handle, Entry.Path);
        if (now.Size != Entry.Size || now.ModifiedTicks != Entry.ModifiedTicks || now.ChangedTicks != Entry.ChangedTicks)
            throw new BackupException(FailureKind.ChangedWhileRead, $"'{_display}' changed while it was read.", "Run again when nothing writes to it, or back up a snapshot of the volume.");
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = RandomAccess.Read(_handle, buffer, _position);
        return Advance(count, buffer.Length);
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (OperatingSystem.IsWindows())
            return ReadOverlappedAsync(buffer, cancellationToken);

        // Elsewhere .NET reads files on another thread of the pool, which is blocked for as long: only the two changes of thread are saved here.
        cancellationToken.ThrowIfCancellationRequested();
        return new(Read(buffer.Span));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _handle.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadOverlappedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await RandomAccess.ReadAsync(_handle, buffer, _position, cancellationToken);
        return Advance(count, buffer.Length);
    }

    private int Advance(int count, int wanted)
    {
        _position += count;

        // A file that ends early has shrunk, one that goes on has grown: both show here, before a declared length runs out.
        if (wanted > 0 && (count == 0 || _position >= Entry.Size))
            ThrowIfChanged();
        if (count == 0 && wanted > 0 && _position != Entry.Size)
            throw new BackupException(FailureKind.ChangedWhileRead, $"'{_display}' gave {_position} bytes instead of {Entry.Size}.", "Run again when nothing writes to it.");
        return count;
    }
}
