namespace Backup.Engine.Aws;

/// <summary>Access keys given by hand. Not a record: what it holds must never be printed.</summary>
/// <param name="accessKey">The access key id.</param>
/// <param name="secretKey">The secret access key.</param>
/// <param name="sessionToken">The session token of temporary keys, or null.</param>
public sealed class AwsKeys(string accessKey, string secretKey, string? sessionToken = null)
{
    /// <summary>The access key id.</summary>
    public string AccessKey { get; } = accessKey;

    internal string SecretKey { get; } = secretKey;

    internal string? SessionToken { get; } = sessionToken;

    /// <summary>The access key id alone.</summary>
    public override string ToString() => AccessKey;
}
