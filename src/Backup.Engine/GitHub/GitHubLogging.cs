namespace Backup.Engine.GitHub;

/// <summary>Gives this system's options a logger, for whoever cannot name ILogger itself.</summary>
public static class GitHubLogging
{
    /// <summary>Gives options this logger.</summary>
    public static GitHubListOptions With(this CallbackLogger logger, GitHubListOptions options) => options with { Logger = logger };

    /// <inheritdoc cref="With(CallbackLogger, GitHubListOptions)"/>
    public static GitHubBackupOptions With(this CallbackLogger logger, GitHubBackupOptions options) => options with { Logger = logger };

    /// <inheritdoc cref="With(CallbackLogger, GitHubListOptions)"/>
    public static GitHubRestoreOptions With(this CallbackLogger logger, GitHubRestoreOptions options) => options with { Logger = logger };
}
