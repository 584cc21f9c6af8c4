using System.Diagnostics;
using System.Text;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Tests.Fixtures;
using static Backup.Engine.Tests.GitHub.Git.GitPlace;

namespace Backup.Engine.Tests.GitHub.Git;

public sealed class GitProcessTests
{
    [Fact]
    public async Task The_environment_is_made_from_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script.");
        using var directory = new TemporaryDirectory();
        var fake = Script(directory, "env; printf 'end %s' \"$*\"");
        Environment.SetEnvironmentVariable("GIT_DIR_FAKE_SECRET", "leaked");
        var said = await GitProcess.ReadAsync(new() { Git = fake, Arguments = ["push"], Directory = directory.Path, Repository = directory.Path, Remote = new(new Uri("https://host/a/b.git")), Token = "sesame" }, CancellationToken.None);
        said.ShouldNotContain("leaked");
        said.ShouldContain("GIT_CONFIG_NOSYSTEM=1");
        said.ShouldContain("GIT_CONFIG_GLOBAL=/dev/null");
        said.ShouldContain("GIT_TERMINAL_PROMPT=0");
        said.ShouldContain("GIT_ALLOW_PROTOCOL=https");
        said.ShouldContain("=core.hooksPath");
        said.ShouldContain("=http.https://host/.extraHeader");
        said.ShouldContain("end push");
        said.Split('\n').ShouldNotContain(line => line.StartsWith("USER=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_that_does_nothing_is_ended_with_all_it_started()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script.");
        using var directory = new TemporaryDirectory();
        var fake = Script(directory, "sleep 300 & echo $! > child; wait");
        var exception = await Should.ThrowAsync<BackupException>(() => GitProcess.ReadAsync(new() { Git = fake, Arguments = ["fsck"], Directory = directory.Path, Stall = TimeSpan.FromMilliseconds(500) }, CancellationToken.None));
        exception.Kind.ShouldBe(FailureKind.TimedOut);
        var child = int.Parse((await File.ReadAllTextAsync(directory.Combine("child"))).Trim());
        await GoneAsync(child);
    }

    [Fact]
    public async Task One_that_works_is_not_ended_until_its_deadline()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script.");
        using var directory = new TemporaryDirectory();
        var fake = Script(directory, "while :; do echo working; sleep 0.05; done");
        var clock = Stopwatch.StartNew();
        (await Should.ThrowAsync<BackupException>(() => GitProcess.RunAsync(new() { Git = fake, Arguments = ["gc"], Directory = directory.Path, Stall = TimeSpan.FromSeconds(20), Deadline = TimeSpan.FromSeconds(1) }, CancellationToken.None))).Message.ShouldContain("took longer");
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task Cancelling_ends_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script.");
        using var directory = new TemporaryDirectory();
        var fake = Script(directory, "sleep 300 & echo $! > child.new; mv child.new child; wait");
        using var stop = new CancellationTokenSource();
        var running = GitProcess.RunAsync(new() { Git = fake, Arguments = ["fsck"], Directory = directory.Path }, stop.Token);
        while (!File.Exists(directory.Combine("child")))
            await Task.Delay(10);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
        await GoneAsync(int.Parse((await File.ReadAllTextAsync(directory.Combine("child"))).Trim()));
    }

    [Theory]
    [InlineData("--batch-check")]
    [InlineData("--batch=")]
    public async Task A_scan_whose_git_fails_tells_that_failure(string failing)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script.");
        await using var place = await CreateAsync();
        var files = Enumerable.Range(0, 3000).Select(i => ($"f{i}", Noise(500, i)));
        await place.Source.CommitAsync("refs/heads/main", [.. files]);
        var fake = Script(place.Directory, $"case \"$*\" in *{failing}*) echo 'fatal: out of luck' >&2; exit 128;; esac; exec git \"$@\"");
        (await Should.ThrowAsync<BackupException>(() => place.RunAsync(options: options => options with { GitPath = fake }))).Message.ShouldContain("out of luck");
        (await place.KeysAsync()).ShouldNotContain(key => key.EndsWith(".json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_it_says_is_bounded_and_never_the_token()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script.");
        using var directory = new TemporaryDirectory();
        var basic = GitRemote.BasicParameter("sesame");
        var fake = Script(directory, $"i=0; while [ $i -lt 3000 ]; do echo \"noise $i sesame {basic}\" >&2; i=$((i+1)); done; printf 'Receiving: 1%%\\rReceiving: 2%%\\r\\033[31mfatal: sesame is wrong\\n' >&2; exit 128");
        var exit = await GitProcess.RunAsync(new() { Git = fake, Arguments = ["push"], Directory = directory.Path, Token = "sesame" }, CancellationToken.None);
        exit.Code.ShouldBe(128);
        exit.Error.Length.ShouldBeLessThan(40_000);
        exit.Error.ShouldNotContain("sesame");
        exit.Error.ShouldNotContain(basic);
        exit.Error.ShouldNotContain("\u001b");
        exit.Error.ShouldNotContain("Receiving");
    }

    [Fact]
    public async Task No_git_or_one_too_old_is_told_with_what_to_do()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script.");
        using var directory = new TemporaryDirectory();
        (await Should.ThrowAsync<BackupException>(() => GitProgram.FindAsync(directory.Combine("nowhere")))).Kind.ShouldBe(FailureKind.NotSupported);
        var old = Script(directory, "echo git version 2.25.1");
        var exception = await Should.ThrowAsync<BackupException>(() => GitProgram.FindAsync(old));
        exception.Kind.ShouldBe(FailureKind.NotSupported);
        exception.Message.ShouldContain("2.25");
    }

    [Fact]
    public async Task The_token_is_in_no_argument_no_file_and_no_message()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks into /proc.");
        await using var place = await CreateAsync();
        place.MirrorPath = place.Directory.Combine("mirrors");
        await place.Source.CommitAsync("refs/heads/main", ("a.bin", Noise(2_000_000, 1)));
        var token = place.Server.Token;
        var basic = GitRemote.BasicParameter(token);
        using var stop = new CancellationTokenSource();
        var (seen, looked) = (new List<string>(), 0);
        var watching = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(path[6])))
                {
                    try
                    {
                        var line = Encoding.UTF8.GetString(File.ReadAllBytes(process + "/cmdline"));
                        if (line.StartsWith("git", StringComparison.Ordinal) || line.Contains("/git", StringComparison.Ordinal))
                            looked++;
                        if (line.Contains(token, StringComparison.Ordinal) || line.Contains(basic, StringComparison.Ordinal))
                            seen.Add(line);
                    }
                    catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                    {
                        // It has ended.
                    }
                }
            }
        });
        var log = new StringBuilder();
        var logger = new CallbackLogger(0, (_, text) => log.AppendLine(text));

        await place.RunAsync(options: options => options with { Logger = logger });
        var fresh = place.Server.AddRepository("acme/fresh");
        var options = new GitRestoreOptions { Folders = [place.Folder], WorkPath = place.Directory.Combine("work"), Logger = logger };
        await GitRestore.ToRemoteAsync(place.Store, place.Http, new(place.Server.CloneUrl(fresh), _ => new(token)), options, CancellationToken.None);
        // A push that fails says why, without it.
        await new SourceRepository(fresh.Path).GitAsync("config", "http.receivepack", "false");
        await place.Source.CommitAsync("refs/heads/main", ("b.txt", Text("two")));
        await place.RunAsync(options: options => options with { Logger = logger });
        var failure = await Should.ThrowAsync<BackupException>(() => GitRestore.ToRemoteAsync(place.Store, place.Http, new(place.Server.CloneUrl(fresh), _ => new(token)), options, CancellationToken.None));
        failure.Kind.ShouldBe(FailureKind.PermissionDenied);
        await stop.CancelAsync();
        await watching;

        looked.ShouldBeGreaterThan(0);
        seen.ShouldBeEmpty();
        (log + failure.ToString()).ShouldNotContain(token);
        (log + failure.ToString()).ShouldNotContain(basic);
        foreach (var file in Directory.EnumerateFiles(place.Directory.Path, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
        {
            var text = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            text.ShouldNotContain(token, customMessage: file);
            text.ShouldNotContain(basic, customMessage: file);
        }
    }

    [Fact]
    public async Task A_tree_that_wants_out_of_its_folder_is_kept_and_never_checked_out()
    {
        await using var place = await CreateAsync();
        var blob = await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("pwned")));
        var file = await place.Source.GitAsync("rev-parse", "refs/heads/main:a.txt");
        var raw = place.Directory.Combine("tree");
        // "..", ".git/hooks" and a submodule that leads away, as no git writes them.
        var id = Convert.FromHexString(file);
        var inner = await TreeAsync([.. Text("100755 post-checkout\0"), .. id]);
        var hooks = await TreeAsync([.. Text("40000 hooks\0"), .. Convert.FromHexString(inner)]);
        var modules = place.Directory.Combine("modules");
        await File.WriteAllTextAsync(modules, "[submodule \"../../x\"]\n\tpath = ../../x\n\turl = -oProxyCommand=touch\n");
        var gitmodules = await place.Source.GitAsync("hash-object", "-w", modules);
        var root = await TreeAsync([.. Text("40000 ..\0"), .. Convert.FromHexString(inner), .. Text("40000 .git\0"), .. Convert.FromHexString(hooks), .. Text("100644 .gitmodules\0"), .. Convert.FromHexString(gitmodules), .. Text("100644 a.txt\0"), .. id]);
        var commit = place.Directory.Combine("commit");
        await File.WriteAllTextAsync(commit, $"tree {root}\nparent {blob}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        await place.Source.GitAsync("update-ref", "refs/heads/main", await place.Source.GitAsync("hash-object", "--literally", "-t", "commit", "-w", commit));

        var result = await place.RunAsync();
        result.Generation.Findings.ShouldNotBeEmpty();

        var options = new GitRestoreOptions { Folders = [place.Folder], WorkPath = place.Directory.Combine("work") };
        var bare = new SourceRepository(place.Directory.Combine("bare"));
        await GitRestore.ToFolderAsync(place.Store, bare.Path, options, CancellationToken.None);
        (await bare.ReachableAsync()).ShouldBe(await place.Source.ReachableAsync());
        var before = Directory.EnumerateFileSystemEntries(place.Directory.Path).ToHashSet(StringComparer.Ordinal);
        await Should.ThrowAsync<BackupException>(() => GitRestore.ToFolderAsync(place.Store, place.Directory.Combine("out", "tree"), options with { Checkout = true }, CancellationToken.None));
        Directory.EnumerateFileSystemEntries(place.Directory.Path).Except(before, StringComparer.Ordinal).ShouldBe([place.Directory.Combine("out")]);
        Directory.GetFileSystemEntries(place.Directory.Combine("out")).ShouldBe([place.Directory.Combine("out", "tree")]);
        Directory.Exists(place.Directory.Combine("out", "tree", ".git", "hooks")).ShouldBeFalse();

        async Task<string> TreeAsync(byte[] bytes)
        {
            await File.WriteAllBytesAsync(raw, bytes);
            return await place.Source.GitAsync("hash-object", "--literally", "-t", "tree", "-w", raw);
        }
    }

    private static string Script(TemporaryDirectory directory, string body)
    {
        var file = directory.Combine($"git-{Guid.NewGuid():N}");
        File.WriteAllText(file, "#!/bin/sh\n" + body + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return file;
    }

    private static async Task GoneAsync(int pid)
    {
        // A killed child is a zombie until its new parent has seen it.
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(10); await Task.Delay(20))
        {
            if (!File.Exists($"/proc/{pid}/stat") || (await File.ReadAllTextAsync($"/proc/{pid}/stat")).Split(") ")[1].StartsWith('Z'))
                return;
        }

        Assert.Fail($"Process {pid} still runs.");
    }
}
