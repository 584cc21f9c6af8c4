using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Backup.Engine.GitHub;

/// <summary>The private key of a GitHub App, which signs who the App is (docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App").</summary>
internal sealed class GitHubAppKey
{
    // At most ten minutes are allowed; the clocks need not agree to the second.
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(9);
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    private readonly RSA _key = RSA.Create();

    public GitHubAppKey(string appId, long installationId, string privateKey)
    {
        (AppId, InstallationId) = (appId, installationId);
        try
        {
            _key.ImportFromPem(privateKey);
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            // The inner exception may repeat what it could not read.
            throw new BackupException(FailureKind.InvalidInput, $"The private key of the GitHub App {appId} is not a PEM file with an RSA key.", "Download it at the App's settings, 'Private keys', and give the whole file.");
        }
    }

    public string AppId { get; }

    public long InstallationId { get; }

    /// <summary>A JSON Web Token for the next minutes.</summary>
    public string SignJwt(DateTimeOffset now)
    {
        var header = Encode("""{"alg":"RS256","typ":"JWT"}"""u8);
        var claims = Encode(Encoding.UTF8.GetBytes($$"""{"iat":{{(now - Skew).ToUnixTimeSeconds()}},"exp":{{(now + Life).ToUnixTimeSeconds()}},"iss":"{{JsonEncodedText.Encode(AppId)}}"}"""));
        var signature = _key.SignData(Encoding.ASCII.GetBytes($"{header}.{claims}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{header}.{claims}.{Encode(signature)}";
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
