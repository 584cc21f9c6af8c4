using System.CommandLine;
using System.Globalization;
using Benchmarks;
using Benchmarks.Sink;

switch (args)
{
    case ["sink"]:
        return await SinkServer.RunAsync();
    case ["load", var port, var connections, var requests, var size]:
        return await SinkLoad.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), int.Parse(connections, CultureInfo.InvariantCulture), int.Parse(requests, CultureInfo.InvariantCulture), int.Parse(size, CultureInfo.InvariantCulture));
    case ["export", var site, var endpoint, var way]:
        return await ExportCopy.RunAsync(site, endpoint, way);
    case ["github-server", var count]:
        return await GitHubBench.ServeAsync(int.Parse(count, CultureInfo.InvariantCulture));
    case ["github", var count]:
        return await GitHubBench.RunAsync(int.Parse(count, CultureInfo.InvariantCulture));
    case ["maven-server", var versions]:
        return await MavenBench.ServeAsync(int.Parse(versions, CultureInfo.InvariantCulture));
    case ["maven", var versions, var place]:
        return await MavenBench.RunAsync(int.Parse(versions, CultureInfo.InvariantCulture), place);
    case ["git-server", var count, var size]:
        return await GitBench.ServeAsync(int.Parse(count, CultureInfo.InvariantCulture), int.Parse(size, CultureInfo.InvariantCulture));
    case ["git", var count, var size]:
        return await GitBench.RunAsync(int.Parse(count, CultureInfo.InvariantCulture), int.Parse(size, CultureInfo.InvariantCulture));
    default:
        break;
}

var workloads = new Option<string[]>("--workload") { Description = "What to run (default: all): " + string.Join(", ", Bench.Workloads), AllowMultipleArgumentsPerToken = true };
workloads.AcceptOnlyFromAmong(Bench.Workloads);
var programs = new Option<string[]>("--program") { Description = "Who takes part (default: all): ours, rclone-tuned, rclone, aws, s3cmd.", AllowMultipleArgumentsPerToken = true };
var delays = new Option<int[]>("--delay") { Description = "Milliseconds that the sink adds to each request (default: 0 and 30).", AllowMultipleArgumentsPerToken = true };
var repeats = new Option<int>("--repeats") { Description = "How often each is run; the table has the median. Runs of more than a minute are not repeated.", DefaultValueFactory = _ => 1 };
var full = new Option<bool>("--full") { Description = "The sizes of the targets: 10,000 small files, 5 GiB, a million unchanged files, 3 repeats. Without it: a tenth of that." };
var deadline = new Option<int>("--deadline") { Description = "Seconds after which a run is ended and reported as too slow.", DefaultValueFactory = _ => 600 };
var data = new Option<string?>("--data") { Description = "Where the data sets are made, and kept (default: below the temporary directory)." };
var host = new Option<string?>("--host") { Description = "Another build of the product's host to measure." };
var output = new Option<string?>("--output") { Description = "A file for the tables, in Markdown." };
var root = new RootCommand("Runs the product and its peers in turn against one loopback S3 sink.") { workloads, programs, delays, repeats, full, deadline, data, host, output };
root.SetAction(async (result, token) =>
{
    var options = new BenchOptions
    {
        Workloads = result.GetValue(workloads) is { Length: > 0 } chosen ? chosen : Bench.Workloads,
        Programs = result.GetValue(programs) is { Length: > 0 } some ? some : null,
        Delays = result.GetValue(delays) is { Length: > 0 } given ? given : [0, 30],
        Full = result.GetValue(full),
        Repeats = result.GetResult(repeats) is { Implicit: false } ? result.GetValue(repeats) : result.GetValue(full) ? 3 : 1,
        Deadline = TimeSpan.FromSeconds(result.GetValue(deadline)),
        Data = result.GetValue(data) ?? Path.Combine(Path.GetTempPath(), "AtlassianBackup-benchmarks"),
        Host = result.GetValue(host),
    };
    var report = await Bench.RunAsync(options);
    Console.WriteLine(report);
    if (result.GetValue(output) is { } file)
        await File.WriteAllTextAsync(file, report, token);
    return 0;
});
return await root.Parse(args).InvokeAsync();
