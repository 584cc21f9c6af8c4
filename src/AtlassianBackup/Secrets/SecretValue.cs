using System.Net;
using System.Security;
using Backup.Engine.Aws;

namespace AtlassianBackup;

/// <summary>A secret given to a cmdlet, or where it is kept in AWS. It is never printed: what it holds is only handed to the engine.</summary>
public sealed class SecretValue
{
    private SecureString? _value;

    internal SecretValue(SecureString value, string? warning = null)
    {
        _value = value;
        Warning = warning;
    }

    internal SecretValue(AwsSecretReference reference) => Reference = reference;

    /// <summary>What is wrong with the place that the secret came from, for the cmdlet to say; else null.</summary>
    internal string? Warning { get; }

    /// <summary>Where it has to be fetched from first; null where it is known.</summary>
    internal AwsSecretReference? Reference { get; private set; }

    /// <summary>The secret. A cmdlet asks <see cref="AwsCmdlet.Reveal"/>, which fetches it first where it has to be.</summary>
    internal string Reveal() => _value is null
        ? throw new InvalidOperationException($"{Reference} was not fetched.")
        : new NetworkCredential("", _value).Password;

    internal void Fetched(string value) => (_value, Reference) = (new NetworkCredential("", value).SecurePassword, null);

    /// <summary>Not the secret.</summary>
    public override string ToString() => "(secret)";
}
