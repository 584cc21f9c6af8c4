using System.Globalization;
using System.Text;
using Backup.TestServers.S3.Auth;

namespace Backup.TestServers.Aws;

/// <summary>Verifies a SigV4 header as services other than S3 do: the path is encoded once more than it was sent, and the payload's hash is the body's.</summary>
internal static class AwsSignature
{
    private const string DateFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>Who signed it; null without a signature.</summary>
    public static CredentialScope? Scope(HttpRequest http) =>
        http.Headers.Authorization.ToString() is { } value && value.StartsWith(SignatureV4.Algorithm, StringComparison.Ordinal) ? AuthorizationHeader.Parse(value).Scope : null;

    /// <summary>What is wrong with the signature, or null.</summary>
    public static AwsAnswer? Verify(HttpRequest http, string rawPath, string rawQuery, byte[] body, CredentialStore keys, DateTime now)
    {
        var header = http.Headers.Authorization.ToString();
        if (!header.StartsWith(SignatureV4.Algorithm, StringComparison.Ordinal))
            return AwsAnswer.Error(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
        var given = AuthorizationHeader.Parse(header);
        if (keys.Find(given.Scope.AccessKey) is not { } key)
            return AwsAnswer.Error(400, "UnrecognizedClientException", "The security token included in the request is invalid.");
        if (key.Expired)
            return AwsAnswer.Error(400, "ExpiredTokenException", "The security token included in the request is expired");
        if ((http.Headers["x-amz-security-token"].FirstOrDefault() ?? "") != (key.SessionToken ?? ""))
            return AwsAnswer.Error(400, "UnrecognizedClientException", "The security token included in the request is invalid.");

        var date = http.Headers["x-amz-date"].ToString();
        var when = DateTime.ParseExact(date, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
        if ((now - when).Duration() > TimeSpan.FromMinutes(5))
        {
            // The words of the common runtime of AWS's services.
            return AwsAnswer.Error(400, "InvalidSignatureException", $"Signature expired: {date} is now earlier than {now.AddMinutes(-5).ToString(DateFormat)} ({now.ToString(DateFormat)} - 5 min.)");
        }

        var hash = SignatureV4.HexHash(body);
        if (http.Headers["x-amz-content-sha256"].FirstOrDefault() is { } claimed && claimed != hash)
            return AwsAnswer.Error(400, "InvalidSignatureException", "x-amz-content-sha256 is not the body's hash.");
        var headers = given.SignedHeaders.Select(name => KeyValuePair.Create(name, SignatureV4.CanonicalHeaderValue(http.Headers[name])));
        var encodedOnceMore = UriText.Encode(Encoding.UTF8.GetBytes(rawPath), keepSlash: true);
        var canonical = SignatureV4.CanonicalRequest(http.Method, encodedOnceMore, rawQuery, headers, string.Join(';', given.SignedHeaders), hash);
        var signature = SignatureV4.Sign(
            SignatureV4.SigningKey(key.SecretKey, given.Scope.Day, given.Scope.Region, given.Scope.Service), SignatureV4.StringToSign(date, given.Scope.Scope, canonical));
        return SignatureV4.AreEqual(signature, given.Signature)
            ? null
            : AwsAnswer.Error(403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided.");
    }
}
