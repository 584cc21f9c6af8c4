using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Backup.TestServers.S3.Auth;

/// <summary>The formulas of AWS Signature Version 4 with S3's rules: no path normalisation, encoded once.</summary>
internal static class SignatureV4
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    public const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    public static string CanonicalRequest(
        string method, string rawPath, string rawQuery, IEnumerable<KeyValuePair<string, string>> signedHeaders, string signedHeaderNames, string payloadHash)
    {
        var text = new StringBuilder();
        text.Append(method).Append('\n');
        text.Append(UriText.Encode(UriText.Decode(rawPath, plusIsSpace: false), keepSlash: true)).Append('\n');
        text.Append(CanonicalQuery(rawQuery)).Append('\n');
        foreach (var (name, value) in signedHeaders)
            text.Append(name).Append(':').Append(value).Append('\n');
        return text.Append('\n').Append(signedHeaderNames).Append('\n').Append(payloadHash).ToString();
    }

    public static string CanonicalHeaderValue(StringValues values)
    {
        var text = new StringBuilder();
        for (var i = 0; i < values.Count; i++)
        {
            if (i > 0)
                text.Append(',');
            var space = false;
            foreach (var c in (values[i] ?? "").AsSpan().Trim())
            {
                if (c is ' ' && space)
                    continue;
                space = c is ' ';
                text.Append(c);
            }
        }

        return text.ToString();
    }

    public static string StringToSign(string date, string scope, string canonicalRequest) =>
        $"{Algorithm}\n{date}\n{scope}\n{HexHash(Encoding.UTF8.GetBytes(canonicalRequest))}";

    public static string ChunkStringToSign(string date, string scope, string previous, string chunkHash) =>
        $"{Algorithm}-PAYLOAD\n{date}\n{scope}\n{previous}\n{EmptyHash}\n{chunkHash}";

    public static string TrailerStringToSign(string date, string scope, string previous, string trailers) =>
        $"{Algorithm}-TRAILER\n{date}\n{scope}\n{previous}\n{HexHash(Encoding.UTF8.GetBytes(trailers))}";

    public static byte[] SigningKey(string secret, string day, string region, string service)
    {
        var key = HMACSHA256.HashData(Encoding.UTF8.GetBytes("AWS4" + secret), Encoding.UTF8.GetBytes(day));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(region));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(service));
        return HMACSHA256.HashData(key, "aws4_request"u8);
    }

    public static string Sign(byte[] signingKey, string stringToSign) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(signingKey, Encoding.UTF8.GetBytes(stringToSign)));

    public static string HexHash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static bool AreEqual(string expected, string given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(given));

    private static string CanonicalQuery(string rawQuery)
    {
        if (rawQuery.Length is 0)
            return "";
        var pairs = new List<(string Name, string Value)>();
        foreach (var pair in rawQuery.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = Recode(equals < 0 ? pair : pair[..equals]);
            if (name is not "X-Amz-Signature")
                pairs.Add((name, equals < 0 ? "" : Recode(pair[(equals + 1)..])));
        }

        pairs.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name) is var order and not 0 ? order : string.CompareOrdinal(a.Value, b.Value));
        return string.Join('&', pairs.Select(p => $"{p.Name}={p.Value}"));
    }

    private static string Recode(string text) => UriText.Encode(UriText.Decode(text, plusIsSpace: true), keepSlash: false);
}
