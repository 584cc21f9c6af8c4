using System.Diagnostics;
using System.Security.Cryptography;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.TestServers;

/// <summary>The aws CLI and rclone, which know nothing of us, work against the strict S3.</summary>
public sealed class StrictS3CommandLineTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("strict-s3-cli-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Aws_cli(bool tls)
    {
        await using var server = await StrictS3Clients.StartAsync(new StrictS3Options { Tls = tls });
        var (source, target) = Trees();
        string[] connect = ["--endpoint-url", server.Endpoint.ToString(), .. Trust(server, "--ca-bundle")];
        await RunAsync(server, "aws", [.. connect, "s3", "sync", source, "s3://examplebucket/tree", "--only-show-errors"]);
        server.State.Objects("examplebucket").Count.ShouldBe(3);
        await RunAsync(server, "aws", [.. connect, "s3", "sync", "s3://examplebucket/tree", target, "--only-show-errors"]);
        Same(source, target);
        await RunAsync(server, "aws", [.. connect, "s3", "cp", Path.Combine(source, "small.txt"), "s3://examplebucket/cold", "--storage-class", "DEEP_ARCHIVE", "--only-show-errors"]);
        await RunAsync(server, "aws", [.. connect, "s3", "rm", "s3://examplebucket/", "--recursive", "--only-show-errors"]);
        server.State.Objects("examplebucket").ShouldBeEmpty();
    }

    /// <summary>Over TLS: rclone does not sign the bodies of single puts.</summary>
    [Fact]
    public async Task Rclone()
    {
        await using var server = await StrictS3Clients.StartAsync(new StrictS3Options { Tls = true });
        string[] connect = ["--retries", "1", .. Trust(server, "--ca-cert")];
        var (source, target) = Trees();
        var remote = $":s3,provider=Minio,env_auth=true,region=us-east-1,endpoint='{server.Endpoint}':examplebucket/tree";
        await RunAsync(server, "rclone", ["copy", source, remote, "--s3-upload-cutoff", "6M", .. connect]);
        server.State.Objects("examplebucket").Count.ShouldBe(3);
        server.Requests.ShouldContain(r => r.Operation == "UploadPart");
        await RunAsync(server, "rclone", ["check", source, remote, .. connect]);
        await RunAsync(server, "rclone", ["copy", remote, target, .. connect]);
        Same(source, target);
        await RunAsync(server, "rclone", ["delete", remote, .. connect]);
        server.State.Objects("examplebucket").ShouldBeEmpty();
    }

    private (string Source, string Target) Trees()
    {
        var source = Directory.CreateDirectory(Path.Combine(_directory, "source")).FullName;
        var deep = Directory.CreateDirectory(Path.Combine(source, "sub folder+ü")).FullName;
        File.WriteAllText(Path.Combine(source, "small.txt"), "small");
        File.WriteAllText(Path.Combine(deep, "a&b=c %41.txt"), "deep");
        File.WriteAllBytes(Path.Combine(deep, "big"), RandomNumberGenerator.GetBytes(12_000_000));
        return (source, Path.Combine(_directory, "target"));
    }

    private static void Same(string source, string target)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            File.ReadAllBytes(Path.Combine(target, Path.GetRelativePath(source, file))).ShouldBe(File.ReadAllBytes(file));
    }

    private string[] Trust(StrictS3Server server, string option)
    {
        if (server.Certificate is null)
            return [];
        var file = Path.Combine(_directory, "ca.pem");
        File.WriteAllText(file, server.Certificate.ExportCertificatePem());
        return [option, file];
    }

    private static async Task RunAsync(StrictS3Server server, string program, string[] arguments)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));
        Assert.SkipUnless(found, $"{program} is not on PATH.");
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var name in (string[])["AWS_CA_BUNDLE", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
            start.Environment.Remove(name);
        start.Environment["AWS_ACCESS_KEY_ID"] = server.Options.AccessKey;
        start.Environment["AWS_SECRET_ACCESS_KEY"] = server.Options.SecretKey;
        start.Environment["AWS_DEFAULT_REGION"] = server.Options.Region;
        start.Environment["AWS_CONFIG_FILE"] = "/dev/null";
        start.Environment["NO_PROXY"] = "127.0.0.1,localhost";
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(patience.Token);
        process.ExitCode.ShouldBe(0, $"{await output}\n{await errors}\n{string.Join('\n', server.Requests)}");
    }
}
