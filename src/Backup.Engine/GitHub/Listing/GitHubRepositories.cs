namespace Backup.Engine.GitHub;

/// <summary>Lists the repositories of accounts.</summary>
public static class GitHubRepositories
{
    /// <summary>The wanted repositories, as they are found.</summary>
    /// <exception cref="BackupException">A list could not be read to its end.</exception>
    public static IAsyncEnumerable<GitHubRepository> ListAsync(GitHubListOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<GitHubRepository>(
            async (emit, token) =>
            {
                using var client = new GitHubClient(options.Connection, options.Time, options.Logger);
                var filter = new RepositoryFilter(options);
                await foreach (var repository in new RepositoryListing(client, options).ListAsync(token))
                {
                    if (filter.Takes(repository))
                        emit(repository);
                }

                filter.Tell(options.Logger);
            },
            cancellationToken);
    }
}
