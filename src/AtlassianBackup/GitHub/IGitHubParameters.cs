namespace AtlassianBackup;

/// <summary>The parameters that say which GitHub, and as whom. The cmdlets have them on different bases.</summary>
public interface IGitHubParameters
{
    /// <summary>A token.</summary>
    SecretValue? Token { get; }

    /// <summary>The API.</summary>
    Uri? ApiUri { get; }

    /// <summary>A GitHub App.</summary>
    string? AppId { get; }

    /// <summary>Its installation.</summary>
    long InstallationId { get; }

    /// <summary>Its private key.</summary>
    SecretValue? PrivateKey { get; }
}
