using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Backup.TestServers.S3.Checksums;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Body;

/// <summary>Reads a request's body once, hashing and storing as it passes, and verifies every claim about it.</summary>
internal sealed class BodyReceiver(S3Call call)
{
    private const int BufferSize = 64 * 1024;
    private const long LargestPut = 5L * 1024 * 1024 * 1024;

    private StrictS3Options Options => call.Services.Options;

    /// <param name="algorithms">Checksums to compute besides the one claimed and CRC64NVME.</param>
    public async Task<ReceivedBody> ReceiveAsync(params ChecksumAlgorithm?[] algorithms)
    {
        if (Options.Sink)
            return await DrainAsync();
        var request = call.Request;
        var signing = call.Signing;
        var length = CheckLength();
        var claimedMd5 = ClaimedMd5();
        var claimed = Options.IgnoreChecksums ? null : ClaimedChecksum.Of(request, signing);
        using var chunks = signing.IsChunked ? new AwsChunkedReader(call.Body, signing) : null;
        using var sha256 = signing.Hash is not null && Options.VerifyPayloadHash ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        using var checksums = new Checksums([.. algorithms, claimed?.Algorithm, ChecksumAlgorithm.Crc64Nvme], Options.VerifyChecksums);
        await using var writer = new BlobWriter(call.Services.Store.DataDirectory);
        var corrupt = call.Faults.Has(FaultAction.Kind.CorruptStored);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        var received = 0L;
        try
        {
            while (true)
            {
                var read = chunks is null ? await call.Body.ReadAsync(buffer.AsMemory(0, BufferSize)) : await chunks.ReadAsync(buffer.AsMemory(0, BufferSize));
                if (read is 0)
                    break;
                sha256?.AppendData(buffer, 0, read);
                if (corrupt && received is 0)
                    buffer[0] ^= 0x01;
                received += read;
                call.Received(read);
                md5.AppendData(buffer, 0, read);
                checksums.Append(buffer.AsSpan(0, read));
                await writer.WriteAsync(buffer.AsMemory(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (received != length)
            throw S3Error.IncompleteBody();
        if (sha256 is not null && Convert.ToHexStringLower(sha256.GetCurrentHash()) is var hash && !hash.Equals(signing.Hash, StringComparison.OrdinalIgnoreCase))
        {
            throw new S3Error(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
                .With("ClientComputedContentSHA256", signing.Hash!)
                .With("S3ComputedContentSHA256", hash);
        }

        var digest = md5.GetCurrentHash();
        VerifyMd5(claimedMd5, digest);
        var computed = checksums.Finish();
        claimed = VerifyChecksum(claimed, chunks, computed);
        if (Options.EchoChecksumsUnverified && claimed is not null)
            computed[claimed.Algorithm] = claimed.Value!;
        if (Options.OpaqueETags)
            digest = SHA256.HashData(digest)[..digest.Length];
        return new ReceivedBody(await writer.FinishAsync(), received, Convert.ToHexStringLower(digest), claimed, computed);
    }

    private async Task<ReceivedBody> DrainAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        var received = 0L;
        try
        {
            using var md5 = call.Request.Http.Request.ContentLength <= 1024 * 1024 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
            using var chunks = call.Signing.IsChunked ? new AwsChunkedReader(call.Body, call.Signing) : null;
            while (true)
            {
                var read = chunks is null ? await call.Body.ReadAsync(buffer.AsMemory(0, BufferSize)) : await chunks.ReadAsync(buffer.AsMemory(0, BufferSize));
                if (read is 0)
                    break;
                md5?.AppendData(buffer, 0, read);
                received += read;
            }

            call.Received(received);
            var etag = call.Request.Header("content-md5") is { } given
                ? Convert.ToHexStringLower(Convert.FromBase64String(given))
                : Convert.ToHexStringLower(md5?.GetCurrentHash() ?? Guid.NewGuid().ToByteArray());
            var values = new Dictionary<ChecksumAlgorithm, string>();
            var claimed = ClaimedChecksum.Of(call.Request, Auth.PayloadSigning.None);
            if (claimed is not null && (claimed.Value ?? chunks?.Trailers.GetValueOrDefault(claimed.Algorithm.Header)) is { } value)
                values[claimed.Algorithm] = value;
            return new ReceivedBody(new Blob([new Segment(received)]), received, etag, claimed, values);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private long CheckLength()
    {
        var http = call.Request.Http.Request;
        if (call.Signing.IsChunked)
        {
            var decoded = call.Request.Header("x-amz-decoded-content-length") ?? throw S3Error.MissingContentLength();
            return long.TryParse(decoded, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                ? Limited(length)
                : throw S3Error.InvalidArgument("The decoded length is not a number.", "x-amz-decoded-content-length", decoded);
        }

        if (http.Headers.TransferEncoding.Count > 0)
            throw S3Error.NotImplemented("Transfer-Encoding");
        return Limited(http.ContentLength ?? (http.Method is "PUT" ? throw S3Error.MissingContentLength() : 0));
    }

    private static long Limited(long length) => length <= LargestPut
        ? length
        : throw new S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            .With("ProposedSize", length.ToString())
            .With("MaxSizeAllowed", LargestPut.ToString());

    private byte[]? ClaimedMd5()
    {
        if (Options.IgnoreContentMd5 || call.Request.Header("content-md5") is not { } text)
            return null;
        var bytes = new byte[16];
        return text.Length is 24 && Convert.TryFromBase64String(text, bytes, out var length) && length is 16
            ? bytes
            : throw new S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.").With("Content-MD5", text);
    }

    private static void VerifyMd5(byte[]? claimed, byte[] computed)
    {
        if (claimed is null || claimed.AsSpan().SequenceEqual(computed))
            return;
        throw S3Error.BadDigest("The Content-MD5 you specified did not match what we received.")
            .With("ExpectedDigest", Convert.ToBase64String(claimed))
            .With("CalculatedDigest", Convert.ToBase64String(computed));
    }

    private ClaimedChecksum? VerifyChecksum(ClaimedChecksum? claimed, AwsChunkedReader? chunks, Dictionary<ChecksumAlgorithm, string> computed)
    {
        if (claimed is null)
            return null;
        var value = claimed.Value ?? chunks?.Trailers.GetValueOrDefault(claimed.Algorithm.Header)
            ?? throw new S3Error(400, "MalformedTrailerError", "The trailer that x-amz-trailer announced did not come.");
        if (!claimed.Algorithm.IsWellFormed(value))
            throw S3Error.InvalidRequest($"Value for {claimed.Algorithm.Header} trailing header is invalid.");
        if (Options.VerifyChecksums && !value.Equals(computed[claimed.Algorithm], StringComparison.Ordinal))
            throw S3Error.BadDigest($"The {claimed.Algorithm.Name} you specified did not match the calculated checksum.");
        return claimed with { Value = value };
    }

    private sealed class Checksums(IEnumerable<ChecksumAlgorithm?> algorithms, bool enabled) : IDisposable
    {
        private readonly (ChecksumAlgorithm Algorithm, Checksum Running)[] _all =
            [.. (enabled ? algorithms.OfType<ChecksumAlgorithm>() : []).Distinct().Select(a => (a, a.Create()))];

        public void Append(ReadOnlySpan<byte> data)
        {
            foreach (var (_, running) in _all)
                running.Append(data);
        }

        public Dictionary<ChecksumAlgorithm, string> Finish() => _all.ToDictionary(a => a.Algorithm, a => Convert.ToBase64String(a.Running.Finish()));

        public void Dispose()
        {
            foreach (var (_, running) in _all)
                running.Dispose();
        }
    }
}
