using System.Diagnostics;
using Benchmarks.Sink;

namespace Benchmarks;

/// <summary>A program that brings a bucket up to date with a folder.</summary>
/// <param name="Name">Its name in the table.</param>
/// <param name="File">The program, or null where it is not installed.</param>
/// <param name="Version">What it says of its version.</param>
/// <param name="Command">Its arguments for a folder.</param>
internal sealed record Contestant(string Name, string? File, string Version, Func<SinkProcess, string, string[]> Command)
{
    public const string Ours = "ours";
    public const string Bucket = "bench";

    public ProcessStartInfo Start(SinkProcess sink, string folder, string state)
    {
        var start = new ProcessStartInfo(File!, Command(sink, folder));
        foreach (var (name, value) in new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // A profile of whoever runs this must not get in.
            ["HOME"] = state,
            ["AWS_ACCESS_KEY_ID"] = "test",
            ["AWS_SECRET_ACCESS_KEY"] = "testsecret",
            ["AWS_DEFAULT_REGION"] = "us-east-1",
            ["AWS_REGION"] = "us-east-1",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
            ["RCLONE_CONFIG"] = "/dev/null",
            ["RCLONE_CONFIG_SINK_TYPE"] = "s3",
            ["RCLONE_CONFIG_SINK_PROVIDER"] = "Minio",
            ["RCLONE_CONFIG_SINK_ENDPOINT"] = sink.Endpoint.AbsoluteUri,
            ["RCLONE_CONFIG_SINK_REGION"] = "us-east-1",
            ["RCLONE_CONFIG_SINK_ENV_AUTH"] = "true",
        })
        {
            start.Environment[name] = value;
        }

        return start;
    }

    /// <summary>The product and every peer, installed or not.</summary>
    public static async Task<IReadOnlyList<Contestant>> FindAsync(string host, string how, string state)
    {
        var cache = Path.Combine(state, "cache");
        return
        [
            new(Ours, host, $"Backup.Host {(await VersionAsync(host, "--version")).Split('+')[0]}, {how}", (sink, folder) =>
                ["sync", folder, "--to", $"s3://{Bucket}/ours", "--endpoint-url", sink.Endpoint.AbsoluteUri, "--region", "us-east-1", "--cache", cache, "--storage-class", "STANDARD"]),
            await PeerAsync("rclone-tuned", "rclone", "version", (_, folder) =>
                ["sync", folder, $"sink:{Bucket}/rclone", "--transfers", "64", "--checkers", "64", "--s3-no-head", "--s3-no-check-bucket", "--s3-upload-concurrency", "8"]),
            await PeerAsync("rclone", "rclone", "version", (_, folder) => ["sync", folder, $"sink:{Bucket}/rclone"]),
            await PeerAsync("aws", "aws", "--version", (sink, folder) =>
                ["s3", "sync", folder, $"s3://{Bucket}/aws", "--endpoint-url", sink.Endpoint.AbsoluteUri, "--only-show-errors"]),
            await PeerAsync("s3cmd", "s3cmd", "--version", (sink, folder) =>
            [
                "sync", folder + "/", $"s3://{Bucket}/s3cmd/", "--config", "/dev/null", "--no-ssl", "--host", sink.Endpoint.Authority, "--host-bucket", sink.Endpoint.Authority,
                "--access_key", "test", "--secret_key", "testsecret", "--region", "us-east-1", "--quiet", "--no-progress",
            ]),
        ];
    }

    private static async Task<Contestant> PeerAsync(string name, string program, string version, Func<SinkProcess, string, string[]> command)
    {
        var file = Find(program);
        return new(name, file, file is null ? "not installed" : await VersionAsync(file, version), command);
    }

    /// <summary>A program's path, or null.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(System.IO.File.Exists);

    /// <summary>The first line of what a program says of itself.</summary>
    public static async Task<string> VersionAsync(string file, string argument)
    {
        var cost = await ChildCost.RunAsync(new(file, [argument]), TimeSpan.FromSeconds(30));
        return cost.Output.Split('\n')[0].Trim();
    }
}
