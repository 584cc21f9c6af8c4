using System.Diagnostics;
using System.Globalization;

namespace Benchmarks.Sink;

/// <summary>What a sink counted since it was reset.</summary>
internal sealed record SinkTotals(long Requests, long Bytes, long Objects, long ObjectBytes);

/// <summary>The sink in a process of its own, so that its work is not counted as anybody else's.</summary>
internal sealed class SinkProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _client = new();

    private SinkProcess(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public Uri Endpoint => new($"http://127.0.0.1:{Port}");

    /// <summary>The processor time that the sink itself has used.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<SinkProcess> StartAsync()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["sink"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1";
        var process = Process.Start(start)!;
        var port = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The sink did not start.");
        return new(process, int.Parse(port, CultureInfo.InvariantCulture));
    }

    /// <summary>Starts counting anew, with this delay for each request.</summary>
    public async Task ResetAsync(int delay, bool keepObjects = false) =>
        await _client.GetStringAsync(new Uri(Endpoint, $"-sink?reset={(keepObjects ? "counts" : "all")}&delay={delay}"));

    public async Task<SinkTotals> TotalsAsync()
    {
        var numbers = (await _client.GetStringAsync(new Uri(Endpoint, "-sink"))).Split(' ').Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return new(numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _process.WaitForExitAsync(patience.Token);
        _process.Dispose();
    }
}
