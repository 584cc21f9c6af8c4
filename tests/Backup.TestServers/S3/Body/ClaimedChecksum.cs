using Backup.TestServers.S3.Auth;
using Backup.TestServers.S3.Checksums;
using Backup.TestServers.S3.Http;

namespace Backup.TestServers.S3.Body;

/// <summary>The checksum a request claims for its body: in a header, or announced for the trailer.</summary>
internal sealed record ClaimedChecksum(ChecksumAlgorithm Algorithm, string? Value)
{
    private static readonly string[] NotValues = ["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"];

    public static ClaimedChecksum? Of(S3Request request, PayloadSigning signing)
    {
        var claims = new List<ClaimedChecksum>();
        foreach (var (name, value) in request.HeadersStarting(ChecksumAlgorithm.HeaderPrefix).Where(h => !NotValues.Contains(h.Key, StringComparer.Ordinal)))
        {
            var algorithm = ChecksumAlgorithm.FindHeader(name) ?? throw S3Error.InvalidRequest($"The algorithm type you specified in {name} is invalid.");
            if (!algorithm.IsWellFormed(value))
                throw S3Error.InvalidRequest($"Value for {name} header is invalid.");
            claims.Add(new ClaimedChecksum(algorithm, value));
        }

        if (request.Header("x-amz-trailer") is { } trailer)
        {
            if (!signing.HasTrailer && signing != PayloadSigning.None)
                throw S3Error.InvalidRequest("x-amz-trailer needs a payload with a trailer.");
            claims.AddRange(trailer.Split(',', StringSplitOptions.TrimEntries).Select(name => new ClaimedChecksum(
                ChecksumAlgorithm.FindHeader(name) ?? throw S3Error.InvalidRequest("The value specified in the x-amz-trailer header is not supported"), null)));
        }

        if (claims.Count > 1)
            throw S3Error.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
        if (request.Header("x-amz-sdk-checksum-algorithm") is { } announced)
            CheckAnnounced(announced, claims);
        return claims.FirstOrDefault();
    }

    private static void CheckAnnounced(string announced, List<ClaimedChecksum> claims)
    {
        var algorithm = ChecksumAlgorithm.Find(announced)
            ?? throw S3Error.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
        if (claims.Count is 0)
            throw S3Error.InvalidRequest("x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.");
        if (claims[0].Algorithm != algorithm)
            throw S3Error.InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
}
