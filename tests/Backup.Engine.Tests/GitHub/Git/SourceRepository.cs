using System.Diagnostics;
using System.Text;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.GitHub.Git;

/// <summary>A bare repository on the server's disk, written by git itself.</summary>
internal sealed class SourceRepository(string path)
{
    private static readonly Dictionary<string, string?> Environment = new(StringComparer.Ordinal)
    {
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_AUTHOR_NAME"] = "Ann",
        ["GIT_AUTHOR_EMAIL"] = "ann@example.com",
        ["GIT_COMMITTER_NAME"] = "Ann",
        ["GIT_COMMITTER_EMAIL"] = "ann@example.com",
    };

    private int _time = 1_700_000_000;

    public string Path { get; } = path;

    /// <summary>A commit on top of a ref (or of none), with these files besides those that were there.</summary>
    public async Task<string> CommitAsync(string branch, params (string Path, byte[] Content)[] files)
    {
        var parent = await TryResolveAsync(branch);
        return await ImportAsync(branch, parent, files);
    }

    /// <summary>A commit that shares nothing with what the branch was: a push by force.</summary>
    public Task<string> ReplaceAsync(string branch, params (string Path, byte[] Content)[] files) => ImportAsync(branch, null, files);

    public async Task<string> GitAsync(params string[] arguments) => (await RunAsync(arguments)).Succeeded().Trim();

    public Task<PeerResult> RunAsync(params string[] arguments) => PeerProgram.RunAsync("git", ["--git-dir", Path, .. arguments], Environment);

    /// <summary>All refs as <c>git for-each-ref</c> prints them.</summary>
    public async Task<string[]> RefsAsync() => (await GitAsync("for-each-ref", "--format=%(objectname) %(refname)")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>All objects that refs lead to, in order.</summary>
    public async Task<string[]> ReachableAsync() =>
        [.. (await GitAsync("rev-list", "--objects", "--no-object-names", "--all")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private async Task<string?> TryResolveAsync(string branch)
    {
        var result = await RunAsync("rev-parse", "--verify", "--quiet", branch);
        return result.ExitCode == 0 ? result.Output.Trim() : null;
    }

    private async Task<string> ImportAsync(string branch, string? parent, (string Path, byte[] Content)[] files)
    {
        using var script = new MemoryStream();
        void Line(string text) => script.Write(Encoding.UTF8.GetBytes(text + "\n"));
        _time++;
        Line($"commit {branch}");
        Line("mark :1");
        Line($"committer Ann <ann@example.com> {_time} +0000");
        Line("data 1\nx");
        if (parent is not null)
            Line($"from {parent}");
        foreach (var (file, content) in files)
        {
            Line($"M 100644 inline \"{file}\"");
            Line($"data {content.Length}");
            script.Write(content);
            Line("");
        }

        Line("done");
        await FastImportAsync(script.ToArray());
        return await GitAsync("rev-parse", branch);
    }

    /// <summary>Whatever fast-import can make.</summary>
    public async Task FastImportAsync(byte[] script)
    {
        var start = new ProcessStartInfo("git", ["--git-dir", Path, "fast-import", "--force", "--quiet"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.BaseStream.WriteAsync(script);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await error);
    }
}
