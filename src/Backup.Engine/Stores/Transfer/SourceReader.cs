using System.Security.Cryptography;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Stores.Transfer;

/// <summary>
/// Reads an object's source once: counts, hashes, and holds it to its declared length and hash.
/// Exceptions of the source itself pass through untouched.
/// </summary>
internal sealed class SourceReader(Stream source, string key, WriteOptions options) : IDisposable
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _ahead = new byte[1];
    private readonly Crc64Nvme _crc64 = new();
    private ulong _crcOfParts;
    private long _bytesOfParts;
    private bool _hasAhead;
    private bool _ended;
    private string? _hash;

    /// <summary>Bytes read so far.</summary>
    public long Count { get; private set; }

    /// <summary>CRC-64/NVME of the bytes read so far.</summary>
    public ulong Crc64 => Crc64Nvme.Combine(_crcOfParts, _crc64.Value, Count - _bytesOfParts);

    /// <summary>Ends a part: CRC-64/NVME of the bytes read since the last one ended. The whole is combined from these, so that no byte is counted twice.</summary>
    public ulong EndPart()
    {
        var part = _crc64.Value;
        (_crcOfParts, _bytesOfParts) = (Crc64, Count);
        _crc64.Reset();
        return part;
    }

    /// <summary>SHA-256 of the whole source, once it has ended.</summary>
    public string Sha256 => _hash ??= Convert.ToHexStringLower(_sha256.GetHashAndReset());

    /// <summary>Reads some bytes; 0 means the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_hasAhead)
        {
            buffer.Span[0] = _ahead[0];
            _hasAhead = false;
            Take(buffer.Span[..1]);
            return 1;
        }

        if (_ended)
            return 0;
        var read = await source.ReadAsync(buffer, cancellationToken);
        if (read == 0)
            End();
        else
            Take(buffer.Span[..read]);
        return read;
    }

    /// <summary>Whether the source has ended; looks one byte ahead.</summary>
    public async ValueTask<bool> AtEndAsync(CancellationToken cancellationToken)
    {
        if (_hasAhead || _ended)
            return _ended;
        _hasAhead = await source.ReadAsync(_ahead, cancellationToken) == 1;
        if (!_hasAhead)
            End();
        else if (Count + 1 > options.Length)
            throw WrongLength("longer");
        return _ended;
    }

    public void Dispose() => _sha256.Dispose();

    private void Take(ReadOnlySpan<byte> bytes)
    {
        Count += bytes.Length;
        if (Count > options.Length)
            throw WrongLength("longer");
        _sha256.AppendData(bytes);
        _crc64.Append(bytes);
    }

    private void End()
    {
        _ended = true;
        if (Count < options.Length)
            throw WrongLength("shorter");
        if (options.ExpectedSha256 is { } expected && !expected.Equals(Sha256, StringComparison.OrdinalIgnoreCase))
            throw new BackupException(FailureKind.ChecksumMismatch, $"The source of '{key}' has SHA-256 {Sha256}, not {expected.ToLowerInvariant()}.", "Nothing was stored. Check the source and run again.");
    }

    private BackupException WrongLength(string how) =>
        new(FailureKind.LengthMismatch, $"The source of '{key}' is {how} than the declared {options.Length} bytes.", "Nothing was stored. It was probably being written to; run again.");
}
