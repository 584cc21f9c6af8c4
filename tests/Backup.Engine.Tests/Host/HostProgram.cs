using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Templates;

namespace Backup.Engine.Tests.Host;

/// <summary>
/// The host as a process with an environment of its own, so that nothing of this machine decides. It is the built one; BACKUP_HOST_UNDER_TEST names a published
/// one in its place.
/// </summary>
internal sealed class HostProgram : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly Task<string> _error;
    private readonly List<string> _lines = [];

    private HostProgram(Process process)
    {
        _process = process;
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
                return;
            lock (_lines)
                _lines.Add(line.Data);
        };
        _process.BeginOutputReadLine();
        _error = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>The lines of standard output so far.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<PeerResult> RunAsync(IReadOnlyDictionary<string, string?>? environment, params string[] arguments)
    {
        using var host = Start(environment, arguments);
        return await host.EndAsync();
    }

    /// <summary>Starts it.</summary>
    public static HostProgram Start(IReadOnlyDictionary<string, string?>? environment, params string[] arguments)
    {
        var (program, first) = Environment.GetEnvironmentVariable("BACKUP_HOST_UNDER_TEST") is { Length: > 0 } published ? (published, (string[])[]) : ("dotnet", ["exec", Built()]);
        var start = new ProcessStartInfo(program, [.. first, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("AWS_", StringComparison.OrdinalIgnoreCase) || name is "GH_TOKEN" or "GITHUB_TOKEN" or "NO_COLOR").ToList())
            start.Environment.Remove(name);
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["AWS_CONFIG_FILE"] = "/nonexistent/config";
        start.Environment["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent/credentials";
        start.Environment["AWS_ACCESS_KEY_ID"] = "test";
        start.Environment["AWS_SECRET_ACCESS_KEY"] = "testsecret";
        start.Environment["AWS_REGION"] = "us-east-1";
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>(StringComparer.Ordinal))
            start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<PeerResult> EndAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Deadline);
        await _process.WaitForExitAsync(patience.Token);
        return new(_process.ExitCode, string.Concat(Output.Select(line => line + "\n")), await _error);
    }

    /// <summary>Sends a signal: SIGINT is Ctrl+C.</summary>
    public void Signal(PosixSignal signal) => Kill(_process.Id, signal == PosixSignal.SIGINT ? 2 : 15).ShouldBe(0);

    /// <summary>Each line of an output as JSON; a line that is none fails the test.</summary>
    public static List<JsonObject> Lines(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static string Built()
    {
        // The configuration is this assembly's own: …/bin/Release/net10.0/.
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var path = Path.Combine(Template.Root, "src", "Backup.Host", "bin", output.Parent!.Name, output.Name, "Backup.Host.dll");
        File.Exists(path).ShouldBeTrue($"{path} is not built.");
        return path;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
