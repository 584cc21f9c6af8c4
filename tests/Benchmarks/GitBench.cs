using System.Diagnostics;
using System.Globalization;
using System.Text;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Http;
using Backup.Engine.Stores;
using Backup.TestServers.GitHub;

namespace Benchmarks;

/// <summary>
/// Histories of git repositories: ours, with everything verified, against <c>git clone --mirror</c> and <c>git bundle create</c>.
/// Both fetch from the same loopback server, which is a process of its own and runs <c>git http-backend</c>.
/// </summary>
internal static class GitBench
{
    private const int Parallel = 8;
    private const int Blob = 1 << 20;

    /// <summary>The server: makes the repositories, says where they are, and serves until its input ends.</summary>
    public static async Task<int> ServeAsync(int count, int mebibytes)
    {
        await using var server = await GitHubServer.StartAsync();
        var repositories = Enumerable.Range(0, count).Select(i => server.AddRepository(Invariant($"acme/r{i}"))).ToArray();
        await System.Threading.Tasks.Parallel.ForEachAsync(repositories, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (repository, token) =>
        {
            await using var script = await FastImport.StartAsync(repository.Path);
            await script.WriteHistoryAsync((int)repository.Id, mebibytes, token);
        });
        Console.WriteLine($"{server.Endpoint} {server.Token}");
        await Console.In.ReadLineAsync();
        return 0;
    }

    /// <summary>Measures; prints a line for each.</summary>
    public static async Task<int> RunAsync(int count, int mebibytes)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["git-server", Invariant($"{count}"), Invariant($"{mebibytes}")]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var (endpoint, token) = (await server.StandardOutput.ReadLineAsync())!.Split(' ') is [var a, var b] ? (new Uri(a), b) : throw new InvalidOperationException("The server did not start.");
        var directory = Directory.CreateTempSubdirectory("git-bench-").FullName;
        try
        {
            Console.WriteLine($"{count} repositories{(mebibytes > 0 ? $" of {mebibytes} MiB" : "")}, {Environment.ProcessorCount} processors, {Parallel} at once");
            await PeerAsync(endpoint, token, count, directory, bundle: false);
            await OursAsync(endpoint, token, count, directory);
            if (mebibytes == 0)
                await PeerAsync(endpoint, token, count, directory, bundle: true);
            return 0;
        }
        finally
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task PeerAsync(Uri endpoint, string token, int count, string directory, bool bundle)
    {
        var target = Path.Combine(directory, "peer");
        Directory.CreateDirectory(target);
        var list = Path.Combine(directory, "list");
        await File.WriteAllLinesAsync(list, Enumerable.Range(0, count).Select(i => Invariant($"r{i}")));
        var create = bundle ? " && git -C '$T/{}.git' bundle create -q '$T/{}.bundle' --all" : "";
        var script = $"xargs -P {Parallel} -I{{}} sh -c 'git clone -q --mirror {endpoint}acme/{{}}.git $T/{{}}.git{create.Replace("'", "", StringComparison.Ordinal)}' < {list}";
        var start = new ProcessStartInfo("sh", ["-c", script]);
        start.Environment["T"] = target;
        start.Environment["GIT_CONFIG_COUNT"] = "1";
        start.Environment["GIT_CONFIG_KEY_0"] = "http.extraHeader";
        start.Environment["GIT_CONFIG_VALUE_0"] = "Authorization: Basic " + GitRemote.BasicParameter(token);
        var cost = await ChildCost.RunAsync(start, TimeSpan.FromMinutes(30));
        Console.WriteLine(Invariant($"git clone --mirror{(bundle ? " | git bundle create" : "")}: {cost.Wall:0.0} s, CPU {cost.Cpu:0.0} s, exit {cost.ExitCode} {cost.Output.Trim()}"));
        Directory.Delete(target, recursive: true);
    }

    private static async Task OursAsync(Uri endpoint, string token, int count, string directory)
    {
        var work = Path.Combine(directory, "work");
        Directory.CreateDirectory(work);
        await using var store = await ObjectStores.OpenAsync(StoreLocation.ForDirectory(Path.Combine(directory, "store")));
        using var http = new HttpSender();
        var backup = new GitBackup(store, http, new() { WorkPath = work });
        var states = new GitState?[count];
        foreach (var run in (string[])["first run", "second run"])
        {
            var (clock, before) = (Stopwatch.StartNew(), GitProcess.StartedCount);
            var (bytes, stored) = (0L, 0L);
            await System.Threading.Tasks.Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = Parallel }, async (i, cancellation) =>
            {
                var name = Invariant($"acme/r{i}");
                var remote = new GitRemote(new Uri(endpoint, name + ".git"), _ => new(token));
                var advertised = await RefAdvertisement.ReadAsync(http, remote, cancellation);
                if (states[i] is { } known && known.Digest == advertised.Digest && known.IsComplete(lfs: true))
                    return;
                var result = await backup.BackupAsync(
                    new() { Remote = remote, Name = name, Id = i, Folder = RepositoryKeys.Folder("acme", Invariant($"r{i}"), i), Generation = "20260101T000000Z", Previous = states[i], Advertised = advertised },
                    cancellation);
                states[i] = result.State;
                Interlocked.Add(ref bytes, result.BytesStored);
                Interlocked.Increment(ref stored);
            });
            using var self = Process.GetCurrentProcess();
            Console.WriteLine(Invariant($"ours, {run}: {clock.Elapsed.TotalSeconds:0.0} s, {stored} generations, {bytes >> 20} MiB, {GitProcess.StartedCount - before} git processes, CPU so far {self.TotalProcessorTime.TotalSeconds:0.0} s, peak {self.PeakWorkingSet64 >> 20} MiB"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Writes a repository.</summary>
    private sealed class FastImport(Process process) : IAsyncDisposable
    {
        public static Task<FastImport> StartAsync(string path) =>
            Task.FromResult(new FastImport(Process.Start(new ProcessStartInfo("git", ["--git-dir", path, "fast-import", "--quiet", "--force"]) { UseShellExecute = false, RedirectStandardInput = true })!));

        /// <summary>Ten commits of a few texts; or one commit for each 10 MiB of noise.</summary>
        public async Task WriteHistoryAsync(int seed, int mebibytes, CancellationToken cancellationToken)
        {
            var random = new Random(seed);
            var commits = mebibytes == 0 ? 10 : (mebibytes + 9) / 10;
            for (var i = 0; i < commits; i++)
            {
                await WriteAsync($"commit refs/heads/main\ncommitter Ann <ann@example.com> {1_700_000_000 + i} +0000\ndata 1\nx\n", cancellationToken);
                for (var file = 0; file < (mebibytes == 0 ? 3 : Math.Min(10, mebibytes - (i * 10))); file++)
                {
                    var content = mebibytes == 0 ? Encoding.ASCII.GetBytes(string.Join('\n', Enumerable.Range(0, 40).Select(_ => random.Next()))) : new byte[Blob];
                    if (mebibytes > 0)
                        random.NextBytes(content);
                    await WriteAsync($"M 100644 inline f{i}-{file}\ndata {content.Length}\n", cancellationToken);
                    await process.StandardInput.BaseStream.WriteAsync(content, cancellationToken);
                    await WriteAsync("\n", cancellationToken);
                }
            }

            await WriteAsync("reset refs/tags/v1\nfrom refs/heads/main\n\n", cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        private async Task WriteAsync(string text, CancellationToken cancellationToken) => await process.StandardInput.BaseStream.WriteAsync(Encoding.ASCII.GetBytes(text), cancellationToken);
    }
}
