namespace Backup.Engine.GitHub.Git;

/// <summary>What a packet line is (gitprotocol-common(5), gitprotocol-v2(5)).</summary>
internal enum PktKind
{
    /// <summary>The stream has ended between two packets.</summary>
    End,

    /// <summary>0000.</summary>
    Flush,

    /// <summary>Bytes.</summary>
    Data,
}

/// <summary>
/// Reads packet lines: four hexadecimal digits of length, themselves included, then the bytes. Strict: what is not a packet line
/// is <see cref="FailureKind.Corrupt"/>, and a packet that is cut is <see cref="FailureKind.Unavailable"/>.
/// </summary>
internal sealed class PktLineReader(Stream stream, string source)
{
    private const int LengthDigits = 4;

    /// <summary>LARGE_PACKET_MAX of git's pkt-line.h.</summary>
    private const int MaxPacket = 65_520;

    private readonly byte[] _buffer = new byte[4 * MaxPacket];
    private int _start;
    private int _end;

    /// <summary>The bytes of the last packet, until the next is read.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Reads the next packet.</summary>
    public async ValueTask<PktKind> ReadAsync(CancellationToken cancellationToken)
    {
        Payload = default;
        if (!await FillAsync(LengthDigits, mayEnd: true, cancellationToken))
            return PktKind.End;
        var digits = _buffer.AsSpan(_start, LengthDigits);
        if (!TryParseLength(digits, out var length) || length is > MaxPacket or 1 or 2 or 3)
            throw new BackupException(FailureKind.Corrupt, $"{source} sent something that is not a packet of git's protocol.", "Check the address, and what stands between this machine and it.");
        _start += LengthDigits;
        if (length == 0)
            return PktKind.Flush;
        var size = length - LengthDigits;
        await FillAsync(size, mayEnd: false, cancellationToken);
        Payload = _buffer.AsMemory(_start, size);
        _start += size;
        return PktKind.Data;
    }

    private async ValueTask<bool> FillAsync(int count, bool mayEnd, CancellationToken cancellationToken)
    {
        while (_end - _start < count)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (read == 0)
            {
                if (mayEnd && _end == _start)
                    return false;
                throw new BackupException(FailureKind.Unavailable, $"The answer of {source} was cut in the middle of a packet.", "Run again.");
            }

            _end += read;
        }

        return true;
    }

    private static bool TryParseLength(ReadOnlySpan<byte> digits, out int length)
    {
        length = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit))
                return false;
            length = (length << 4) | ((digit & 0xF) + (digit > '9' ? 9 : 0));
        }

        return true;
    }
}
