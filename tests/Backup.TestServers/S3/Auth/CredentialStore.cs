using System.Collections.Concurrent;

namespace Backup.TestServers.S3.Auth;

/// <summary>The access keys the server knows. Expired ones stay known, as expired.</summary>
public sealed class CredentialStore
{
    private readonly ConcurrentDictionary<string, Credential> _known = new(StringComparer.Ordinal);

    /// <summary>Adds or replaces an access key; a session token makes it a temporary one.</summary>
    public void Add(string accessKey, string secretKey, string? sessionToken = null) =>
        _known[accessKey] = new Credential(accessKey, secretKey, sessionToken, Expired: false);

    /// <summary>From now on requests with this key get ExpiredToken.</summary>
    public void Expire(string accessKey) => _known[accessKey] = _known[accessKey] with { Expired = true };

    /// <summary>Expires every key known now.</summary>
    public void ExpireAll()
    {
        foreach (var accessKey in _known.Keys)
            Expire(accessKey);
    }

    internal Credential? Find(string accessKey) => _known.GetValueOrDefault(accessKey);

    internal sealed record Credential(string AccessKey, string SecretKey, string? SessionToken, bool Expired)
    {
        private readonly ConcurrentDictionary<string, byte[]> _signingKeys = new(StringComparer.Ordinal);

        public byte[] SigningKey(string day, string region) =>
            _signingKeys.GetOrAdd($"{day}/{region}", _ => SignatureV4.SigningKey(SecretKey, day, region, "s3"));
    }
}
