using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Backup.Engine.GitHub;

/// <summary>Lists repositories, each once, whatever lists name it.</summary>
internal sealed class RepositoryListing(GitHubClient client, GitHubListOptions options)
{
    private readonly HashSet<long> _seen = [];
    private SimpleUser? _self;

    /// <summary>The accounts whose own list is asked for: those are known whole.</summary>
    public List<SimpleUser> Accounts { get; } = [];

    /// <summary>The login of the token's own user, where it was asked for.</summary>
    public string? Self => _self?.Login;

    /// <summary>The paths of the lists that were read to their end.</summary>
    public HashSet<string> Complete { get; } = new(StringComparer.Ordinal);

    /// <summary>Repositories that were asked for by their names, and cannot be had.</summary>
    public List<MissingRepository> Missing { get; } = [];

    /// <summary>All repositories, before any filter.</summary>
    public async IAsyncEnumerable<GitHubRepository> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var name in options.Names)
        {
            if (await OneAsync(name, cancellationToken) is { } repository && _seen.Add(repository.Id))
                yield return repository;
        }

        await foreach (var list in ListsAsync(cancellationToken))
        {
            await foreach (var repository in ReadAsync(list, cancellationToken))
            {
                if (_seen.Add(repository.Id))
                    yield return repository;
            }

            Complete.Add(list.Name);
        }
    }

    private async Task<GitHubRepository?> OneAsync(string fullName, CancellationToken cancellationToken)
    {
        if (fullName.Split('/') is not [{ Length: > 0 } owner, { Length: > 0 } name])
        {
            Missing.Add(new(fullName, new(FailureKind.InvalidInput, $"'{fullName}' is not a repository's name.", "Give owner/name.")));
            return null;
        }

        try
        {
            var found = await client.GetAsync(Operation.GetRepository, [owner, name], GitHubJson.Default.MinimalRepository, cancellationToken);
            return GitHubRepository.From(found, client.Connection, null, options.Time.GetUtcNow());
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.PermissionDenied)
        {
            // One of several: the others are there.
            Missing.Add(new(fullName, exception));
            return null;
        }
    }

    private async IAsyncEnumerable<RepositoryList> ListsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var organization in options.Organizations)
        {
            Accounts.Add(new(organization, 0, "Organization"));
            yield return new($"orgs/{organization}", Operation.ListRepositoriesOfOrganization, [organization], "?type=all");
        }

        foreach (var user in options.Users)
        {
            Accounts.Add(new(user, 0, "User"));
            // The public list of the token's own user lacks what is private.
            if (await SelfAsync(cancellationToken) is { } self && self.Login.Equals(user, StringComparison.OrdinalIgnoreCase))
                yield return Own("owner");
            else
                yield return new($"users/{user}", Operation.ListRepositoriesOfUser, [user], "?type=owner");
        }

        if (options.Organizations.Count + options.Users.Count + options.Names.Count > 0)
            yield break;
        if (client.Connection.Credential is { App: { } app })
        {
            yield return new($"installations/{app.InstallationId}", Operation.ListRepositoriesOfInstallation, [], "", "repositories");
            yield break;
        }

        if (client.Connection.Credential is null)
            throw new BackupException(FailureKind.AuthenticationFailed, "There is no GitHub token.", "Give -Token, or set TOKEN_GITHUB; or name an -Organization or -User, of which the public repositories are read.");
        if (await SelfAsync(cancellationToken) is { } owner)
            Accounts.Add(owner);
        yield return Own(options.Affiliation.Count > 0 ? string.Join(',', options.Affiliation) : "owner,collaborator,organization_member");
    }

    private static RepositoryList Own(string affiliation) =>
        new($"user/{affiliation}", Operation.ListRepositoriesOfAuthenticatedUser, [], $"?affiliation={Uri.EscapeDataString(affiliation)}&visibility=all");

    /// <summary>Who the token's user is; null for an App, or without a token.</summary>
    private async Task<SimpleUser?> SelfAsync(CancellationToken cancellationToken) =>
        client.Connection.Credential is { App: null }
            ? _self ??= await client.GetAsync(Operation.GetAuthenticatedUser, [], GitHubJson.Default.SimpleUser, cancellationToken)
            : null;

    private async IAsyncEnumerable<GitHubRepository> ReadAsync(RepositoryList list, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = $"{(list.Query.Length == 0 ? "?" : list.Query + "&")}per_page={GitHubClient.PageSize}";
        for (var next = client.Address(list.Operation, list.Values, query); next is not null;)
        {
            using var page = await client.GetPageAsync(list.Operation, list.Values, next, null, cancellationToken);
            foreach (var item in page.Items(list.Operation, list.Property))
                yield return GitHubRepository.From(Read(item, list.Operation), client.Connection, list.Name, page.Date);
            next = page.Next;
        }
    }

    private static MinimalRepository Read(JsonElement item, Operation operation)
    {
        try
        {
            return item.Deserialize(GitHubJson.Default.MinimalRepository)!;
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.Corrupt, $"What answered {operation} is not a list of repositories: {exception.Message}", "Check -ApiUri.", exception);
        }
    }

    private sealed record RepositoryList(string Name, Operation Operation, IReadOnlyList<object> Values, string Query, string? Property = null);
}
