using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Benchmarks.Sink;

namespace Benchmarks;

/// <summary>The loopback Atlassian site in a process of its own, with an export that is there already.</summary>
internal sealed class SiteProcess : IAsyncDisposable
{
    /// <summary>The product: streamed and verified.</summary>
    public const string Verified = "ours, verified";

    /// <summary>The product's parts without the verification.</summary>
    public const string Plain = "ours, plain copy";

    /// <summary>The sample's way: to disk, then to the store.</summary>
    public const string Sample = "curl, then aws s3 cp";

    private const string User = "admin@example.com";
    private const string Token = "classic-api-token";

    public static readonly string[] Ways = [Verified, Plain, Sample];

    private readonly Process _process;
    private readonly string _download;

    private SiteProcess(Process process, string address, string download) => (_process, Address, _download) = (process, address, download);

    public string Address { get; }

    public static async Task<SiteProcess> StartAsync(string repository, long size, string pace)
    {
        var configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;
        var program = Path.Combine(repository, "tests/Backup.TestServers/bin", configuration, "net10.0/Backup.TestServers.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [program, "atlassian", "--export-size", $"{size}", "--pace", pace, "--existing", "1"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The site did not start.");
        var address = line.Split(' ')[0];
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Token}"))), Accept = { new("application/json") } } };
        using var state = JsonDocument.Parse(await http.GetStringAsync(new Uri(new(address), "/wiki/rest/obm/1.0/getprogress.json")));
        return new(process, address, $"{address}wiki/download/{state.RootElement.GetProperty("fileName").GetString()}");
    }

    /// <summary>One way from the site to the sink.</summary>
    public ProcessStartInfo Start(string way, SinkProcess sink, string file, string state)
    {
        var start = way == Sample
            ? new ProcessStartInfo("bash", ["-c", $"curl -sSfL -u {User}:{Token} -o '{file}' '{_download}' && aws s3 cp '{file}' s3://{Contestant.Bucket}/sample/export.zip --endpoint-url {sink.Endpoint} --only-show-errors"])
            : new ProcessStartInfo(Environment.ProcessPath!, ["export", Address, sink.Endpoint.AbsoluteUri, way == Plain ? "plain" : "verified"]);
        foreach (var (name, value) in new[] { ("HOME", state), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "testsecret"), ("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_EC2_METADATA_DISABLED", "true") })
            start.Environment[name] = value;
        return start;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
