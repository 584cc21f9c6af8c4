using System.Diagnostics;
using System.Text.Json;

namespace Backup.TestServers.PrePost;

/// <summary>What becomes of a command beyond what its script does.</summary>
public sealed record InvocationScript
{
    /// <summary>How long it does not exist for whoever asks.</summary>
    public TimeSpan HiddenFor { get; init; }

    /// <summary>How long it is pending before it runs.</summary>
    public TimeSpan PendingFor { get; init; }

    /// <summary>It never runs, and ends with this status and these details: TimedOut and DeliveryTimedOut, Failed and Undeliverable, Success and NoInstancesInTag …</summary>
    public (string Status, string Details)? EndsAs { get; init; }

    /// <summary>The exit code is told, but the status is Success all the same.</summary>
    public bool SucceedsWithAnyExitCode { get; init; }
}

/// <summary>A command on one instance: bash runs it, in a folder of its own.</summary>
public sealed class FleetInvocation(Fleet fleet, FleetInstance instance, JsonElement request) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _cancel = new();
    private Process? _process;

    public string CommandId { get; } = Guid.NewGuid().ToString();

    public FleetInstance Instance => instance;

    public JsonElement Request => request;

    public string Document { get; } = request.GetProperty("DocumentName").GetString()!;

    public string Comment { get; } = request.TryGetProperty(nameof(Comment), out var comment) ? comment.GetString()! : "";

    public DateTime Sent { get; } = DateTime.UtcNow;

    public DateTime? Ended { get; private set; }

    public InvocationScript Script { get; init; } = new();

    public string Status { get; private set; } = "Pending";

    public string Details { get; private set; } = "Pending";

    public int ExitCode { get; private set; } = -1;

    public string Output { get; private set; } = "";

    public string Error { get; private set; } = "";

    public bool IsVisible => DateTime.UtcNow >= Sent + Script.HiddenFor;

    public bool IsRunning => Status is "InProgress";

    /// <summary>The steps that an agent reports: AWS-RunRemoteScript has a download before the script, and one script a platform.</summary>
    public IReadOnlyList<string> Plugins => Document switch
    {
        "AWS-RunRemoteScript" => ["downloadContent", "runPowerShellScript", "runShellScript"],
        "AWS-RunShellScript" => ["aws:runShellScript"],
        "AWS-RunPowerShellScript" => ["aws:runPowerShellScript"],
        _ => ["run"],
    };

    /// <summary>The step that ran the script, or went wrong before it.</summary>
    public string Deciding => Document is not "AWS-RunRemoteScript" ? Plugins[0] : !IsDownloaded ? "downloadContent" : instance.PlatformType is "Windows" ? "runPowerShellScript" : "runShellScript";

    private bool IsDownloaded { get; set; }

    public string Parameter(string name, string otherwise = "") =>
        request.TryGetProperty("Parameters", out var all) && all.TryGetProperty(name, out var values) ? string.Join('\n', values.EnumerateArray().Select(v => v.GetString())) : otherwise;

    public async Task RunAsync()
    {
        try
        {
            await Task.Delay(Script.PendingFor, _cancel.Token);
            if (Script.EndsAs is { } end)
            {
                End(end.Status, end.Details, end.Status is "Success" ? 0 : -1);
                return;
            }

            lock (_lock)
                (Status, Details) = ("InProgress", "InProgress");
            await ExecuteAsync();
        }
        catch (OperationCanceledException)
        {
            End("Cancelled", "Cancelled", -1);
        }
        catch (Exception exception)
        {
            Error = exception.ToString();
            End("Failed", "Failed", 1);
        }
    }

    /// <summary>As CancelCommand, or the instance's stop, does it.</summary>
    public void Cancel() => _cancel.Cancel();

    public void Dispose()
    {
        Cancel();
        _cancel.Dispose();
    }

    private async Task ExecuteAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(fleet.Folder, instance.Id, CommandId)).FullName;
        string script;
        switch (Document)
        {
            case "AWS-RunShellScript":
                script = Parameter("commands");
                break;
            case "AWS-RunRemoteScript":
                // https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-s3-shell.html: the content is downloaded, then the command line runs beside it.
                var source = new Uri(JsonDocument.Parse(Parameter("sourceInfo")).RootElement.GetProperty("path").GetString()!);
                if (await fleet.DownloadAsync(source, folder, _cancel.Token) is { } failure)
                {
                    Error = failure;
                    End("Failed", "Failed", 1);
                    return;
                }

                IsDownloaded = true;
                script = $"for file in *{Fleet.Downloaded}; do cat \"$file\" > \"${{file%{Fleet.Downloaded}}}\"; rm \"$file\"; done; chmod -R u+x . ; export PATH=\"$PATH:$PWD\"\n{Parameter("commandLine")}";
                break;
            default:
                script = fleet.Documents[Document];
                break;
        }

        var working = Parameter("workingDirectory");
        if (working.Length > 0)
            Directory.CreateDirectory(working);
        var start = new ProcessStartInfo("bash", ["-s"])
        {
            WorkingDirectory = Document is "AWS-RunRemoteScript" || working.Length == 0 ? folder : working,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["INSTANCE_ID"] = instance.Id;
        start.Environment["FLEET_FOLDER"] = Path.Combine(fleet.Folder, instance.Id);
        using var process = Process.Start(start)!;
        _process = process;
        await process.StandardInput.WriteAsync(script + "\n");
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(CancellationToken.None), process.StandardError.ReadToEndAsync(CancellationToken.None));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_cancel.Token);
        deadline.CancelAfter(TimeSpan.FromSeconds(double.Parse(Parameter("executionTimeout", "3600"))));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            (Output, Error) = (await output, await error);
            if (_cancel.IsCancellationRequested)
                End("Cancelled", "Cancelled", -1);
            else
                End("TimedOut", "ExecutionTimedOut", 137);
            return;
        }

        (Output, Error) = (await output, await error);
        var good = process.ExitCode == 0 || Script.SucceedsWithAnyExitCode;
        End(good ? "Success" : "Failed", good ? "Success" : "Failed", process.ExitCode);
    }

    private void End(string status, string details, int exitCode)
    {
        lock (_lock)
            (Status, Details, ExitCode, Ended) = (status, details, exitCode, DateTime.UtcNow);
    }
}
