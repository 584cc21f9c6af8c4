using System.Net;
using System.Security;

namespace AtlassianBackup;

/// <summary>A secret given to a cmdlet. It is never printed: what it holds is only handed to the engine.</summary>
public sealed class SecretValue
{
    private readonly SecureString _value;

    internal SecretValue(SecureString value, string? warning = null)
    {
        _value = value;
        Warning = warning;
    }

    /// <summary>What is wrong with the place that the secret came from, for the cmdlet to say; else null.</summary>
    internal string? Warning { get; }

    internal string Reveal() => new NetworkCredential("", _value).Password;

    /// <summary>Not the secret.</summary>
    public override string ToString() => "(secret)";
}
