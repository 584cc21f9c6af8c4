using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Templates;

/// <summary>What an execution did to the world that it ran in.</summary>
internal sealed record ExecutionReport
{
    public required string Name { get; init; }

    public bool Succeeded { get; init; }

    public string? Error { get; init; }

    public string? Message { get; init; }

    public JsonObject? Output { get; init; }

    /// <summary>The states whose service was called, in order, attempts included.</summary>
    public IReadOnlyList<string> Calls { get; init; } = [];

    /// <summary>Whether a state has called its service.</summary>
    public bool Called(string state) => Calls.Contains(state, StringComparer.Ordinal);

    /// <summary>What the services would not have allowed.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>The scripts that were sent.</summary>
    public IReadOnlyList<string> Scripts { get; init; } = [];

    public int Jobs { get; init; }

    public Dictionary<string, InstanceReport> Instances { get; init; } = [];
}

internal sealed record InstanceReport(string State, Dictionary<string, string> Tags)
{
    public bool Marked => Tags.ContainsKey("AtlassianBackup:StoppedBy");
}

/// <summary>Runs state machines in <c>aws-local-stepfunctions</c>, an interpreter that others wrote, with services that are modelled in <c>world.mjs</c>.</summary>
internal static class StateMachines
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);
    private static readonly Lazy<Task<string>> _interpreter = new(InstallAsync);

    /// <summary>Runs all cases of a machine in one process, after AWS's own validator has passed it.</summary>
    public static async Task<Dictionary<string, ExecutionReport>> RunAsync(JsonObject definition, IEnumerable<JsonObject> cases)
    {
        var directory = await _interpreter.Value;
        var start = new ProcessStartInfo(PeerProgram.Find("node")!, ["run.mjs"])
        {
            WorkingDirectory = directory, UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(new JsonObject { ["definition"] = definition.DeepClone(), ["cases"] = new JsonArray([.. cases]) }.ToJsonString());
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException("An execution does not end.", exception);
        }

        process.ExitCode.ShouldBe(0, await error);
        var answer = JsonNode.Parse(await output)!;
        ((bool)answer["valid"]!).ShouldBeTrue(answer["problems"]!.ToJsonString());
        return answer["reports"].Deserialize<List<ExecutionReport>>(_json)!.ToDictionary(r => r.Name, StringComparer.Ordinal);
    }

    // Into the output, once; exact versions. Where there is no registry there is no interpreter.
    private static async Task<string> InstallAsync()
    {
        var directory = Path.Combine(AppContext.BaseDirectory, "Templates", "StateMachines");
        Assert.SkipWhen(PeerProgram.Find("node") is null || PeerProgram.Find("npm") is null, "Node.js and npm are not installed: no state machine was run.");
        if (!File.Exists(Path.Combine(directory, "node_modules", ".package-lock.json")))
        {
            var installed = await PeerProgram.RunAsync("npm", ["ci", "--ignore-scripts"], workingDirectory: directory, deadline: TimeSpan.FromMinutes(3));
            Assert.SkipWhen(installed.ExitCode != 0, "npm could not install the interpreter, so no state machine was run: " + installed.Error);
        }

        return directory;
    }
}
