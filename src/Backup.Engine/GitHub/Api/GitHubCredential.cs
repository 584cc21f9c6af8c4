namespace Backup.Engine.GitHub;

/// <summary>What opens a GitHub: a token, or the private key of an App. Not a record: what it holds must never be printed.</summary>
public sealed class GitHubCredential
{
    private GitHubCredential(string? token, GitHubAppKey? app) => (Token, App) = (token, app);

    internal string? Token { get; }

    internal GitHubAppKey? App { get; }

    /// <summary>A personal access token, or any other token that is sent as it is.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for what cannot be one.</exception>
    public static GitHubCredential ForToken(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        token = token.Trim();
        // A line break in it would become a header of its own.
        return token.Length > 0 && token.All(static c => c is > ' ' and < '\u007f')
            ? new(token, null)
            : throw new BackupException(FailureKind.InvalidInput, "The GitHub token is empty, or holds characters that no token has.", "Make a token at github.com/settings/tokens, and give it whole.");
    }

    /// <summary>An App's installation: a token is made from the private key, and made anew before it ends.</summary>
    /// <param name="appId">The App's id, or its client id.</param>
    /// <param name="installationId">The installation.</param>
    /// <param name="privateKey">The private key, as PEM.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for a key that is none.</exception>
    public static GitHubCredential ForApp(string appId, long installationId, string privateKey) => new(null, new(appId, installationId, privateKey));

    /// <summary>Not the secret.</summary>
    public override string ToString() => App is null ? "(token)" : $"App {App.AppId}, installation {App.InstallationId}";
}
