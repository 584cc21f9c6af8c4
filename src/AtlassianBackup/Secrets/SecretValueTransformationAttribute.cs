using System.Management.Automation;
using System.Net;
using System.Security;
using Backup.Engine;
using Backup.Engine.Aws;

namespace AtlassianBackup;

/// <summary>
/// Makes a <see cref="SecretValue"/> of a SecureString, of a PSCredential (its password), or of a reference: <c>env:NAME</c>, <c>file:PATH</c>,
/// <c>ssm:/NAME</c> or <c>secret:NAME</c>; the last two are fetched by the cmdlet, with its own credentials. A plain string is refused, because it would be in the history and in transcripts.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class SecretValueTransformationAttribute : ArgumentTransformationAttribute
{
    /// <summary>Whether an https address may be given as plain text: a webhook's is a secret, but one that people paste.</summary>
    public bool AllowAddress { get; set; }

    private const string Forms = "Give a SecureString (Read-Host -AsSecureString), a PSCredential, env:NAME, file:PATH, ssm:/NAME (Parameter Store) or secret:NAME (Secrets Manager).";

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        if (inputData is PSObject wrapped)
            inputData = wrapped.BaseObject;
        return inputData switch
        {
            null => null,
            SecretValue secret => secret,
            SecureString secure => new SecretValue(secure),
            PSCredential credential => new SecretValue(credential.Password),
            string address when AllowAddress && address.StartsWith("https://", StringComparison.OrdinalIgnoreCase) => new SecretValue(Protect(address)),
            Uri address when AllowAddress => new SecretValue(Protect(address.OriginalString)),
            string reference => FromReference(reference, engineIntrinsics),
            _ => throw new ArgumentTransformationMetadataException($"A {inputData.GetType().Name} cannot be a secret. {Forms}"),
        };
    }

    // No message here may hold the text that was given: it may be the secret itself.
    private static SecretValue FromReference(string reference, EngineIntrinsics engine)
    {
        if (After("env:") is { Length: > 0 } name)
        {
            return Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
                ? new(Protect(value))
                : throw new ArgumentTransformationMetadataException($"The environment variable {name} is not set. Set it, or name another one.");
        }

        if (After("file:") is { Length: > 0 } path)
            return FromFile(path, engine);
        if (FromAws(reference) is { } inAws)
            return new(inAws);
        throw new ArgumentTransformationMetadataException("A secret must not be given as plain text: it would stay in the history and in transcripts. " + Forms);

        string? After(string prefix) => reference.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? reference[prefix.Length..] : null;
    }

    private static AwsSecretReference? FromAws(string reference)
    {
        try
        {
            return AwsSecretReference.TryParse(reference);
        }
        catch (BackupException e)
        {
            throw new ArgumentTransformationMetadataException($"{e.Message} {e.Advice}", e);
        }
    }

    private static SecretValue FromFile(string path, EngineIntrinsics engine)
    {
        try
        {
            var (text, warning) = SecretFile.Read(engine.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path));
            return new(Protect(text), warning);
        }
        catch (BackupException e)
        {
            throw new ArgumentTransformationMetadataException(e.Message, e);
        }
    }

    private static SecureString Protect(string text) => new NetworkCredential("", text).SecurePassword;
}
