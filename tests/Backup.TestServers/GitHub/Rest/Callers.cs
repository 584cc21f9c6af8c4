using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub.Rest;

/// <summary>The tokens: the user's, and those that an App was given for its installations.</summary>
internal sealed class Callers(GitHubServices services)
{
    private readonly ConcurrentDictionary<string, Caller> _known = new(StringComparer.Ordinal);

    /// <summary>Whoever sends this header; null where it is no good.</summary>
    public Caller? Find(string authorization)
    {
        var space = authorization.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || authorization[..space].ToUpperInvariant() is not ("BEARER" or "TOKEN"))
            return null;
        return FindToken(authorization[(space + 1)..]);
    }

    public Caller? FindToken(string token)
    {
        if (token == services.Options.Token)
            return _known.GetOrAdd(token, text => new(text, services.Options.RateLimit));
        return _known.TryGetValue(token, out var caller) && caller.Expires > DateTimeOffset.UtcNow ? caller : null;
    }

    /// <summary>A token for an installation. Since April 2026 they are long and of no fixed length (github.md 2.1).</summary>
    public (string Token, DateTimeOffset Expires) Issue(string app, long installation)
    {
        var token = $"ghs_{app}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(200))}";
        var expires = DateTimeOffset.UtcNow + services.World.InstallationTokenLife;
        _known[token] = new(token, services.Options.RateLimit) { Installation = installation, Expires = expires };
        return (token, expires);
    }

    public void ExpireInstallations()
    {
        foreach (var caller in _known.Values.Where(caller => caller.Installation is not null))
            caller.Expires = DateTimeOffset.MinValue;
    }

    /// <summary>The App that signed a JWT (docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App"), or why it is refused.</summary>
    public (string? App, string? Error) VerifyJwt(string authorization)
    {
        var parts = authorization["Bearer ".Length..].Split('.');
        if (parts.Length != 3)
            return (null, "A JSON web token could not be decoded");
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!;
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        if ((string?)header["alg"] != "RS256")
            return (null, "'Algorithm' must be RS256");
        var app = claims["iss"]!.ToString();
        if (!services.World.Apps.TryGetValue(app, out var key))
            return (null, "'Issuer' claim ('iss') must be an Integer");
        if (!key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            return (null, "A JSON web token could not be decoded");
        var (now, issued, expires) = (DateTimeOffset.UtcNow.ToUnixTimeSeconds(), (long)claims["iat"]!, (long)claims["exp"]!);
        if (issued > now)
            return (null, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
        return expires <= now || expires > now + 600
            ? (null, "'Expiration time' claim ('exp') is too far in the future")
            : (app, null);
    }
}
