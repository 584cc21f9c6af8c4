using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Backup.TestServers.S3.Auth;

namespace Backup.TestServers.S3.Body;

/// <summary>Decodes an aws-chunked body, verifying each chunk's signature and the trailer's as they pass.</summary>
internal sealed class AwsChunkedReader(Stream source, PayloadSigning signing) : IDisposable
{
    private const int LongestLine = 16 * 1024;
    private const int SmallestSignedChunk = 8192;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly IncrementalHash? _hash = signing.ChunksAreSigned ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    private int _start;
    private int _end;
    private long _left;
    private bool _inChunk;
    private bool _sawShortChunk;
    private bool _done;
    private string _signature = signing.SeedSignature;
    private string _given = "";

    public Dictionary<string, string> Trailers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>0 at the end, which is reached only when everything was verified.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> target)
    {
        while (!_done)
        {
            if (_inChunk && _left > 0)
                return await ReadDataAsync(target);
            if (_inChunk)
                await EndChunkAsync();
            else
                await BeginChunkAsync();
        }

        return 0;
    }

    public void Dispose() => _hash?.Dispose();

    private async ValueTask<int> ReadDataAsync(Memory<byte> target)
    {
        var wanted = (int)Math.Min(_left, target.Length);
        int read;
        if (_start < _end)
        {
            read = Math.Min(wanted, _end - _start);
            _buffer.AsMemory(_start, read).CopyTo(target);
            _start += read;
        }
        else
        {
            read = await source.ReadAsync(target[..wanted]);
            if (read is 0)
                throw S3Error.IncompleteBody();
        }

        _left -= read;
        _hash?.AppendData(target.Span[..read]);
        return read;
    }

    private async ValueTask BeginChunkAsync()
    {
        var line = await ReadLineAsync() ?? throw S3Error.IncompleteBody();
        var semicolon = line.IndexOf(';', StringComparison.Ordinal);
        var size = semicolon < 0 ? line : line[..semicolon];
        if (!long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left) || _left < 0)
            throw Invalid("The chunk size is not hexadecimal.");
        if (signing.ChunksAreSigned)
        {
            const string extension = "chunk-signature=";
            if (semicolon < 0 || !line.AsSpan(semicolon + 1).StartsWith(extension))
                throw Invalid("The chunk has no signature.");
            _given = line[(semicolon + 1 + extension.Length)..];
            if (_left > 0 && _sawShortChunk)
                throw new S3Error(403, "InvalidChunkSizeError", "Only the last chunk is allowed to have a size less than 8192 bytes");
            _sawShortChunk = _left < SmallestSignedChunk;
        }

        if (_left > 0)
        {
            _inChunk = true;
            return;
        }

        VerifyChunk();
        await ReadTrailersAsync();
        _done = true;
    }

    private async ValueTask EndChunkAsync()
    {
        if (await ReadLineAsync() is not "")
            throw S3Error.IncompleteBody();
        VerifyChunk();
        _inChunk = false;
    }

    private void VerifyChunk()
    {
        if (_hash is null)
            return;
        var hash = Convert.ToHexStringLower(_hash.GetHashAndReset());
        Verify(SignatureV4.ChunkStringToSign(signing.Date, signing.Scope, _signature, hash), _given);
    }

    private async ValueTask ReadTrailersAsync()
    {
        var canonical = new StringBuilder();
        string? signature = null;
        while (await ReadLineAsync() is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || !signing.HasTrailer)
                throw MalformedTrailer();
            var (name, value) = (line[..colon].Trim().ToLowerInvariant(), line[(colon + 1)..].Trim());
            if (name is "x-amz-trailer-signature")
            {
                signature = value;
                continue;
            }

            Trailers[name] = value;
            canonical.Append(name).Append(':').Append(value).Append('\n');
        }

        if (signing is { HasTrailer: true, ChunksAreSigned: true })
        {
            Verify(
                SignatureV4.TrailerStringToSign(signing.Date, signing.Scope, _signature, canonical.ToString()),
                signature ?? throw MalformedTrailer());
        }
    }

    private void Verify(string stringToSign, string given)
    {
        _signature = SignatureV4.Sign(signing.SigningKey, stringToSign);
        if (!SignatureV4.AreEqual(_signature, given))
        {
            throw new S3Error(
                    403,
                    "SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
                .With("StringToSign", stringToSign)
                .With("SignatureProvided", given);
        }
    }

    /// <summary>The next line without its end; what is left when the body ends; null at the very end.</summary>
    private async ValueTask<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_start == _end)
            {
                _start = 0;
                _end = await source.ReadAsync(_buffer);
                if (_end is 0)
                    return line.Length is 0 ? null : line.ToString();
            }

            var feed = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            var length = feed < 0 ? _end - _start : feed;
            line.Append(Encoding.Latin1.GetString(_buffer, _start, length));
            _start += feed < 0 ? length : length + 1;
            if (line.Length > LongestLine)
                throw Invalid("A chunk header is too long.");
            if (feed < 0)
                continue;
            if (line.Length > 0 && line[^1] is '\r')
                line.Length--;
            return line.ToString();
        }
    }

    private static S3Error Invalid(string message) => new(400, "InvalidChunk", message);

    private static S3Error MalformedTrailer() =>
        new(400, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.");
}
