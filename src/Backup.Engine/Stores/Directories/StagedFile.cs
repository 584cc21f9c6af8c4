using System.Security.Cryptography;
using Backup.Engine.Stores.Checksums;
using Microsoft.Win32.SafeHandles;

namespace Backup.Engine.Stores.Directories;

/// <summary>A file that is not an object yet: written, hashed, flushed and read back before anybody sees it.</summary>
internal sealed class StagedFile : IDisposable
{
    // Less than what a system collects before it begins to write by itself, and enough for a disk to write at full speed.
    private const long Window = 32 << 20;

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly bool _flush;
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Crc64Nvme _crc = new();

    private long _begun;

    private StagedFile(string path, SafeFileHandle handle, bool flush)
    {
        _path = path;
        _handle = handle;
        _flush = flush;
    }

    /// <summary>Bytes so far.</summary>
    public long Size { get; private set; }

    /// <summary>Creates the file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="flush">Whether it will be flushed.</param>
    public static StagedFile Create(string path, bool flush)
    {
        try
        {
            return new(path, File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous), flush);
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            throw DirectoryFailures.Translate(exception, path);
        }
    }

    /// <summary>Adds a block: the disk and the hashes work on it at the same time.</summary>
    public async Task AppendAsync(ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        try
        {
            var writing = RandomAccess.WriteAsync(_handle, block, Size, cancellationToken).AsTask();
            _sha256.AppendData(block.Span);
            _crc.Append(block.Span);
            await writing;
            Size += block.Length;
            if (_flush && Size - _begun >= Window)
            {
                FileSystemCalls.StartWriting(_handle, _begun, Size - _begun);
                _begun = Size;
            }
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            throw DirectoryFailures.Translate(exception, _path);
        }
    }

    /// <summary>The SHA-256 of all blocks, as 64 lower-case hexadecimal digits.</summary>
    public string Sha256() => Convert.ToHexStringLower(_sha256.GetCurrentHash());

    /// <summary>
    /// Gives the file the moment as its last write, flushes it, reads it back from the disk where the system lets us, and closes it.
    /// </summary>
    /// <returns>The checksum of what was read back, and the last write as the file system kept it.</returns>
    /// <exception cref="BackupException"><see cref="FailureKind.ChecksumMismatch"/> when something else came back.</exception>
    public async Task<(string Crc64Nvme, long DataTicks)> ConfirmAsync(DateTime moment, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            File.SetLastWriteTimeUtc(_handle, moment);
            if (_flush)
            {
                RandomAccess.FlushToDisk(_handle);
                // Only what was flushed can be dropped; asking for the rest would only start writing it.
                FileSystemCalls.DropFromCache(_handle);
            }

            var (size, crc) = await ReadBackAsync(buffer, cancellationToken);
            if (size != Size || crc != _crc.Value)
            {
                throw new BackupException(
                    FailureKind.ChecksumMismatch,
                    $"What was read back from '{_path}' is not what was written: {size} bytes for {Size}.",
                    "The drive, its cable or the memory is failing: check them before you trust this store.");
            }

            var ticks = File.GetLastWriteTimeUtc(_handle).Ticks;
            _handle.Dispose();
            return (Crc64Nvme.ToBase64(crc), ticks);
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            throw DirectoryFailures.Translate(exception, _path);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _handle.Dispose();
        _sha256.Dispose();
    }

    private async Task<(long Size, ulong Crc)> ReadBackAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var crc = new Crc64Nvme();
        var position = 0L;
        while (await RandomAccess.ReadAsync(_handle, buffer, position, cancellationToken) is var read and > 0)
        {
            crc.Append(buffer.Span[..read]);
            position += read;
        }
        return (position, crc.Value);
    }
}
