using System.Text.Json;
using Backup.Engine.Aws.Api;
using Backup.Engine.Aws.SecretsManager;
using Backup.Engine.Aws.Ssm;

namespace Backup.Engine.Aws;

/// <summary>
/// Where a secret is kept in AWS: <c>ssm:/name</c> is a parameter of Parameter Store, <c>secret:name-or-arn</c> a secret of Secrets Manager, and
/// <c>secret:name-or-arn#key</c> one value of a secret that is a JSON object. An ARN also says the region.
/// </summary>
public sealed record AwsSecretReference
{
    private const string ParameterPrefix = "ssm:";
    private const string SecretPrefix = "secret:";

    private readonly string _id;
    private readonly string? _key;
    private readonly bool _isParameter;

    private AwsSecretReference(string text, string id, string? key, bool isParameter) => (Text, _id, _key, _isParameter) = (text, id, key, isParameter);

    /// <summary>The reference as it was written. It is not the secret.</summary>
    public string Text { get; }

    /// <summary>Reads a reference; null where the text is none.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where it names nothing.</exception>
    public static AwsSecretReference? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(ParameterPrefix, StringComparison.OrdinalIgnoreCase))
            return new(text, Named(text[ParameterPrefix.Length..], text), null, isParameter: true);
        if (!text.StartsWith(SecretPrefix, StringComparison.OrdinalIgnoreCase))
            return null;
        // Neither a secret's name nor an ARN can hold a hash sign.
        var parts = text[SecretPrefix.Length..].Split('#', 2);
        return new(text, Named(parts[0], text), parts.Length == 2 ? Named(parts[1], text) : null, isParameter: false);
    }

    /// <summary>Fetches the secret, without line ends behind it.</summary>
    /// <param name="options">Credentials and region. The endpoint is not used: it is S3's.</param>
    /// <param name="logger">Where each attempt is logged.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">It is not there, may not be read, or is empty. No message holds the secret.</exception>
    public async Task<string> ResolveAsync(AwsOptions options, CallbackLogger? logger = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var client = new AwsClientOptions { Aws = options with { Region = RegionOfArn(_id) ?? options.Region }, Logger = logger };
        var value = (_isParameter ? await ReadParameterAsync(client, cancellationToken) : await ReadSecretAsync(client, cancellationToken)).TrimEnd('\r', '\n');
        return value.Length > 0 ? value : throw new BackupException(FailureKind.InvalidInput, $"The secret {Text} is empty.", "Put a value into it.");
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static string Named(string name, string text) => name.Length > 0
        ? name
        : throw new BackupException(FailureKind.InvalidInput, $"'{text}' names no secret.", "Write ssm:/name, secret:name or secret:name#key.");

    // arn:partition:service:region:account:…
    private static string? RegionOfArn(string id) =>
        id.StartsWith("arn:", StringComparison.Ordinal) && id.Split(':') is { Length: > 5 } parts && parts[3].Length > 0 ? parts[3] : null;

    private async Task<string> ReadParameterAsync(AwsClientOptions options, CancellationToken cancellationToken)
    {
        using var client = new SsmClient(options);
        try
        {
            return (await client.GetParameterAsync(new() { Name = _id, WithDecryption = true }, cancellationToken)).Parameter?.Value ?? "";
        }
        catch (AwsServiceException refused)
        {
            throw Explain(refused, "parameter", client.Region, "ssm:GetParameter, and kms:Decrypt for its key");
        }
    }

    private async Task<string> ReadSecretAsync(AwsClientOptions options, CancellationToken cancellationToken)
    {
        using var client = new SecretsManagerClient(options);
        try
        {
            var secret = await client.GetSecretValueAsync(new() { SecretId = _id }, cancellationToken);
            var text = secret.SecretString
                ?? throw new BackupException(FailureKind.InvalidInput, $"The secret {Text} in {client.Region} holds bytes, not text.", "Store it as text.");
            return _key is null ? text : Value(text, _key);
        }
        catch (AwsServiceException refused)
        {
            throw Explain(refused, "secret", client.Region, "secretsmanager:GetSecretValue, and kms:Decrypt for its key");
        }
    }

    private string Value(string json, string key)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw NoObject();
            if (!document.RootElement.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
                throw new BackupException(FailureKind.NotFound, $"The secret {Text} has no key '{key}'.", "Check the name after the hash sign: case matters.");
            return value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        }
        catch (JsonException)
        {
            // The parser's message would quote the secret.
            throw NoObject();
        }

        BackupException NoObject() => new(FailureKind.InvalidInput, $"The secret {Text} is no JSON object, so it has no key '{key}'.", "Leave the hash sign and what follows out.");
    }

    private BackupException Explain(AwsServiceException refused, string what, string region, string permission) => refused.Kind switch
    {
        FailureKind.NotFound => new(FailureKind.NotFound, $"The {what} {Text} does not exist in {region}.", "Check its name, -Region and -ProfileName.", refused),
        FailureKind.PermissionDenied => new(FailureKind.PermissionDenied, $"The {what} {Text} may not be read ({refused.ErrorCode}).", $"Allow {permission}.", refused),
        _ => new(refused.Kind, $"The {what} {Text} cannot be read: {refused.Message}", refused.Advice, refused),
    };
}
