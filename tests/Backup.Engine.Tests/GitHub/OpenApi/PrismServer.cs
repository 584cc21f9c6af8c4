using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.GitHub.OpenApi;

[assembly: AssemblyFixture(typeof(PrismServer))]

namespace Backup.Engine.Tests.GitHub.OpenApi;

/// <summary>
/// Prism with GitHub's own OpenAPI description, once for all tests and only where one asks for it. npm installs both, at the versions that package.json
/// pins, into obj; where there is no npm the tests are skipped, and say so.
/// </summary>
public sealed class PrismServer : IAsyncDisposable
{
    private static readonly TimeSpan InstallDeadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(3);

    private readonly SemaphoreSlim _gate = new(1);
    private Process? _process;
    private Uri? _endpoint;

    /// <summary>Where it listens.</summary>
    public async Task<Uri> EndpointAsync()
    {
        await _gate.WaitAsync();
        try
        {
            return _endpoint ??= await StartAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Stops the one process that this fixture started.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _gate.Dispose();
    }

    private async Task<Uri> StartAsync()
    {
        if (PeerProgram.Find("node") is not { } node || PeerProgram.Find("npm") is null)
        {
            const string Reason = "GITHUB'S OPENAPI DESCRIPTION IS NOT CHECKED: node and npm are not installed.";
            TestContext.Current.SendDiagnosticMessage("*** {0} ***", Reason);
            Assert.Skip(Reason);
            throw new UnreachableException();
        }

        var folder = await InstallAsync();
        var port = FreePort();
        var endpoint = new Uri($"http://127.0.0.1:{port}/");
        string[] arguments =
        [
            Path.Combine(folder, "node_modules/@stoplight/prism-cli/dist/index.js"), "mock", "-h", "127.0.0.1", "-p", $"{port}",
            Path.Combine(folder, "node_modules/@octokit/openapi/generated/api.github.com.json"),
        ];
        _process = Process.Start(new ProcessStartInfo(node, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < StartDeadline; await Task.Delay(200))
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"Prism ended with {_process.ExitCode} as it started.");
            try
            {
                using var answer = await client.GetAsync(new Uri(endpoint, "user"));
                return endpoint;
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
            }
        }

        throw new TimeoutException($"Prism did not answer within {StartDeadline.TotalMinutes:F0} minutes.");
    }

    private static async Task<string> InstallAsync()
    {
        var source = SourceFolder();
        var folder = Path.GetFullPath(Path.Combine(source, "../../obj/openapi"));
        var wanted = await File.ReadAllTextAsync(Path.Combine(source, "package.json"));
        var done = Path.Combine(folder, "installed.json");
        if (File.Exists(done) && await File.ReadAllTextAsync(done) == wanted)
            return folder;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), wanted);
        var npm = await PeerProgram.RunAsync("npm", ["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"], workingDirectory: folder, deadline: InstallDeadline);
        npm.ExitCode.ShouldBe(0, npm.Error);
        await File.WriteAllTextAsync(done, wanted);
        return folder;
    }

    private static string SourceFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
