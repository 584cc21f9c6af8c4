using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Backup.Engine.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(MotoServer))]

namespace Backup.Engine.Tests.Fixtures;

/// <summary>
/// moto_server, once for all tests and only where one asks for it. It verifies no signatures and no checksums,
/// so it proves shapes and errors; the strict server of our own proves the rest.
/// </summary>
public sealed class MotoServer : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _gate = new(1);
    private Process? _process;
    private Uri? _endpoint;

    /// <summary>Where it listens. Skips the test where it is not installed; under CI that is a failure.</summary>
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
        if (PeerProgram.Find("moto_server") is not { } path)
        {
            if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
                Assert.Fail("moto_server is not on the PATH, and under CI it must be: pip install 'moto[server]'.");
            Assert.Skip("moto_server is not on the PATH: pip install 'moto[server]'.");
            throw new UnreachableException();
        }

        var port = FreePort();
        var endpoint = new Uri($"http://127.0.0.1:{port}");
        _process = Process.Start(new ProcessStartInfo(path, ["-H", "127.0.0.1", "-p", $"{port}"]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        // A pipe that nobody empties would stop it after 64 KiB of log.
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < StartDeadline; await Task.Delay(100))
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"moto_server ended with {_process.ExitCode} as it started.");
            try
            {
                using var answer = await client.GetAsync(new Uri(endpoint, "/moto-api/data.json"));
                if (answer.IsSuccessStatusCode)
                    return endpoint;
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
            }
        }
        throw new TimeoutException($"moto_server did not answer within {StartDeadline.TotalSeconds:F0} s.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
