using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;

namespace Backup.Engine.Stores.S3;

/// <summary>
/// Signature Version 4 in the Authorization header, for S3: the path is encoded once and not normalised
/// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
/// </summary>
internal sealed class SigV4Signer(string region, string service = "s3")
{
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";

    /// <summary>SHA-256 of nothing.</summary>
    public const string EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private SigningKey? _key;

    /// <summary>Adds <c>x-amz-date</c>, <c>x-amz-content-sha256</c> and, with temporary keys, <c>x-amz-security-token</c> to the headers, and returns the Authorization header.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path as it is sent, encoded.</param>
    /// <param name="query">The query parameters, not encoded.</param>
    /// <param name="headers">The headers to sign; <c>host</c> among them. They are sorted here.</param>
    /// <param name="payloadHash">SHA-256 of the body in hexadecimal, or <see cref="UnsignedPayload"/>.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="now">The time, corrected to the server's clock.</param>
    public string Sign(string method, string path, List<(string Name, string Value)> query, List<(string Name, string Value)> headers, string payloadHash, ImmutableCredentials keys, DateTimeOffset now)
    {
        var stamp = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var date = stamp[..8];
        headers.Add(("x-amz-content-sha256", payloadHash));
        headers.Add(("x-amz-date", stamp));
        if (keys.UseToken)
            headers.Add(("x-amz-security-token", keys.Token));
        headers.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));

        var text = new StringBuilder(512);
        text.Append(method).Append('\n').Append(path).Append('\n').Append(S3Encoding.Query(query)).Append('\n');
        foreach (var (name, value) in headers)
            AppendValue(text.Append(name).Append(':'), value.AsSpan().Trim()).Append('\n');
        text.Append('\n');
        var signedFrom = text.Length;
        text.AppendJoin(';', headers.Select(header => header.Name));
        var signedHeaders = text.ToString(signedFrom, text.Length - signedFrom);
        text.Append('\n').Append(payloadHash);

        var scope = $"{date}/{region}/{service}/aws4_request";
        var toSign = $"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))}";
        var signature = Hex(HMACSHA256.HashData(KeyFor(date, keys.SecretKey), Encoding.UTF8.GetBytes(toSign)));
        return $"AWS4-HMAC-SHA256 Credential={keys.AccessKey}/{scope}, SignedHeaders={signedHeaders}, Signature={signature}";
    }

    private byte[] KeyFor(string date, string secret)
    {
        // A signing key is good for a day; four hashes a request are saved by keeping it.
        if (_key is { } known && known.Date == date && known.Secret == secret)
            return known.Key;
        var key = HMACSHA256.HashData(Encoding.UTF8.GetBytes("AWS4" + secret), Encoding.UTF8.GetBytes(date));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(region));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(service));
        key = HMACSHA256.HashData(key, "aws4_request"u8);
        _key = new(date, secret, key);
        return key;
    }

    // Spaces in a row count as one.
    private static StringBuilder AppendValue(StringBuilder text, ReadOnlySpan<char> value)
    {
        for (var gap = value.IndexOf("  "); gap >= 0; gap = value.IndexOf("  "))
        {
            text.Append(value[..(gap + 1)]);
            value = value[gap..].TrimStart(' ');
        }

        return text.Append(value);
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private sealed record SigningKey(string Date, string Secret, byte[] Key);
}
