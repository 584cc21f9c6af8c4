using Backup.Engine.Aws;
using Microsoft.Extensions.Logging;

namespace Backup.Engine;

/// <summary>
/// Where a secret is kept: <c>env:NAME</c> is an environment variable, <c>file:PATH</c> a file that holds nothing else, <c>ssm:/name</c> and
/// <c>secret:name#key</c> are in AWS (<see cref="AwsSecretReference"/>). It is not the secret, and may be shown.
/// </summary>
public sealed record SecretReference
{
    private const string EnvironmentPrefix = "env:";
    private const string FilePrefix = "file:";

    private readonly AwsSecretReference? _aws;

    private SecretReference(string text, AwsSecretReference? aws) => (Text, _aws) = (text, aws);

    /// <summary>The reference as it was written.</summary>
    public string Text { get; }

    /// <summary>Reads a reference.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for anything else. The message does not repeat it: it may be the secret itself.</exception>
    public static SecretReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (AwsSecretReference.TryParse(text) is { } aws)
            return new(text, aws);
        return After(text, EnvironmentPrefix) is not null || After(text, FilePrefix) is not null
            ? new(text, null)
            : throw new BackupException(FailureKind.InvalidInput, "A secret must not be given as plain text.", "Give env:NAME, file:PATH, ssm:/NAME (Parameter Store) or secret:NAME (Secrets Manager).");
    }

    /// <summary>Fetches the secret, without line ends behind it.</summary>
    /// <param name="options">Credentials and region, for what AWS keeps.</param>
    /// <param name="baseDirectory">What the path of a file is relative to.</param>
    /// <param name="logger">Told of a file that everybody can read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">It is not there, may not be read, or is empty. No message holds the secret.</exception>
    public async Task<string> ResolveAsync(AwsOptions options, string baseDirectory, CallbackLogger? logger = null, CancellationToken cancellationToken = default)
    {
        if (_aws is not null)
            return await _aws.ResolveAsync(options, logger, cancellationToken);
        if (After(Text, EnvironmentPrefix) is { } name)
        {
            return Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
                ? value
                : throw new BackupException(FailureKind.NotFound, $"The environment variable {name} is not set.", "Set it for the account that runs this, or name another one.");
        }

        var (secret, warning) = SecretFile.Read(Path.GetFullPath(After(Text, FilePrefix)!, baseDirectory));
        if (warning is not null)
            logger?.LogWarning("{Warning}", warning);
        return secret;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static string? After(string text, string prefix) =>
        text.Length > prefix.Length && text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? text[prefix.Length..] : null;
}
