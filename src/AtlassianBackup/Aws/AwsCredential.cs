namespace AtlassianBackup;

/// <summary>AWS keys given to a cmdlet. Prints as the access key id alone.</summary>
public sealed class AwsCredential
{
    internal AwsCredential(string accessKey, string secretKey, string? sessionToken)
    {
        AccessKey = accessKey;
        SecretKey = secretKey;
        SessionToken = string.IsNullOrEmpty(sessionToken) ? null : sessionToken;
    }

    /// <summary>The access key id, which is not a secret.</summary>
    public string AccessKey { get; }

    internal string SecretKey { get; }

    internal string? SessionToken { get; }

    /// <inheritdoc/>
    public override string ToString() => AccessKey;
}
