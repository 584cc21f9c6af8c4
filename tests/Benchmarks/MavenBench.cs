using System.Diagnostics;
using System.Globalization;
using Backup.Engine.Aws;
using Backup.Engine.Maven;
using Backup.Engine.Stores;
using Backup.TestServers.CodeArtifact;
using Benchmarks.Sink;

namespace Benchmarks;

/// <summary>A repository of versions with 4 assets of 64 KiB each, with no rate to keep: to S3's sink, or to a directory, where the second run has nothing to do.</summary>
internal static class MavenBench
{
    private const int Assets = 4;
    private const int Size = 64 << 10;

    /// <summary>The loopback CodeArtifact, in a process of its own: says where it is, and serves until its input ends.</summary>
    public static async Task<int> ServeAsync(int versions)
    {
        await using var server = await CodeArtifactServer.StartAsync("my-domain", "111122223333", ["my-repo"], verifySignatures: false, keepLog: false);
        var contents = Enumerable.Range(0, Assets).Select(i =>
        {
            var bytes = new byte[Size];
            new Random(i).NextBytes(bytes);
            return new Asset(bytes);
        }).ToArray();
        string[] endings = [".pom", ".jar", "-sources.jar", "-javadoc.jar"];
        for (var i = 0; i < versions; i++)
        {
            var artifact = Invariant($"lib{i % 1000}");
            var name = Invariant($"1.{i / 1000}");
            var version = server.State.Ensure("my-repo", new("maven", "com.example", artifact)).Ensure(name);
            for (var a = 0; a < Assets; a++)
                version.Add($"{artifact}-{name}{endings[a]}", contents[a]);
            version.Status = "Published";
        }

        Console.WriteLine(server.Endpoint);
        await Console.In.ReadLineAsync();
        return 0;
    }

    /// <summary>Measures; prints a line for each run.</summary>
    public static async Task<int> RunAsync(int versions, string place)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["maven-server", Invariant($"{versions}")]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var endpoint = await server.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server did not start.");
        Environment.SetEnvironmentVariable("AWS_ENDPOINT_URL_CODEARTIFACT", endpoint);
        var directory = Directory.CreateTempSubdirectory("maven-bench-").FullName;
        await using var sink = place == "s3" ? await SinkProcess.StartAsync() : null;
        try
        {
            var keys = new AwsKeys("test", "testsecret");
            var options = new MavenBackupOptions
            {
                Destination = sink is null ? StoreLocation.ForDirectory(directory) : StoreLocation.ForBucket(Contestant.Bucket),
                Store = sink is null ? new() : new() { Aws = new() { EndpointUrl = sink.Endpoint, Region = "us-east-1", Keys = keys } },
                Aws = new() { Region = "us-east-1", Keys = keys },
                Domain = "my-domain",
                Repository = "my-repo",
                All = true,
                RequestRate = 0,
            };
            Console.WriteLine($"{versions} versions with {Assets} assets of 64 KiB, {Environment.ProcessorCount} processors, to {place}");
            foreach (var run in (string[])["first run", "second run"])
            {
                await MeasureAsync(options, run, () => Cpu(server), () => sink?.Cpu ?? default);
                if (sink is not null)
                {
                    Console.WriteLine(Invariant($"  requests to S3: {(await sink.TotalsAsync()).Requests}"));
                    await sink.ResetAsync(delay: 0, keepObjects: true);
                }
            }

            return 0;
        }
        finally
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    // The processors are shared with both servers, so what they use is told as well: it is what a client of any speed would cost them.
    private static async Task MeasureAsync(MavenBackupOptions options, string run, Func<TimeSpan> server, Func<TimeSpan> sink)
    {
        using var self = Process.GetCurrentProcess();
        TimeSpan[] Read() => [Cpu(self), server(), sink()];
        var (clock, before) = (Stopwatch.StartNew(), Read());
        RepositoryResult? summary = null;
        await foreach (var output in MavenBackup.RunAsync(options))
            summary = output as RepositoryResult ?? summary;
        var seconds = clock.Elapsed.TotalSeconds;
        var cpu = Read().Zip(before, (after, start) => (after - start).TotalSeconds).ToArray();
        string Each(double used) => Invariant($"{used:0.0} s") + (summary.Assets > 0 ? Invariant($" ({1000 * used / summary.Assets:0.00} ms an asset)") : "");
        Console.WriteLine(Invariant($"{run}: {summary!.Outcome}, {summary.Stored} stored, {summary.Unchanged} unchanged, {summary.Failed} failed, {seconds:0.0} s, {summary.Assets / seconds:0} assets/s, peak {self.PeakWorkingSet64 >> 20} MiB; CPU ours {Each(cpu[0])}, CodeArtifact {Each(cpu[1])}, S3 {Each(cpu[2])}"));
    }

    private static TimeSpan Cpu(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
