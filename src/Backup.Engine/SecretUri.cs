namespace Backup.Engine;

/// <summary>An address that is a secret in itself. Not a record: only its host is ever printed.</summary>
/// <param name="address">The address.</param>
public sealed class SecretUri(Uri address)
{
    internal Uri Address { get; } = address;

    /// <summary>The host alone.</summary>
    public override string ToString() => Address.IsAbsoluteUri ? Address.Host : "***";
}
