using System.Security.Cryptography;

namespace Backup.Engine.Maven;

/// <summary>The four hashes of an asset, by the names that CodeArtifact gives them.</summary>
internal sealed class AssetHashes : IDisposable
{
    public const string Md5 = "MD5";
    public const string Sha1 = "SHA-1";
    public const string Sha256 = "SHA-256";
    public const string Sha512 = "SHA-512";

    private readonly (string Name, IncrementalHash Hash)[] _hashes =
    [
        (Md5, IncrementalHash.CreateHash(HashAlgorithmName.MD5)),
        (Sha1, IncrementalHash.CreateHash(HashAlgorithmName.SHA1)),
        (Sha256, IncrementalHash.CreateHash(HashAlgorithmName.SHA256)),
        (Sha512, IncrementalHash.CreateHash(HashAlgorithmName.SHA512)),
    ];

    /// <summary>Takes more of the content.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        foreach (var (_, hash) in _hashes)
            hash.AppendData(bytes);
    }

    /// <summary>The hashes of everything taken, in lower-case hexadecimal.</summary>
    public IReadOnlyDictionary<string, string> Finish() =>
        _hashes.ToDictionary(item => item.Name, item => Convert.ToHexStringLower(item.Hash.GetHashAndReset()), StringComparer.Ordinal);

    /// <summary>The first of the expected hashes that is another one, or null.</summary>
    public static string? Difference(IReadOnlyDictionary<string, string> expected, IReadOnlyDictionary<string, string> actual) =>
        expected.Keys.FirstOrDefault(name => actual.TryGetValue(name, out var value) && !value.Equals(expected[name], StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, hash) in _hashes)
            hash.Dispose();
    }
}
