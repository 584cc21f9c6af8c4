using System.Globalization;
using Backup.TestServers.S3.Http;

namespace Backup.TestServers.S3.Auth;

/// <summary>Judges a request's signature, in the header or in the query, before its body is read.</summary>
internal sealed class Authenticator(StrictS3Options options, CredentialStore credentials, ServerClock clock)
{
    private const string DateFormat = "yyyyMMdd'T'HHmmss'Z'";
    private static readonly TimeSpan AllowedSkew = TimeSpan.FromMinutes(15);

    public PayloadSigning Authenticate(S3Request request)
    {
        if (request.Header("authorization") is { } authorization)
            return ByHeader(request, authorization);
        if (request.Query.ContainsKey("X-Amz-Algorithm"))
            return ByQuery(request);
        throw S3Error.AccessDenied();
    }

    private PayloadSigning ByHeader(S3Request request, string authorization)
    {
        var given = AuthorizationHeader.Parse(authorization);
        var payload = request.Header("x-amz-content-sha256")
            ?? throw S3Error.InvalidRequest("Missing required header for this request: x-amz-content-sha256");
        if (!PayloadSigning.IsKnown(payload))
        {
            throw S3Error.InvalidArgument(
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                + "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                "x-amz-content-sha256",
                payload);
        }

        var (when, date) = RequestDate(request);
        CheckScope(given.Scope, date, "AuthorizationHeaderMalformed", "The authorization header is malformed; ");
        var credential = FindCredential(given.Scope.AccessKey, request.Header("x-amz-security-token"));
        if ((clock.Now - when).Duration() > AllowedSkew)
        {
            throw new S3Error(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
                .With("RequestTime", date)
                .With("ServerTime", clock.Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"))
                .With("MaxAllowedSkewMilliseconds", "900000");
        }

        var signing = Verify(request, credential, given, date, payload);
        if (signing.IsUnsigned && !request.IsTls && !options.AllowUnsignedPayloadOverHttp)
            throw S3Error.InvalidRequest($"{payload} is only accepted over TLS.");
        return signing;
    }

    private PayloadSigning ByQuery(S3Request request)
    {
        var query = request.Query;
        foreach (var name in (string[])["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"])
        {
            if (!query.ContainsKey(name))
            {
                throw QueryError(
                    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
            }
        }

        if (query["X-Amz-Algorithm"] is not SignatureV4.Algorithm)
            throw QueryError("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"");
        if (!int.TryParse(query["X-Amz-Expires"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 604800)
            throw QueryError("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds");
        if (!TryParseDate(query["X-Amz-Date"], out var when))
            throw QueryError("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");

        var scope = CredentialScope.Parse(query["X-Amz-Credential"])
            ?? throw QueryError("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
        CheckScope(scope, query["X-Amz-Date"], "AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter; ");
        var credential = FindCredential(scope.AccessKey, query.GetValueOrDefault("X-Amz-Security-Token"));
        if (clock.Now > when.AddSeconds(seconds))
        {
            throw S3Error.AccessDenied("Request has expired")
                .With("X-Amz-Expires", query["X-Amz-Expires"])
                .With("Expires", when.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"))
                .With("ServerTime", clock.Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"));
        }

        if (clock.Now < when - AllowedSkew)
            throw S3Error.AccessDenied("Request is not valid yet");
        var given = new AuthorizationHeader(scope, query["X-Amz-SignedHeaders"].Split(';'), query["X-Amz-Signature"]);
        var payload = request.Header("x-amz-content-sha256") ?? query.GetValueOrDefault("X-Amz-Content-Sha256") ?? PayloadSigning.UnsignedPayload;
        return Verify(request, credential, given, query["X-Amz-Date"], payload);
    }

    private static PayloadSigning Verify(
        S3Request request, CredentialStore.Credential credential, AuthorizationHeader given, string date, string payload)
    {
        CheckSignedHeaders(request, given.SignedHeaders);
        var headers = given.SignedHeaders.Select(name => KeyValuePair.Create(name, SignatureV4.CanonicalHeaderValue(request.Http.Request.Headers[name])));
        var canonical = SignatureV4.CanonicalRequest(
            request.Method, request.RawPath, request.RawQuery, headers, string.Join(';', given.SignedHeaders), payload);
        var toSign = SignatureV4.StringToSign(date, given.Scope.Scope, canonical);
        var key = credential.SigningKey(given.Scope.Day, given.Scope.Region);
        var expected = SignatureV4.Sign(key, toSign);
        if (!SignatureV4.AreEqual(expected, given.Signature))
        {
            throw new S3Error(
                    403,
                    "SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
                .With("AWSAccessKeyId", credential.AccessKey)
                .With("StringToSign", toSign)
                .With("SignatureProvided", given.Signature)
                .With("CanonicalRequest", canonical);
        }

        return new PayloadSigning(payload) { SigningKey = key, Date = date, Scope = given.Scope.Scope, SeedSignature = expected };
    }

    private static void CheckSignedHeaders(S3Request request, IReadOnlyList<string> signed)
    {
        var missing = request.Http.Request.Headers.Keys
            .Select(name => name.ToLowerInvariant())
            .Where(name => name is "host" || name.StartsWith("x-amz-", StringComparison.Ordinal))
            .Where(name => !signed.Contains(name, StringComparer.Ordinal))
            .ToList();
        if (missing.Count > 0)
        {
            throw S3Error.AccessDenied("There were headers present in the request which were not signed")
                .With("HeadersNotSigned", string.Join(", ", missing));
        }
    }

    private void CheckScope(CredentialScope scope, string date, string code, string prefix)
    {
        if (!date.StartsWith(scope.Day, StringComparison.Ordinal) || scope.Day.Length is not 8)
            throw new S3Error(400, code, $"{prefix}Invalid credential date \"{scope.Day}\". This date is not the same as X-Amz-Date: \"{date[..8]}\".");
        if (scope.Service is not "s3")
            throw new S3Error(400, code, $"{prefix}incorrect service \"{scope.Service}\". This endpoint belongs to \"s3\".");
        if (!scope.Region.Equals(options.Region, StringComparison.Ordinal))
        {
            throw new S3Error(400, code, $"{prefix}the region '{scope.Region}' is wrong; expecting '{options.Region}'")
                .With("Region", options.Region)
                .WithHeader("x-amz-bucket-region", options.Region);
        }
    }

    private CredentialStore.Credential FindCredential(string accessKey, string? token)
    {
        var credential = credentials.Find(accessKey)
            ?? throw new S3Error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.").With("AWSAccessKeyId", accessKey);
        if (credential.Expired)
            throw new S3Error(400, "ExpiredToken", "The provided token has expired.").With("Token-0", token ?? "");
        if (!string.Equals(credential.SessionToken, token, StringComparison.Ordinal))
            throw new S3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.").With("Token-0", token ?? "");
        return credential;
    }

    private static (DateTime When, string Text) RequestDate(S3Request request)
    {
        if (request.Header("x-amz-date") is { } text && TryParseDate(text, out var when))
            return (when, text);
        if (DateTimeOffset.TryParseExact(request.Header("date"), "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            return (date.UtcDateTime, date.UtcDateTime.ToString(DateFormat));
        throw S3Error.AccessDenied("AWS authentication requires a valid Date or x-amz-date header");
    }

    private static bool TryParseDate(string text, out DateTime when) => DateTime.TryParseExact(
        text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out when);

    private static S3Error QueryError(string message) => new(400, "AuthorizationQueryParametersError", message);
}
