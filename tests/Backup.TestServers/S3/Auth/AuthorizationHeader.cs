namespace Backup.TestServers.S3.Auth;

/// <summary>The three parts of an AWS4-HMAC-SHA256 authorization.</summary>
internal sealed record AuthorizationHeader(CredentialScope Scope, IReadOnlyList<string> SignedHeaders, string Signature)
{
    public static AuthorizationHeader Parse(string value)
    {
        if (!value.StartsWith(SignatureV4.Algorithm + " ", StringComparison.Ordinal))
            throw S3Error.InvalidArgument("Unsupported Authorization Type", "Authorization", value.Split(' ')[0]);
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in value[(SignatureV4.Algorithm.Length + 1)..].Split(',', StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                parts[part[..equals]] = part[(equals + 1)..];
        }

        if (!parts.TryGetValue("Credential", out var credential)
            || !parts.TryGetValue("SignedHeaders", out var headers)
            || !parts.TryGetValue("Signature", out var signature))
        {
            throw Malformed("The authorization header requires three components: Credential, SignedHeaders, and Signature.");
        }

        var scope = CredentialScope.Parse(credential)
            ?? throw Malformed("The Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
        return new AuthorizationHeader(scope, headers.Split(';'), signature);
    }

    private static S3Error Malformed(string message) => new(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; " + message);
}

/// <summary>AccessKey/day/region/service/aws4_request. The access key itself may contain slashes.</summary>
internal sealed record CredentialScope(string AccessKey, string Day, string Region, string Service)
{
    public string Scope => $"{Day}/{Region}/{Service}/aws4_request";

    public static CredentialScope? Parse(string credential)
    {
        var parts = credential.Split('/');
        return parts.Length < 5 || parts[^1] is not "aws4_request"
            ? null
            : new CredentialScope(string.Join('/', parts[..^4]), parts[^4], parts[^3], parts[^2]);
    }
}
