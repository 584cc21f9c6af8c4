using Backup.Engine.Runs;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>Which of the repositories that a list names are wanted, and how many were left out for what they are.</summary>
internal sealed class RepositoryFilter(GitHubListOptions options)
{
    private int _forks;
    private int _archived;

    /// <summary>Whether it is wanted.</summary>
    public bool Takes(GitHubRepository repository)
    {
        if (options.Shard?.Contains(repository.Id) == false)
            return false;
        if (options.Include is { } include && !include.Any(pattern => Matches(pattern, repository)))
            return false;
        if (options.Exclude?.Any(pattern => Matches(pattern, repository)) == true)
            return false;
        if (repository.Fork && !options.IncludeForks)
        {
            _forks++;
            return false;
        }

        if (repository.Archived && !options.IncludeArchived)
        {
            _archived++;
            return false;
        }

        return true;
    }

    /// <summary>Says what was left out, so that nobody takes it for backed up.</summary>
    public void Tell(ILogger? logger)
    {
        if (_forks > 0)
            logger?.LogWarning("{Count} forks were left out. -IncludeForks takes them too.", _forks);
        if (_archived > 0)
            logger?.LogWarning("{Count} archived repositories were left out. -IncludeArchived takes them too.", _archived);
    }

    private static bool Matches(string pattern, GitHubRepository repository) =>
        RunCatalog.NameMatches(pattern, pattern.Contains('/', StringComparison.Ordinal) ? repository.FullName : repository.Name);
}
