using System.Diagnostics;
using Backup.TestServers.GitHub;

namespace Backup.Engine.Tests.TestServers;

/// <summary>The loopback GitHub against git itself.</summary>
public sealed class GitHubServerTests
{
    [Fact]
    public async Task Git_pushes_and_clones_by_smart_http_with_the_token()
    {
        await using var server = await GitHubServer.StartAsync();
        var repository = server.AddRepository("acme/app");
        var url = server.CloneUrl(repository).AbsoluteUri.Replace("http://", $"http://x:{server.Token}@", StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("github-test-").FullName;
        try
        {
            await GitAsync(folder, "init", "-q", "-b", "main", "a");
            await File.WriteAllTextAsync(Path.Combine(folder, "a", "file"), "content");
            await GitAsync(Path.Combine(folder, "a"), "add", ".");
            await GitAsync(Path.Combine(folder, "a"), "-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "-q", "-m", "one");
            var before = repository.PushedAt;
            await GitAsync(Path.Combine(folder, "a"), "push", "-q", url, "main");
            repository.PushedAt.ShouldBeGreaterThan(before);

            await GitAsync(folder, "clone", "-q", url, "b");
            (await File.ReadAllTextAsync(Path.Combine(folder, "b", "file"))).ShouldBe("content");
            var anonymous = await GitAsync(folder, false, "-c", "credential.helper=", "clone", "-q", server.CloneUrl(repository).AbsoluteUri, "c");
            anonymous.ShouldBe(128);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task GitAsync(string folder, params string[] arguments) => (await GitAsync(folder, true, arguments)).ShouldBe(0);

    private static async Task<int> GitAsync(string folder, bool quiet, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments) { WorkingDirectory = folder, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        using var git = Process.Start(start)!;
        var errors = await git.StandardError.ReadToEndAsync();
        await git.WaitForExitAsync();
        if (quiet)
            errors.ShouldBeEmpty();
        return git.ExitCode;
    }
}
