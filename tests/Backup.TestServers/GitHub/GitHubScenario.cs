using System.Security.Cryptography;
using System.Text;

namespace Backup.TestServers.GitHub;

/// <summary>Generated repositories: as many plain ones as wanted, and one of each kind that goes wrong in practice.</summary>
public sealed class GitHubScenario(GitHubServer server)
{
    public const string Owner = "acme";

    /// <summary>Plain repositories, each with its own files and a few commits.</summary>
    public IReadOnlyList<GitHubRepository> AddPlain(int count, int commits = 3)
    {
        server.World.AddAccount(Owner, organization: true);
        return [.. Enumerable.Range(1, count).Select(number => Plain($"repo-{number:D4}", commits))];
    }

    /// <summary>One each: empty, LFS, wiki, to be renamed, DMCA, 5,000 refs, to be pushed to by force, a hostile name.</summary>
    public void AddSpecial()
    {
        server.World.AddAccount(Owner, organization: true);
        server.World.AddRepository($"{Owner}/empty");
        AddLfs();
        AddWiki();
        Plain("renamed-old", 1);
        Plain("dmca", 1).State = RepositoryState.Dmca;
        AddManyRefs();
        Plain("forced", 2);
        Plain("-rf $(touch pwned)", 1);
        AddRecords();
    }

    /// <summary>What happens between two runs: a push by force, a renaming, a new issue.</summary>
    public void Change()
    {
        var forced = server.World.Repositories.Single(repository => repository.Name == "forced");
        var generated = new GeneratedRepository(forced.Path);
        generated.SetRef("refs/heads/main", generated.Commit(null, "history written anew", ("new.txt", Bytes("nothing of what was here"))));
        forced.Touch();
        server.World.Rename(server.World.Repositories.Single(repository => repository.Name == "renamed-old"), $"{Owner}/renamed-new");
        server.Content(server.World.Repositories.Single(repository => repository.Name == "records")).Issue("reported later", "after the first run");
    }

    private GitHubRepository Plain(string name, int commits)
    {
        var repository = server.World.AddRepository($"{Owner}/{name}");
        var generated = new GeneratedRepository(repository.Path);
        string? head = null;
        for (var i = 1; i <= commits; i++)
            head = generated.Commit(head, $"commit {i}", ("README.md", Bytes($"# {name}\n")), ("data.txt", Bytes($"{name} {i}\n")));
        generated.SetRef("refs/heads/main", head!);
        generated.SetRef("refs/tags/v1", head!);
        return repository;
    }

    private void AddLfs()
    {
        var repository = server.World.AddRepository($"{Owner}/lfs");
        var content = Bytes(string.Concat(Enumerable.Repeat("a large file ", 1000)));
        var oid = Convert.ToHexStringLower(SHA256.HashData(content));
        repository.Lfs[oid] = content;
        var generated = new GeneratedRepository(repository.Path);
        var head = generated.Commit(
            null,
            "a large file",
            (".gitattributes", Bytes("*.bin filter=lfs diff=lfs merge=lfs -text\n")),
            ("large.bin", Bytes($"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {content.Length}\n")));
        generated.SetRef("refs/heads/main", head);
    }

    private void AddWiki()
    {
        var wiki = new GeneratedRepository(server.World.AddWiki(Plain("wiki", 1)));
        wiki.SetRef("refs/heads/master", wiki.Commit(null, "first page", ("Home.md", Bytes("Welcome\n"))));
        // A wiki's branch is master.
        File.WriteAllText(Path.Combine(server.World.Repositories.Single(r => r.Name == "wiki").WikiPath!, "HEAD"), "ref: refs/heads/master\n");
    }

    private void AddManyRefs()
    {
        var repository = Plain("many-refs", 1);
        var head = File.ReadAllText(Path.Combine(repository.Path, "refs", "heads", "main")).Trim();
        new GeneratedRepository(repository.Path).SetPackedRefs(Enumerable.Range(1, 5000).Select(number => $"refs/heads/topic/{number:D5}"), head);
    }

    private void AddRecords()
    {
        var content = server.Content(Plain("records", 1));
        content.Label("bug");
        content.Milestone("1.0");
        var first = content.Issue("a bug", "It breaks.", labels: ["bug"], milestone: 1);
        content.Comment((int)first["number"]!, "Seen here too.");
        content.Issue("solved", state: "closed");
        content.PullRequest("a change");
        content.Asset(content.Release("v1", "The first one."), "app.zip", Bytes("not really a zip"));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
