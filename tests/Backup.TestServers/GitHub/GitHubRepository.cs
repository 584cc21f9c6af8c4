using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Backup.TestServers.GitHub;

/// <summary>What a repository answers with.</summary>
public enum RepositoryState
{
    Normal,

    /// <summary>Listed, and 451 on everything else (docs.github.com, "DMCA takedown policy").</summary>
    Dmca,

    /// <summary>Listed, and 403 with a <c>block</c> on everything else.</summary>
    Blocked,

    /// <summary>Listed with <c>disabled</c>; git answers 403.</summary>
    Disabled,

    /// <summary>Listed, then 404 on everything else: it was deleted in between.</summary>
    Vanished,

    /// <summary>Listed, and 403 without a block: the token may not read it.</summary>
    Forbidden,

    /// <summary>Neither listed nor found.</summary>
    Deleted,
}

/// <summary>A repository: a bare one on disk, and the records around it.</summary>
public sealed class GitHubRepository
{
    internal GitHubRepository(long id, string owner, string name, string path)
    {
        (Id, Owner, Name, Path) = (id, owner, name, path);
        PushedAt = CreatedAt = UpdatedAt = DateTimeOffset.UtcNow;
    }

    public long Id { get; }

    public string Owner { get; internal set; }

    public string Name { get; internal set; }

    public string FullName => $"{Owner}/{Name}";

    /// <summary>The bare repository on disk. A new one is empty.</summary>
    public string Path { get; }

    /// <summary>The wiki's bare repository on disk, or null where it has never had a page.</summary>
    public string? WikiPath { get; internal set; }

    /// <summary>What the API says of it, whether there is one or not.</summary>
    public bool HasWiki { get; set; }

    public bool HasIssues { get; set; } = true;

    public bool HasPullRequests { get; set; } = true;

    public bool Private { get; set; }

    public bool Fork { get; set; }

    public bool Archived { get; set; }

    public RepositoryState State { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset PushedAt { get; set; }

    public DateTimeOffset UpdatedAt { get; set; }

    public string DefaultBranch { get; set; } = "main";

    public string Description { get; set; } = "";

    /// <summary>LFS objects by their id.</summary>
    public ConcurrentDictionary<string, byte[]> Lfs { get; } = new(StringComparer.Ordinal);

    /// <summary>Records by kind, as the API gives them: issues, comments, labels, …</summary>
    internal ConcurrentDictionary<string, List<JsonObject>> Records { get; } = new(StringComparer.Ordinal);

    /// <summary>The bytes of release assets by their id.</summary>
    internal ConcurrentDictionary<long, byte[]> Assets { get; } = new();

    /// <summary>What info/refs last answered, where that is kept.</summary>
    internal ConcurrentDictionary<string, (DateTimeOffset PushedAt, byte[] Body)> Advertisements { get; } = new(StringComparer.Ordinal);

    private int _nextNumber;

    internal int NextNumber() => Interlocked.Increment(ref _nextNumber);

    /// <summary>Says that something was pushed. A push over HTTP says so by itself.</summary>
    public void Touch() => PushedAt = DateTimeOffset.UtcNow;

    /// <summary>The records of a kind; a list to add to.</summary>
    public IList<JsonObject> RecordsOf(string kind) => Records.GetOrAdd(kind, static _ => []);
}
