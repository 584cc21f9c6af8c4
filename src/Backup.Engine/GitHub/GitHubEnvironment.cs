namespace Backup.Engine.GitHub;

/// <summary>What the environment says where nothing is given.</summary>
public static class GitHubEnvironment
{
    // TOKEN_GITHUB is what earlier backup scripts use; the other two are those of GitHub's own tools.
    private static readonly string[] TokenVariables = ["TOKEN_GITHUB", "GH_TOKEN", "GITHUB_TOKEN"];
    private const string OwnerOnlyVariable = "BACKUP_ONLY_OWNER_REPOS";

    /// <summary>The token, or null.</summary>
    public static string? Token() => TokenVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value));

    /// <summary>Whether only what the user owns is wanted: as was given, or by the environment where nothing was.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for a value that is neither yes nor no.</exception>
    public static bool IsOwnerOnly(bool? given)
    {
        if (given is { } value)
            return value;
        return Environment.GetEnvironmentVariable(OwnerOnlyVariable)?.Trim().ToUpperInvariant() switch
        {
            null or "" or "FALSE" or "0" => false,
            "TRUE" or "1" => true,
            _ => throw new BackupException(FailureKind.InvalidInput, $"The environment variable {OwnerOnlyVariable} is neither true nor false.", "Set it to true, false, 1 or 0; or give -OwnerOnly or -OwnerOnly:$false."),
        };
    }
}
