using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub;

/// <summary>All there is: accounts, repositories, tokens.</summary>
public sealed class GitHubWorld
{
    private readonly string _directory;
    private readonly ConcurrentDictionary<long, GitHubRepository> _repositories = new();
    private readonly ConcurrentDictionary<string, long> _formerNames = new(StringComparer.OrdinalIgnoreCase);
    private long _nextId = 1000;

    internal GitHubWorld(string directory, string login)
    {
        _directory = directory;
        AddAccount(login);
    }

    /// <summary>Ids of the repositories in order.</summary>
    public IEnumerable<GitHubRepository> Repositories => _repositories.Values.OrderBy(repository => repository.Id);

    /// <summary>Users and organizations by login.</summary>
    internal ConcurrentDictionary<string, JsonObject> Accounts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Records of accounts: gists, members, teams; the key is login and kind.</summary>
    internal ConcurrentDictionary<string, List<JsonObject>> AccountRecords { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Apps by id, with the public half of their keys.</summary>
    internal ConcurrentDictionary<string, RSA> Apps { get; } = new(StringComparer.Ordinal);

    /// <summary>How long an installation's token lives; GitHub has an hour.</summary>
    public TimeSpan InstallationTokenLife { get; set; } = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<long, string> _installations = new();

    /// <summary>An App that is installed on everything that <paramref name="owner"/> has.</summary>
    public void AddInstallation(string app, string publicKeyPem, long installation, string owner)
    {
        var key = RSA.Create();
        key.ImportFromPem(publicKeyPem);
        Apps[app] = key;
        _installations[installation] = owner;
    }

    internal bool HasInstallation(long installation) => _installations.ContainsKey(installation);

    internal bool IsInstalled(long installation, GitHubRepository repository) =>
        _installations.TryGetValue(installation, out var owner) && owner.Equals(repository.Owner, StringComparison.OrdinalIgnoreCase);

    internal long NextId() => Interlocked.Increment(ref _nextId);

    /// <summary>A user or an organization.</summary>
    public JsonObject AddAccount(string login, bool organization = false) => Accounts.GetOrAdd(login, name => new JsonObject
    {
        ["login"] = name,
        ["id"] = NextId(),
        ["node_id"] = "U_" + name,
        ["type"] = organization ? "Organization" : "User",
        ["site_admin"] = false,
    });

    /// <summary>A new and empty repository.</summary>
    public GitHubRepository AddRepository(string fullName, long? id = null)
    {
        var (owner, name) = Split(fullName);
        AddAccount(owner);
        var number = id ?? NextId();
        var path = Path.Combine(_directory, $"{number}.git");
        EmptyRepository.Create(path);
        var repository = new GitHubRepository(number, owner, name, path);
        _repositories[number] = repository;
        _formerNames.TryRemove(fullName, out _);
        return repository;
    }

    /// <summary>Gives it a wiki, which is a repository of its own.</summary>
    public string AddWiki(GitHubRepository repository)
    {
        var path = Path.Combine(_directory, $"{repository.Id}.wiki.git");
        EmptyRepository.Create(path);
        repository.HasWiki = true;
        repository.WikiPath = path;
        return path;
    }

    /// <summary>Another name; the former one answers 301 from now on.</summary>
    public void Rename(GitHubRepository repository, string fullName)
    {
        _formerNames[repository.FullName] = repository.Id;
        (repository.Owner, repository.Name) = Split(fullName);
        AddAccount(repository.Owner);
    }

    public IList<JsonObject> RecordsOf(string login, string kind) => AccountRecords.GetOrAdd($"{login}/{kind}", static _ => []);

    internal GitHubRepository? Find(string owner, string name) =>
        _repositories.Values.FirstOrDefault(r => r.Owner.Equals(owner, StringComparison.OrdinalIgnoreCase) && r.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    internal GitHubRepository? Find(long id) => _repositories.GetValueOrDefault(id);

    internal GitHubRepository? FindFormer(string owner, string name) => _formerNames.TryGetValue($"{owner}/{name}", out var id) ? Find(id) : null;

    private static (string Owner, string Name) Split(string fullName)
    {
        var slash = fullName.IndexOf('/', StringComparison.Ordinal);
        return (fullName[..slash], fullName[(slash + 1)..]);
    }
}
