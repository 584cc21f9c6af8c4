using Backup.Engine;
using Backup.Engine.GitHub;

namespace AtlassianBackup;

/// <summary>Makes of parameters and environment what the engine asks GitHub with.</summary>
internal static class GitHubParameters
{
    /// <summary>The connection.</summary>
    /// <param name="parameters">What was given.</param>
    /// <param name="reveal">Gives a secret, and fetches it where it has to be.</param>
    /// <param name="useEnvironment">Whether the environment's token is meant: never for a server that is not GitHub.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static GitHubConnection Connect(IGitHubParameters parameters, Func<SecretValue, string> reveal, bool useEnvironment = true)
    {
        var connection = new GitHubConnection { Credential = CredentialOf(parameters, reveal, useEnvironment) };
        return parameters.ApiUri is { } uri ? connection with { ApiUri = uri } : connection;
    }

    /// <summary>Which repositories are wanted; names are for the cmdlet to add.</summary>
    /// <param name="parameters">What was given.</param>
    /// <param name="isOwnerOnlyGiven">Whether the switch was given at all, on or off: it goes before the environment.</param>
    /// <param name="reveal">Gives a secret, and fetches it where it has to be.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static GitHubListOptions ListOptions(IGitHubListParameters parameters, bool isOwnerOnlyGiven, Func<SecretValue, string> reveal)
    {
        if (parameters.OwnerOnly && parameters.Affiliation is not null)
            throw new BackupException(FailureKind.InvalidInput, "Both -OwnerOnly and -Affiliation are given.", "Give one of them: -OwnerOnly is -Affiliation owner.");
        var isOwnerOnly = parameters.Affiliation is null && GitHubEnvironment.IsOwnerOnly(isOwnerOnlyGiven ? parameters.OwnerOnly.IsPresent : null);
        return new()
        {
            Connection = Connect(parameters, reveal),
            Organizations = parameters.Organization ?? [],
            Users = parameters.User ?? [],
            Affiliation = isOwnerOnly ? ["owner"] : parameters.Affiliation ?? [],
            Include = parameters.Include,
            Exclude = parameters.Exclude,
            IncludeForks = parameters.IncludeForks,
            IncludeArchived = parameters.IncludeArchived,
            Shard = parameters.Shard is null ? null : Shard.Parse(parameters.Shard),
        };
    }

    /// <summary>What the names of -Content mean.</summary>
    public static GitHubContent ContentOf(string[]? names) =>
        names is null ? GitHubContent.Default : names.Aggregate(GitHubContent.None, (all, name) => all | Enum.Parse<GitHubContent>(name, ignoreCase: true));

    private static GitHubCredential? CredentialOf(IGitHubParameters parameters, Func<SecretValue, string> reveal, bool useEnvironment)
    {
        if (parameters.AppId is not null || parameters.PrivateKey is not null || parameters.InstallationId != 0)
        {
            if (parameters.Token is not null)
                throw new BackupException(FailureKind.InvalidInput, "Both -Token and a GitHub App are given.", "Give one of them.");
            return parameters is { AppId: { } app, PrivateKey: { } key, InstallationId: > 0 }
                ? GitHubCredential.ForApp(app, parameters.InstallationId, reveal(key))
                : throw new BackupException(FailureKind.InvalidInput, "A GitHub App needs -AppId, -InstallationId and -PrivateKey.", "Give all three; the key as file:PATH of the .pem that GitHub gave.");
        }

        var token = parameters.Token is { } secret ? reveal(secret) : useEnvironment ? GitHubEnvironment.Token() : null;
        return token is null ? null : GitHubCredential.ForToken(token);
    }
}
