using System.Diagnostics;
using System.Globalization;
using Backup.Engine;
using Backup.Engine.GitHub;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Stores;
using Backup.TestServers.GitHub;

namespace Benchmarks;

/// <summary>
/// Whole runs of Backup-GitHubRepos over an organization: the first, one in which nothing changed but all refs are compared, and one that the list alone
/// decides; against <c>git clone --mirror</c> by <c>xargs -P 8</c> with <c>git bundle create</c>. The server is a process of its own.
/// </summary>
internal static class GitHubBench
{
    /// <summary>The server: for each line that it reads it says how many requests there were since the line before.</summary>
    public static async Task<int> ServeAsync(int count)
    {
        await using var server = await GitHubServer.StartAsync();
        new GitHubScenario(server).AddPlain(count);
        Console.WriteLine($"{server.Endpoint} {server.Token}");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            Console.WriteLine(server.Requests.Count.ToString(CultureInfo.InvariantCulture));
            server.ClearRequests();
            if (line == "settle")
            {
                foreach (var repository in server.World.Repositories)
                    repository.PushedAt = DateTimeOffset.UtcNow.AddDays(-1);
            }
        }

        return 0;
    }

    /// <summary>Measures; prints a line for each.</summary>
    public static async Task<int> RunAsync(int count)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["github-server", count.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        var (endpoint, token) = (await server.StandardOutput.ReadLineAsync())!.Split(' ') is [var a, var b] ? (new Uri(a), b) : throw new InvalidOperationException("The server did not start.");
        var directory = Directory.CreateTempSubdirectory("github-bench-").FullName;
        try
        {
            var options = new GitHubBackupOptions
            {
                List = new() { Connection = new() { ApiUri = new(endpoint, "api/v3"), Credential = GitHubCredential.ForToken(token) }, Organizations = [GitHubScenario.Owner] },
                Destination = StoreLocation.ForDirectory(Path.Combine(directory, "store")),
                Content = GitHubContent.Git | GitHubContent.Lfs,
            };
            Console.WriteLine($"{count} repositories, {Environment.ProcessorCount} processors, {options.ThrottleLimit} at once");
            await OursAsync("first", options, server, "");
            await OursAsync("unchanged, refs compared", options, server, "settle");
            // The list now tells of pushes long ago: they are compared once more, and remembered.
            await OursAsync("unchanged, refs compared", options with { FullEvery = TimeSpan.Zero }, server, "");
            await OursAsync("unchanged, by the list alone", options, server, "");
            await PeerAsync(endpoint, token, count, directory);
            return 0;
        }
        finally
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task OursAsync(string name, GitHubBackupOptions options, Process server, string command)
    {
        var (clock, before) = (Stopwatch.StartNew(), GitProcess.StartedCount);
        var outcomes = new Dictionary<Outcome, int>();
        await foreach (var result in GitHubBackup.RunAsync(options))
            outcomes[result.Outcome] = outcomes.GetValueOrDefault(result.Outcome) + 1;
        var seconds = clock.Elapsed.TotalSeconds;
        await server.StandardInput.WriteLineAsync(command);
        await server.StandardInput.FlushAsync();
        var requests = await server.StandardOutput.ReadLineAsync();
        using var self = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ours, {name}: {seconds:0.0} s, {string.Join(", ", outcomes.Select(pair => $"{pair.Value} {pair.Key}"))}, {requests} requests, {GitProcess.StartedCount - before} git processes, peak {self.PeakWorkingSet64 >> 20} MiB"));
    }

    private static async Task PeerAsync(Uri endpoint, string token, int count, string directory)
    {
        var list = Path.Combine(directory, "list");
        await File.WriteAllLinesAsync(list, Enumerable.Range(1, count).Select(number => $"repo-{number:D4}"));
        var start = new ProcessStartInfo("sh", ["-c", $"xargs -P 8 -I{{}} sh -c 'git clone -q --mirror {endpoint}{GitHubScenario.Owner}/{{}}.git $T/{{}}.git && git -C $T/{{}}.git bundle create -q $T/{{}}.bundle --all' < {list}"]);
        start.Environment["T"] = Directory.CreateDirectory(Path.Combine(directory, "peer")).FullName;
        start.Environment["GIT_CONFIG_COUNT"] = "1";
        start.Environment["GIT_CONFIG_KEY_0"] = "http.extraHeader";
        start.Environment["GIT_CONFIG_VALUE_0"] = "Authorization: Basic " + GitRemote.BasicParameter(token);
        var cost = await ChildCost.RunAsync(start, TimeSpan.FromMinutes(30));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"git clone --mirror | git bundle create, 8 at once, nothing verified: {cost.Wall:0.0} s, exit {cost.ExitCode} {cost.Output.Trim()}"));
    }
}
