namespace Backup.TestServers.S3.Auth;

/// <summary>What the signature says about the body: x-amz-content-sha256, and what is needed to verify chunks.</summary>
internal sealed record PayloadSigning(string ContentSha256)
{
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";
    public const string SignedChunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    public const string SignedChunksWithTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    public const string UnsignedChunksWithTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

    public static readonly PayloadSigning None = new(UnsignedPayload);

    public byte[] SigningKey { get; init; } = [];

    public string Date { get; init; } = "";

    public string Scope { get; init; } = "";

    public string SeedSignature { get; init; } = "";

    public bool IsChunked => ContentSha256 is SignedChunks or SignedChunksWithTrailer or UnsignedChunksWithTrailer;

    public bool ChunksAreSigned => ContentSha256 is SignedChunks or SignedChunksWithTrailer;

    public bool HasTrailer => ContentSha256 is SignedChunksWithTrailer or UnsignedChunksWithTrailer;

    public bool IsUnsigned => ContentSha256 is UnsignedPayload or UnsignedChunksWithTrailer;

    /// <summary>The body's SHA-256, when the signature states one.</summary>
    public string? Hash => IsChunked || IsUnsigned ? null : ContentSha256;

    public static bool IsKnown(string value) =>
        value is UnsignedPayload or SignedChunks or SignedChunksWithTrailer or UnsignedChunksWithTrailer
        || (value.Length is 64 && value.All(char.IsAsciiHexDigit));
}
