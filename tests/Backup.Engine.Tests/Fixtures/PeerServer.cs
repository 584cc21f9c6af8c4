using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Backup.Engine.Tests.Fixtures;

/// <summary>A server that others wrote, as a process on a loopback port: once for all tests, and only where one asks for it.</summary>
/// <param name="name">Its name, for messages.</param>
/// <param name="startDeadline">How long it may take to answer.</param>
/// <param name="requestDeadline">How long one request may take meanwhile.</param>
public abstract class PeerServer(string name, TimeSpan startDeadline, TimeSpan requestDeadline) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private Process? _process;
    private Uri? _endpoint;

    /// <summary>Where it listens. Skips or fails the test where it is not installed.</summary>
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
        GC.SuppressFinalize(this);
    }

    /// <summary>Its program, and its arguments for a port; skips or fails the test where it cannot be had.</summary>
    protected abstract Task<(string Program, Func<int, string[]> Arguments)> PrepareAsync();

    /// <summary>Whether an answer to the first request means that it is ready.</summary>
    protected abstract Task<bool> IsReadyAsync(HttpClient client, Uri endpoint);

    private async Task<Uri> StartAsync()
    {
        var (program, arguments) = await PrepareAsync();
        var port = FreePort();
        var endpoint = new Uri($"http://127.0.0.1:{port}");
        _process = Process.Start(new ProcessStartInfo(program, arguments(port)) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        // A pipe that nobody empties would stop it after 64 KiB of log.
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using var client = new HttpClient { Timeout = requestDeadline };
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < startDeadline; await Task.Delay(100))
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"{name} ended with {_process.ExitCode} as it started.");
            try
            {
                if (await IsReadyAsync(client, endpoint))
                    return endpoint;
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
            }
        }

        throw new TimeoutException($"{name} did not answer within {startDeadline.TotalSeconds:F0} s.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
