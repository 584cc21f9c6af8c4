namespace Backup.Engine.GitHub;

/// <summary>Lists the repositories of accounts.</summary>
public static class GitHubRepositories
{
    /// <summary>The wanted repositories, as they are found.</summary>
    /// <exception cref="BackupException">A list could not be read to its end; or a name cannot be had, and then all others have come before.</exception>
    public static IAsyncEnumerable<GitHubRepository> ListAsync(GitHubListOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<GitHubRepository>(
            async (emit, token) =>
            {
                using var client = new GitHubClient(options.Connection, options.Time, options.Logger);
                var filter = new RepositoryFilter(options);
                var listing = new RepositoryListing(client, options);
                await foreach (var repository in listing.ListAsync(token))
                {
                    if (filter.Takes(repository))
                        emit(repository);
                }

                filter.Tell(options.Logger);
                // After those that are there: one wrong name hides none of the others.
                if (listing.Missing is [var missing, .. var others])
                {
                    throw others.Count == 0
                        ? missing.Failure
                        : new BackupException(missing.Failure.Kind, $"{missing.Failure.Message.TrimEnd('.')}; nor can {string.Join(", ", others.Select(other => $"'{other.FullName}'"))} be had.", missing.Failure.Advice, missing.Failure);
                }
            },
            cancellationToken);
    }
}
