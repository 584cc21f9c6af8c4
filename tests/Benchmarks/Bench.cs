using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Backup.Engine.Files;
using Backup.Engine.Folders;
using Benchmarks.Sink;

namespace Benchmarks;

/// <summary>What to measure.</summary>
internal sealed record BenchOptions
{
    public required IReadOnlyList<string> Workloads { get; init; }

    public IReadOnlyList<string>? Programs { get; init; }

    public required IReadOnlyList<int> Delays { get; init; }

    public int Repeats { get; init; }

    public bool Full { get; init; }

    public TimeSpan Deadline { get; init; }

    public required string Data { get; init; }

    public string? Host { get; init; }
}

/// <summary>Runs the workloads and writes the report.</summary>
internal static class Bench
{
    private const string Ceiling = "ceiling";
    private const string Small = "small";
    private const string Medium = "medium";
    private const string Large = "large";
    private const string NoOp = "no-op";
    private const string Million = "million";
    private const string Import = "import";
    private const string Export = "export";

    // Once is enough to know that something takes minutes.
    private const double NotRepeated = 60;

    public static readonly string[] Workloads = [Ceiling, Small, Medium, Large, NoOp, Million, Import, Export];

    private static readonly string Repository = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../.."));

    /// <summary>Publishes the product's host as it ships: compiled ahead of time for this system. Where that compiler cannot be had, the solution's own build does.</summary>
    private static async Task<(string Host, string How)> PublishAsync()
    {
        var output = Path.Combine(Repository, "artifacts/benchmarks/host");
        var cost = await ChildCost.RunAsync(
            new("dotnet", ["publish", Path.Combine(Repository, "src/Backup.Host"), "--configuration", "Release", "--runtime", RuntimeInformation.RuntimeIdentifier, "--output", output, "--nologo", "--verbosity", "quiet"]),
            TimeSpan.FromMinutes(10));
        if (cost.ExitCode == 0)
            return (Path.Combine(output, "Backup.Host"), "published, self-contained, ReadyToRun");
        Console.Error.WriteLine("The host could not be published, and is measured as it was built. " + cost.Output.Trim());
        return (Path.Combine(Repository, "src/Backup.Host/bin/Release/net10.0/Backup.Host"), "built, not ReadyToRun");
    }

    public static async Task<string> RunAsync(BenchOptions options)
    {
        Directory.CreateDirectory(options.Data);
        var state = Directory.CreateTempSubdirectory("AtlassianBackup-bench-").FullName;
        await using var sink = await SinkProcess.StartAsync();
        try
        {
            var (host, how) = options.Host is { } given ? (given, "given by --host") : await PublishAsync();
            var all = await Contestant.FindAsync(host, how, state);
            var wanted = all.Where(one => options.Programs is null || options.Programs.Contains(one.Name, StringComparer.Ordinal)).ToList();
            foreach (var missing in wanted.Where(one => one.File is null))
                Console.Error.WriteLine($"{missing.Name} is not installed and left out.");
            var report = new StringBuilder(Machine.Describe(all));
            var context = new Context(options, sink, [.. wanted.Where(one => one.File is not null)], state, report);
            foreach (var workload in Workloads.Where(name => options.Workloads.Contains(name, StringComparer.Ordinal)))
                await RunAsync(workload, context);
            return report.ToString();
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }

    private sealed record Context(BenchOptions Options, SinkProcess Sink, IReadOnlyList<Contestant> Contestants, string State, StringBuilder Report);

    private static Task RunAsync(string workload, Context context)
    {
        var files = context.Options.Full ? 10_000 : 1_000;
        return workload switch
        {
            Ceiling => CeilingAsync(context),
            Small => CompareAsync(context, new($"small-{files}", files, 4 << 10), $"{files:n0} files of 4 KiB"),
            Medium => CompareAsync(context, new($"medium-{files}", files, 256 << 10), $"{files:n0} files of 256 KiB"),
            Large => context.Options.Full
                ? CompareAsync(context, new("large-5g", 1, 5L << 30), "1 file of 5 GiB")
                : CompareAsync(context, new("large-512m", 1, 512L << 20), "1 file of 512 MiB"),
            NoOp => NoOpAsync(context, files),
            Million => MillionAsync(context, context.Options.Full ? 1_000_000 : 100_000),
            Export => ExportAsync(context, context.Options.Full ? 5L << 30 : 512L << 20),
            _ => ImportAsync(context),
        };
    }

    private static async Task CeilingAsync(Context context)
    {
        context.Report.AppendLine("### The sink's own ceiling\n\nOne prepared request over and over, by the cheapest client there can be.\n").AppendLine("| body | connections | requests/s | MiB/s | sink CPU, ms a request |\n|---:|---:|---:|---:|---:|");
        foreach (var (size, connections, requests) in new[] { (4 << 10, 64, 100_000), (256 << 10, 64, 20_000), (8 << 20, 16, 1_000) })
        {
            await context.Sink.ResetAsync(0);
            string[] Load(int count) => ["load", $"{context.Sink.Port}", $"{connections}", $"{count}", $"{size}"];
            await ChildCost.RunAsync(new(Environment.ProcessPath!, Load(requests / 4)), context.Options.Deadline);
            var cpu = context.Sink.Cpu;
            var seconds = double.Parse((await ChildCost.RunAsync(new(Environment.ProcessPath!, Load(requests)), context.Options.Deadline)).Output, CultureInfo.InvariantCulture);
            context.Report.AppendLine($"| {size >> 10} KiB | {connections} | {requests / seconds:n0} | {requests / seconds * size / (1 << 20):n0} | {(context.Sink.Cpu - cpu).TotalMilliseconds / requests:n3} |");
        }

        context.Report.AppendLine();
    }

    private static async Task CompareAsync(Context context, DataSet set, string title)
    {
        var folder = set.Make(context.Options.Data);
        var expected = set.Files * set.Size;
        foreach (var delay in context.Options.Delays)
        {
            var runs = await RepeatAsync(context, title, delay, folder, keepObjects: false, totals => totals.ObjectBytes >= expected);
            WriteTable(context.Report, $"{title}, {delay} ms", runs, set.Files);
        }
    }

    private static async Task NoOpAsync(Context context, int files)
    {
        var folder = new DataSet($"small-{files}", files, 4 << 10).Make(context.Options.Data);
        await context.Sink.ResetAsync(0);
        Clear(context.State);
        foreach (var one in context.Contestants.Where(one => one.Name != "rclone"))
            await ChildCost.RunAsync(one.Start(context.Sink, folder, context.State), context.Options.Deadline);
        if (context.Contestants.All(one => one.Name != "rclone-tuned") && context.Contestants.FirstOrDefault(one => one.Name == "rclone") is { } rclone)
            await ChildCost.RunAsync(rclone.Start(context.Sink, folder, context.State), context.Options.Deadline);
        foreach (var delay in context.Options.Delays)
        {
            var runs = await RepeatAsync(context, "nothing to do", delay, folder, keepObjects: true, _ => true);
            WriteTable(context.Report, $"Nothing to do: {files:n0} unchanged files, {delay} ms", runs, files);
        }
    }

    private static async Task MillionAsync(Context context, int files)
    {
        var folder = new DataSet($"tiny-{files}", files, 16).Make(context.Options.Data);
        Clear(context.State);
        if (context.Contestants.FirstOrDefault(one => one.Name == Contestant.Ours) is not { } ours)
            return;
        Remember(folder, context);
        var runs = await RepeatAsync(context with { Contestants = [ours] }, "nothing to do", 0, folder, keepObjects: true, totals => totals.Requests == 0);
        WriteTable(context.Report, $"Nothing to do: {files:n0} unchanged files", runs, files);
        if (runs is [{ Failure: null } run])
            context.Report.AppendLine($"{files / run.Wall:n0} files/s, {run.PeakMiB:n0} MiB, {run.Sink.Requests} requests.\n");
    }

    // The cache as a finished run leaves it: sending a million objects first would measure nothing more.
    private static void Remember(string folder, Context context)
    {
        var destination = $"s3://{Contestant.Bucket}/ours/";
        var location = Backup.Engine.Stores.StoreLocation.Parse(destination);
        var cachePath = Path.Combine(context.State, "cache");
        using var cache = FolderCache.Open(FolderPaths.CacheFile(cachePath, folder, location.ToString()), location.ToString(), folder);
        using var tree = FileTree.Open(folder, followSymlinks: false);
        var hash = new byte[32];
        foreach (var entry in tree.Scan(null, (_, exception) => throw exception, CancellationToken.None))
        {
            cache.Put(entry.Kind != FileEntryKind.File ? new(entry) : new(entry)
            {
                Sha256 = hash,
                Checksum = "crc64nvme:AAAAAAAAAAA=",
                StorageClass = "STANDARD",
                StoredAtTicks = entry.ModifiedTicks,
            });
        }

        cache.SetMeta("whole", "yes");
        cache.CommitRun([]);
    }

    private static async Task ImportAsync(Context context)
    {
        context.Report.AppendLine("### Importing the module\n");
        if (Contestant.Find("pwsh") is not { } pwsh)
        {
            context.Report.AppendLine("pwsh is not installed.\n");
            return;
        }

        var manifest = Path.Combine(Repository, "AtlassianBackup.psd1");
        const int rounds = 9;
        var (bare, import) = (new List<double>(), new List<double>());
        for (var i = 0; i <= rounds; i++)
        {
            var without = await ChildCost.RunAsync(new(pwsh, ["-NoProfile", "-NonInteractive", "-Command", "exit 0"]), context.Options.Deadline);
            var with = await ChildCost.RunAsync(new(pwsh, ["-NoProfile", "-NonInteractive", "-Command", $"Import-Module '{manifest}'; exit 0"]), context.Options.Deadline);
            if (with.ExitCode != 0 || with.Output.Length > 0)
            {
                context.Report.AppendLine($"The import failed: {with.Output}\n");
                return;
            }

            // The first of each warms the disk cache.
            if (i == 0)
                continue;
            bare.Add(without.Wall);
            import.Add(with.Wall);
        }

        bare.Sort();
        import.Sort();
        context.Report.AppendLine($"`pwsh -NoProfile`: {bare[rounds / 2] * 1000:n0} ms; with `Import-Module`: {import[rounds / 2] * 1000:n0} ms; the module adds {(import[rounds / 2] - bare[rounds / 2]) * 1000:n0} ms (medians of {rounds}; fastest of each: {(import[0] - bare[0]) * 1000:n0} ms).\n");
    }

    private static async Task ExportAsync(Context context, long size)
    {
        const string pace = "200MB";
        await using var site = await SiteProcess.StartAsync(Repository, size, pace);
        var ways = context.Contestants.Any(one => one.Name == "aws") ? SiteProcess.Ways : [.. SiteProcess.Ways.Where(way => way != SiteProcess.Sample)];
        var file = Path.Combine(context.Options.Data, "export.zip");
        var title = $"An export of {size >> 20:n0} MiB, the source paced at {pace}/s";
        var runs = ways.ToDictionary(way => way, _ => new List<Measurement>(), StringComparer.Ordinal);
        for (var round = 0; round < context.Options.Repeats; round++)
        {
            foreach (var (way, done) in runs)
            {
                await context.Sink.ResetAsync(0);
                var before = context.Sink.Cpu;
                var cost = await ChildCost.RunAsync(site.Start(way, context.Sink, file, context.State), context.Options.Deadline);
                File.Delete(file);
                var totals = await context.Sink.TotalsAsync();
                var failure = cost.ExitCode != 0 ? $"exit code {cost.ExitCode}: {cost.Output.Trim()}" : totals.ObjectBytes < size ? "not everything arrived" : null;
                done.Add(new(title, way, 0, cost.Wall, cost.Cpu, cost.PeakMiB, totals, (context.Sink.Cpu - before).TotalSeconds, failure));
                Console.Error.WriteLine($"{title}, {way}: {cost.Wall:n2} s wall, {cost.Cpu:n2} s CPU, {cost.PeakMiB:n0} MiB{(failure is null ? "" : ": " + failure)}");
            }
        }

        WriteTable(context.Report, title, [.. runs.Values.Select(Measurement.Median)], 1);
    }

    private static async Task<List<Measurement>> RepeatAsync(Context context, string title, int delay, string folder, bool keepObjects, Func<SinkTotals, bool> isRight)
    {
        var runs = context.Contestants.ToDictionary(one => one, _ => new List<Measurement>());
        for (var round = 0; round < context.Options.Repeats; round++)
        {
            foreach (var (one, done) in runs)
            {
                if (done.Count > 0 && (done[^1].Wall > NotRepeated || done[^1].Failure is not null))
                    continue;
                if (!keepObjects)
                    Clear(context.State);
                await context.Sink.ResetAsync(delay, keepObjects);
                var before = context.Sink.Cpu;
                var cost = await ChildCost.RunAsync(one.Start(context.Sink, folder, context.State), context.Options.Deadline);
                var totals = await context.Sink.TotalsAsync();
                var failure = cost.ExitCode == -1 ? $"more than {context.Options.Deadline.TotalSeconds:n0} s"
                    : cost.ExitCode != 0 ? $"exit code {cost.ExitCode}"
                    : isRight(totals) ? null : "not everything arrived";
                done.Add(new(title, one.Name, delay, cost.Wall, cost.Cpu, cost.PeakMiB, totals, (context.Sink.Cpu - before).TotalSeconds, failure));
                Console.Error.WriteLine($"{title}, {delay} ms, {one.Name}: {cost.Wall:n2} s wall, {cost.Cpu:n2} s CPU, {cost.PeakMiB:n0} MiB, {totals.Requests} requests, {done[^1].SinkCpu:n2} s sink{(failure is null ? "" : $": {failure}. {cost.Output.Trim()}")}");
            }
        }

        return [.. runs.Values.Select(Measurement.Median)];
    }

    private static void WriteTable(StringBuilder report, string title, List<Measurement> runs, int files)
    {
        var ours = runs.FirstOrDefault(run => run.Program is Contestant.Ours or SiteProcess.Verified && run.Failure is null);
        report.AppendLine($"### {title}\n").AppendLine("| program | wall s | user+sys s | CPU ms a file | peak MiB | requests | MiB sent | sink CPU s | times ours |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var run in runs)
        {
            report.AppendLine(run.Failure is not null
                ? $"| {run.Program} | {run.Failure} | | | | | | | |"
                : $"| {run.Program} | {run.Wall:n2} | {run.Cpu:n2} | {run.Cpu * 1000 / files:n3} | {run.PeakMiB:n0} | {run.Sink.Requests:n0} | {run.Sink.Bytes / 1048576.0:n0} | {run.SinkCpu:n2} | {(ours is null ? "" : $"{run.Wall / ours.Wall:n2}")} |");
        }

        report.AppendLine();
    }

    private static void Clear(string state)
    {
        foreach (var folder in Directory.EnumerateDirectories(state))
            Directory.Delete(folder, recursive: true);
    }
}
