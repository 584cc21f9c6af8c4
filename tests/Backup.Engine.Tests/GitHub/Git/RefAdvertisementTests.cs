using System.Text;
using Backup.Engine.GitHub.Git;
using static Backup.Engine.Tests.GitHub.Git.GitPlace;

namespace Backup.Engine.Tests.GitHub.Git;

public sealed class RefAdvertisementTests
{
    private const string Id = "0123456789012345678901234567890123456789";

    [Theory]
    [InlineData("refs/heads/main", true)]
    [InlineData("refs/heads/-x", true)]
    [InlineData("refs/heads/ünïcode/x", true)]
    [InlineData("refs/heads/a@b", true)]
    [InlineData("refs/heads/../../x", false)]
    [InlineData("refs/heads/.hidden", false)]
    [InlineData("refs/heads/a//b", false)]
    [InlineData("refs/heads/a/", false)]
    [InlineData("refs/heads/a.lock", false)]
    [InlineData("refs/heads/a.lock/b", false)]
    [InlineData("refs/heads/a.", false)]
    [InlineData("refs/heads/a\nb", false)]
    [InlineData("refs/heads/a b", false)]
    [InlineData("refs/heads/a\\b", false)]
    [InlineData("refs/heads/a:b", false)]
    [InlineData("refs/heads/a@{b", false)]
    [InlineData("refs/heads/a*", false)]
    [InlineData("HEAD", false)]
    [InlineData("../refs/heads/x", false)]
    [InlineData("/etc/passwd", false)]
    public async Task Names_are_taken_as_git_takes_them(string name, bool valid)
    {
        RefName.IsValid(name).ShouldBe(valid);
        // git as the oracle, where the name can be an argument.
        var git = await Fixtures.PeerProgram.RunAsync("git", ["check-ref-format", name]);
        if (name.StartsWith("refs/", StringComparison.Ordinal))
            (git.ExitCode == 0).ShouldBe(valid);
    }

    [Fact]
    public async Task Hostile_names_are_left_out_and_told()
    {
        var refs = await ParseAsync([
            Line($"{Id} HEAD\0side-band-64k symref=HEAD:refs/heads/main object-format=sha1"),
            Line($"{Id} refs/heads/../../x"),
            Line($"{Id} refs/heads/a\nb"),
            Line($"{Id} refs/heads/main"),
            Line($"{Id} refs/heads/Main"),
            [.. Encoding.ASCII.GetBytes("0035"), .. Encoding.ASCII.GetBytes($"{Id} refs/x"), 0xFF, (byte)'\n'],
        ]);
        refs.Refs.Select(item => item.Name).ShouldBe(["refs/heads/Main", "refs/heads/main"]);
        refs.Refused.ShouldBe(["refs/heads/../../x", "refs/heads/a?b", "refs/x"]);
        refs.Head.ShouldBe("refs/heads/main");
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello, this is not git at all")]
    [InlineData("001e# service=git-upload-pack\n")]
    [InlineData("001e# service=git-upload-pack\n0000")]
    [InlineData("001e# service=git-upload-pack\n0000fff1")]
    [InlineData("001e# service=git-upload-pack\n00000003")]
    [InlineData("001e# service=git-upload-pack\n0000+012")]
    [InlineData("001e# service=git-upload-pack\n0000003f0123456789012345678901234567890123456789 refs/heads/main\n0000")]
    [InlineData("001e# service=git-upload-pack\n0000004a0123456789012345678901234567890123456789 refs/heads/main\0side-ba\n")]
    public async Task What_is_not_an_advertisement_is_refused(string body)
    {
        using var stream = new MemoryStream(Text(body));
        (await Should.ThrowAsync<BackupException>(() => RefAdvertisement.ParseAsync(stream, new(new Uri("https://host/a/b.git")), PullRefs.Heads, CancellationToken.None))).Kind.ShouldBeOneOf(FailureKind.Corrupt, FailureKind.Unavailable);
    }

    [Fact]
    public async Task The_digest_tells_refs_and_HEAD_and_nothing_else()
    {
        var one = await ParseAsync([Line($"{Id} refs/heads/a\0side-band-64k symref=HEAD:refs/heads/a"), Line($"{Id} refs/heads/b")]);
        var again = await ParseAsync([Line($"{Id} refs/heads/b\0symref=HEAD:refs/heads/a agent=other"), Line($"{Id} refs/heads/a"), Line($"{Id} refs/pull/1/merge")]);
        var other = await ParseAsync([Line($"{Id} refs/heads/a\0symref=HEAD:refs/heads/b"), Line($"{Id} refs/heads/b")]);
        again.Digest.ShouldBe(one.Digest);
        (other.Digest == one.Digest).ShouldBeFalse();
    }

    [Theory]
    [InlineData("https://user:secret@host/a/b.git")]
    [InlineData("https://host/a/b.git?token=secret")]
    [InlineData("ssh://host/a/b.git")]
    [InlineData("file:///etc")]
    public void An_address_with_a_secret_or_another_protocol_is_refused(string url)
    {
        var exception = Should.Throw<BackupException>(() => new GitRemote(new Uri(url)));
        exception.Kind.ShouldBe(FailureKind.InvalidInput);
        exception.Message.ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("acme", "app", "github/acme/app.7")]
    [InlineData("acme", ".github", "github/acme/.github.7")]
    [InlineData("..", "../../etc/passwd", "github/%2E%2E/..%2F..%2Fetc%2Fpasswd.7")]
    [InlineData("a b", "x\ny", "github/a%20b/x%0Ay.7")]
    [InlineData(".", "..", "github/%2E/%2E%2E.7")]
    public void Keys_never_leave_their_folder(string owner, string name, string folder)
    {
        RepositoryKeys.Folder(owner, name, 7).ShouldBe(folder);
        folder.Split('/').ShouldAllBe(part => part != "." && part != "..");
    }

    private static byte[] Line(string text) => Encoding.UTF8.GetBytes($"{Encoding.UTF8.GetByteCount(text) + 5:x4}{text}\n");

    private static Task<RefAdvertisement> ParseAsync(byte[][] lines)
    {
        var body = new MemoryStream([.. Text("001e# service=git-upload-pack\n0000"), .. lines.SelectMany(line => line), .. Text("0000")]);
        return RefAdvertisement.ParseAsync(body, new(new Uri("https://host/a/b.git")), PullRefs.Heads, CancellationToken.None);
    }
}
