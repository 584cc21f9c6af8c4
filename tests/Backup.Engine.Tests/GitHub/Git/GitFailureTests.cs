using System.Text;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.GitHub;
using Backup.TestServers.GitHub.Faults;
using static Backup.Engine.Tests.GitHub.Git.GitPlace;

namespace Backup.Engine.Tests.GitHub.Git;

public sealed class GitFailureTests
{
    private const string Advertisement = "application/x-git-upload-pack-advertisement";
    private const string Result = "application/x-git-upload-pack-result";

    [Theory]
    [InlineData(RepositoryState.Dmca, FailureKind.PermissionDenied)]
    [InlineData(RepositoryState.Blocked, FailureKind.PermissionDenied)]
    [InlineData(RepositoryState.Vanished, FailureKind.NotFound)]
    public async Task What_a_server_denies_is_a_typed_failure(RepositoryState state, FailureKind kind)
    {
        await using var place = await CreateAsync();
        place.Repository.State = state;
        (await Should.ThrowAsync<BackupException>(() => place.RunAsync())).Kind.ShouldBe(kind);
        (await place.KeysAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_wrong_token_is_an_authentication_failure()
    {
        await using var place = await CreateAsync();
        place.Remote = new(place.Remote.Url, _ => new("ghp_wrong"));
        (await Should.ThrowAsync<BackupException>(() => place.RunAsync())).Kind.ShouldBe(FailureKind.AuthenticationFailed);
    }

    [Fact]
    public async Task A_renamed_repository_is_found_by_its_redirect_with_the_token()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        place.Server.World.Rename(place.Repository, "acme/other");
        (await place.RunAsync()).Generation.Refs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Another_origin_never_sees_the_token()
    {
        await using var elsewhere = new CannedServer(_ => new(Advertisement, Text("001e# service=git-upload-pack\n0000")));
        await using var here = new CannedServer(_ => new("text/plain", [], null, 301, $"{elsewhere.Endpoint}acme/app.git/info/refs?service=git-upload-pack"));
        using var http = new Backup.Engine.Http.HttpSender(new() { MaxAttempts = 1 });
        await Should.ThrowAsync<BackupException>(() => RefAdvertisement.ReadAsync(http, new(new(here.Endpoint, "acme/app.git"), _ => new("sesame")), CancellationToken.None));
        here.Heads.ShouldHaveSingleItem().ShouldContain("Authorization: Basic ");
        elsewhere.Heads.ShouldHaveSingleItem().ShouldNotContain("Authorization");
    }

    [Fact]
    public async Task A_pack_that_is_cut_leaves_nothing_behind_and_the_next_attempt_succeeds()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.bin", Noise(300_000, 1)));
        var fault = place.Server.Faults.Add("/git-upload-pack", new FaultAction(TruncateAfter: 100_000), int.MaxValue);
        (await Should.ThrowAsync<BackupException>(() => place.RunAsync())).Kind.ShouldBe(FailureKind.Unavailable);
        fault.Hits.ShouldBe(3);
        (await place.KeysAsync()).ShouldBeEmpty();
        Directory.GetFileSystemEntries(place.Directory.Combine("work")).ShouldBeEmpty();

        place.Server.Faults.Clear();
        place.Server.Faults.Add("/git-upload-pack", new FaultAction(TruncateAfter: 100_000));
        (await place.RunAsync()).Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_left()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.bin", Noise(300_000, 1)));
        var (refs, pack) = await RecordAsync(place);
        await using var server = new CannedServer(path => path.Contains("info/refs", StringComparison.Ordinal) ? new(Advertisement, refs) : new(Result, pack, SilentAfter: 100_000));
        place.Remote = new(new(server.Endpoint, "acme/app.git"));
        (await Should.ThrowAsync<BackupException>(() => place.RunAsync(options: options => options with { Stall = TimeSpan.FromMilliseconds(300) }))).Kind.ShouldBe(FailureKind.TimedOut);
        (await place.KeysAsync()).ShouldBeEmpty();
        Directory.GetFileSystemEntries(place.Directory.Combine("work")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(150_000)]
    [InlineData(-30)]
    public async Task A_flipped_byte_is_found_before_the_store_has_anything(int position)
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.bin", Noise(300_000, 1)));
        var (refs, pack) = await RecordAsync(place);
        pack[position < 0 ? pack.Length + position : position] ^= 0x10;
        await using var server = new CannedServer(path => path.Contains("info/refs", StringComparison.Ordinal) ? new(Advertisement, refs) : new(Result, pack));
        place.Remote = new(new(server.Endpoint, "acme/app.git"));
        (await Should.ThrowAsync<BackupException>(() => place.RunAsync())).Kind.ShouldBe(FailureKind.Corrupt);
        (await place.KeysAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pack_that_lacks_an_object_is_refused(bool second)
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("base.txt", Text("base")));
        if (second)
            await place.RunAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("two")));
        var (refs, _) = await RecordAsync(place);
        // All but a tree: git packs what it is told to.
        var tree = await place.Source.GitAsync("rev-parse", "refs/heads/main~1^{tree}");
        var objects = (await place.Source.ReachableAsync()).Where(id => id != tree);
        var list = place.Directory.Combine("objects.txt");
        await File.WriteAllLinesAsync(list, objects);
        (await PeerProgram.RunAsync("sh", ["-c", $"git --git-dir '{place.Source.Path}' pack-objects --stdout < '{list}' > '{place.Directory.Combine("pack")}'"])).Succeeded();
        var pack = Sideband(await File.ReadAllBytesAsync(place.Directory.Combine("pack")));
        await using var server = new CannedServer(path => path.Contains("info/refs", StringComparison.Ordinal) ? new(Advertisement, refs) : new(Result, pack));
        place.Remote = new(new(server.Endpoint, "acme/app.git"));
        var before = await place.KeysAsync();

        (await Should.ThrowAsync<BackupException>(() => place.RunAsync())).Kind.ShouldBe(FailureKind.Corrupt);

        (await place.KeysAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task A_ref_that_moves_while_it_is_fetched_is_asked_for_again()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        var stale = await RefAdvertisement.ReadAsync(place.Http, place.Remote, CancellationToken.None);
        await place.Source.ReplaceAsync("refs/heads/main", ("a.txt", Text("two")));
        await place.Source.GitAsync("gc", "-q", "--prune=now");
        var result = await place.RunAsync(request => request with { Advertised = stale });
        result.Generation.Refs.ShouldBe(await place.Source.RefsAsync());
    }

    [Fact]
    public async Task A_page_that_is_not_git_is_told_as_such()
    {
        await using var server = new CannedServer(_ => new("text/html", Text("<html>Sign in</html>")));
        await using var place = await CreateAsync();
        place.Remote = new(new(server.Endpoint, "acme/app.git"));
        (await Should.ThrowAsync<BackupException>(() => place.RunAsync())).Message.ShouldContain("does not answer as a git server does");
    }

    [Fact]
    public async Task An_object_that_fsck_refuses_is_kept_and_told()
    {
        await using var place = await CreateAsync();
        var commit = await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("one")));
        var tree = await place.Source.GitAsync("rev-parse", "refs/heads/main^{tree}");
        var file = place.Directory.Combine("commit");
        // A time zone of old tools, which is let pass; and no author at all, which is not.
        await File.WriteAllTextAsync(file, $"tree {tree}\nparent {commit}\nauthor A <a@b> 1 +051800\ncommitter A <a@b> 1 +0000\n\nx\n");
        await place.Source.GitAsync("update-ref", "refs/heads/zone", await place.Source.GitAsync("hash-object", "--literally", "-t", "commit", "-w", file));
        var tolerated = await place.RunAsync();
        tolerated.Generation.Findings.ShouldHaveSingleItem().ShouldContain("badTimezone");

        await File.WriteAllTextAsync(file, $"tree {tree}\nparent {commit}\ncommitter A <a@b> 1 +0000\n\nx\n");
        await place.Source.GitAsync("update-ref", "refs/heads/nobody", await place.Source.GitAsync("hash-object", "--literally", "-t", "commit", "-w", file));
        var kept = await place.RunAsync();
        kept.Outcome.ShouldBe(Outcome.Completed);
        kept.Generation.Findings.ShouldHaveSingleItem().ShouldContain("missingAuthor");
        kept.Generation.Refs.ShouldBe(await place.Source.RefsAsync());
    }

    [Fact]
    public async Task Cancelling_ends_everything_and_leaves_nothing()
    {
        await using var place = await CreateAsync();
        await place.Source.CommitAsync("refs/heads/main", ("a.bin", Noise(300_000, 1)));
        var (refs, pack) = await RecordAsync(place);
        await using var server = new CannedServer(path => path.Contains("info/refs", StringComparison.Ordinal) ? new(Advertisement, refs) : new(Result, pack, SilentAfter: 200_000));
        place.Remote = new(new(server.Endpoint, "acme/app.git"));
        using var stop = new CancellationTokenSource();
        var progress = new Watch(() => stop.CancelAfter(100));
        var running = place.Backup().BackupAsync(place.Request() with { Progress = progress }, stop.Token);
        while (server.Heads.Count < 2)
            await Task.Delay(10);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
        (await place.KeysAsync()).ShouldBeEmpty();
        Directory.GetFileSystemEntries(place.Directory.Combine("work")).ShouldBeEmpty();
    }

    private sealed class Watch(Action seen) : IProgress<long>
    {
        public void Report(long value) => seen();
    }

    /// <summary>What the real server says: its refs, and the pack of all of them.</summary>
    private static async Task<(byte[] Refs, byte[] Pack)> RecordAsync(GitPlace place)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new("Basic", GitRemote.BasicParameter(place.Server.Token));
        var refs = await client.GetByteArrayAsync(new Uri($"{place.Server.CloneUrl(place.Repository)}/info/refs?service=git-upload-pack"));
        var tip = (await place.Source.RefsAsync())[0].Split(' ')[0];
        // Without progress: a byte that is flipped must be one of the pack, not of what git says about it.
        var want = $"want {tip} side-band-64k ofs-delta no-progress\n";
        using var body = new StringContent($"{4 + want.Length:x4}{want}00000009done\n");
        body.Headers.ContentType = new("application/x-git-upload-pack-request");
        using var answer = await client.PostAsync(new Uri($"{place.Server.CloneUrl(place.Repository)}/git-upload-pack"), body);
        return (refs, await answer.Content.ReadAsByteArrayAsync());
    }

    private static byte[] Sideband(byte[] pack)
    {
        using var to = new MemoryStream();
        to.Write(Text("0008NAK\n"));
        foreach (var chunk in pack.Chunk(60_000))
        {
            to.Write(Encoding.ASCII.GetBytes((chunk.Length + 5).ToString("x4")));
            to.WriteByte(1);
            to.Write(chunk);
        }

        to.Write(Text("0000"));
        return to.ToArray();
    }
}
