using System.Globalization;
using System.Text.Json.Nodes;
using Backup.Engine.Aws;
using Backup.Engine.Aws.Ssm;

namespace Backup.Engine.PrePost;

/// <summary>How a command ended.</summary>
/// <param name="Succeeded">SSM says Success, in detail too, and every step's exit code is 0.</param>
/// <param name="Status">SSM's word, in detail.</param>
/// <param name="ExitCode">The exit code of the step that decided; null where none ran.</param>
/// <param name="Output">The end of its standard output.</param>
/// <param name="Error">The end of its standard error.</param>
internal sealed record CommandEnd(bool Succeeded, string Status, int? ExitCode, string? Output, string? Error);

/// <summary>
/// Sends commands to one instance and finds out what became of them. A command is found again by its comment, which names run, instance, script
/// and attempt: SendCommand has no token of its own.
/// </summary>
internal sealed class ScriptRunner(PrePostServices services, Waiting waiting, PrePostDeadlines deadlines, TimeProvider time)
{
    private const int MaxTail = 2000;

    // What GetCommandInvocation tells of a stream is its beginning (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html).
    private const int MaxOutput = 24_000;
    private const int MaxError = 8_000;
    private const string Truncated = "--output truncated--";
    private const string CutOff = "… (Systems Manager tells the beginning alone: give OutputS3BucketName for the whole)";

    // https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html: the history goes back 30 days.
    private static readonly TimeSpan History = TimeSpan.FromDays(29);

    private static readonly TimeSpan LeastPatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan MostPatience = TimeSpan.FromMinutes(10);

    private const string Skipped = "Step execution skipped";

    // What a step without a result answers; an exit code of 0 is a success only where the step says so too.
    private const int NotRun = -1;

    /// <summary>The comment that a command is found by: at most 100 characters.</summary>
    public static string Comment(string runId, string instanceId, ScriptKind kind, int attempt) =>
        string.Create(CultureInfo.InvariantCulture, $"AtlassianBackup {runId}:{instanceId}:{kind}:{attempt}");

    /// <summary>Sends a command, and gives its id.</summary>
    private async Task<string> SendAsync(PrePostPlan plan, PrePostScript script, InstanceRecord record, string comment, CancellationToken cancellationToken)
    {
        var (document, version, parameters) = Content(plan, script, record);
        var answer = await services.SsmClient.SendCommandAsync(
            new()
            {
                DocumentName = document,
                DocumentVersion = version,
                InstanceIds = [record.InstanceId],
                Parameters = parameters,
                TimeoutSeconds = script.DeliverySeconds ?? plan.DeliverySeconds,
                Comment = comment,
                OutputS3BucketName = script.OutputS3BucketName,
                OutputS3KeyPrefix = script.OutputS3KeyPrefix,
            },
            cancellationToken);
        return answer.Command?.CommandId ?? throw new BackupException(FailureKind.Unavailable, $"Systems Manager took a command for {record.InstanceId} and gave it no id.", "Look at Run Command's history.");
    }

    /// <summary>
    /// Sends a command once: where it is not known whether it arrived, it is looked for before it is sent again. A throttle is waited out for as long as
    /// the command could wait for its delivery.
    /// </summary>
    /// <param name="isPending">Whether an earlier runner may have sent it.</param>
    /// <param name="isForward">Whether it is on the way to the backup. On the way back an agent that is not there yet is waited for too.</param>
    /// <param name="plan">The run's plan.</param>
    /// <param name="script">The script.</param>
    /// <param name="record">The instance.</param>
    /// <param name="comment">What it is found by.</param>
    /// <param name="intended">When it was first about to be sent.</param>
    /// <param name="lost">Ends it at any point.</param>
    /// <param name="cancellationToken">Ends it only where it is certain that nothing was sent.</param>
    public async Task<string> SendOnceAsync(
        bool isPending, bool isForward, PrePostPlan plan, PrePostScript script, InstanceRecord record, string comment, DateTimeOffset intended, CancellationToken lost, CancellationToken cancellationToken)
    {
        if (isPending && IsForgotten(intended))
            throw new BackupException(FailureKind.Refused, $"It is no longer known whether it was sent at {intended:u}: Systems Manager's history goes back 30 days.", "Run it by hand where it is needed.");
        var begun = time.GetUtcNow();
        var patience = TimeSpan.FromSeconds(script.DeliverySeconds ?? plan.DeliverySeconds);
        var deadline = begun + (patience < LeastPatience ? LeastPatience : patience > MostPatience ? MostPatience : patience);
        for (var pause = Pace.Instance.First; ; pause = Pace.Instance.Next(pause))
        {
            if (isPending && await FindAsync(record.InstanceId, comment, intended, lost) is { } sent)
                return sent;
            isPending = false;
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return await SendAsync(plan, script, record, comment, lost);
            }
            catch (BackupException exception) when (time.GetUtcNow() < deadline && exception.Kind is FailureKind.Unavailable or FailureKind.TimedOut)
            {
                isPending = true;
            }
            catch (BackupException exception) when (time.GetUtcNow() < deadline && (exception.Kind is FailureKind.Throttled || waiting.IsRenewable(exception, begun) || (!isForward && IsNotReady(exception))))
            {
                await waiting.PauseAsync(pause, cancellationToken);
            }
        }
    }

    /// <summary>Whether a command of that time is no longer in the service's history.</summary>
    public bool IsForgotten(DateTimeOffset intended) => time.GetUtcNow() - intended > History;

    // The agent is not registered, or the instance does not run: right after a start that is so for a moment.
    private static bool IsNotReady(BackupException exception) => exception is AwsServiceException { ErrorCode: "InvalidInstanceId" };

    /// <summary>Looks for a command that was perhaps sent; null where it certainly was not.</summary>
    private async Task<string?> FindAsync(string instanceId, string comment, DateTimeOffset intended, CancellationToken cancellationToken)
    {
        // This clock and the service's need not agree.
        var after = (intended - TimeSpan.FromMinutes(15)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        try
        {
            // What was just sent is not listed at once.
            return await waiting.UntilAsync(
                comment,
                async token =>
                {
                    await foreach (var invocation in services.SsmClient.ListCommandInvocationsAsync(new() { InstanceId = instanceId, Filters = [new() { Key = "InvokedAfter", Value = after }] }, token))
                    {
                        if (invocation.Comment == comment)
                            return invocation.CommandId;
                    }

                    return null;
                },
                deadlines.Lookup,
                Pace.Script,
                cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.TimedOut && exception.InnerException is OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Waits for a command's end. An invocation that does not exist yet is waited for; only Success is success.</summary>
    public Task<CommandEnd> WaitAsync(string instanceId, string commandId, TimeSpan patience, CancellationToken cancellationToken) => waiting.UntilAsync(
        $"The script on {instanceId} (command {commandId}) did not end",
        async token =>
        {
            CommandInvocation? invocation = null;
            await foreach (var item in services.SsmClient.ListCommandInvocationsAsync(new() { CommandId = commandId, InstanceId = instanceId, Details = true }, token))
                invocation = string.Equals(item.InstanceId, instanceId, StringComparison.Ordinal) ? item : invocation;
            return invocation is null || !IsOver(invocation.Status) ? null : await EndAsync(invocation, token);
        },
        patience,
        Pace.Script,
        cancellationToken);

    /// <summary>Stops a command, and waits a little for its end.</summary>
    public async Task<CommandEnd?> CancelAsync(string instanceId, string commandId, CancellationToken cancellationToken)
    {
        try
        {
            await waiting.InsistAsync($"The command {commandId} could not be stopped", token => services.SsmClient.CancelCommandAsync(new() { CommandId = commandId, InstanceIds = [instanceId] }, token), deadlines.Cancel, cancellationToken);
            return await WaitAsync(instanceId, commandId, deadlines.Cancel, cancellationToken);
        }
        catch (BackupException)
        {
            // Whoever cancels has a reason of their own to tell.
            return null;
        }
    }

    // https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
    private static bool IsOver(string? status) => status is not (null or "" or "Pending" or "InProgress" or "Delayed" or "Cancelling");

    private async Task<CommandEnd> EndAsync(CommandInvocation invocation, CancellationToken cancellationToken)
    {
        var plugins = invocation.CommandPlugins ?? [];
        // The step that went wrong, or the last one that ran: AWS's documents have one a platform, and those for others are skipped.
        var deciding = plugins.FirstOrDefault(plugin => plugin.Status is not "Success" || plugin.ResponseCode is not (0 or null))
            ?? plugins.LastOrDefault(plugin => plugin.Output?.StartsWith(Skipped, StringComparison.OrdinalIgnoreCase) != true);
        var succeeded = invocation.Status is "Success" && invocation.StatusDetails is "Success" or null && plugins.All(plugin => plugin.Status is "Success" && plugin.ResponseCode is 0 or null);
        var details = invocation.StatusDetails is { Length: > 0 } detail ? detail : invocation.Status ?? "";
        if (deciding is null)
            return new(succeeded, details, null, null, null);
        var (output, error, code) = (deciding.Output, (string?)null, deciding.ResponseCode);
        try
        {
            var whole = await services.SsmClient.GetCommandInvocationAsync(new() { CommandId = invocation.CommandId!, InstanceId = invocation.InstanceId!, PluginName = plugins.Count > 1 ? deciding.Name : null }, cancellationToken);
            (output, error, code) = (whole.StandardOutputContent, whole.StandardErrorContent, whole.ResponseCode ?? code);
        }
        catch (AwsServiceException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.InvalidInput or FailureKind.PermissionDenied)
        {
            // The list has said how it ended; without the streams that is what is told.
        }

        return new(succeeded && code is 0 or null, details, code is NotRun ? null : code, Tail(output, MaxOutput), Tail(error, MaxError));
    }

    private static string? Tail(string? text, int most)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var isCut = text.Length >= most || text.TrimEnd().EndsWith(Truncated, StringComparison.Ordinal);
        var end = text.TrimEnd();
        if (end.EndsWith(Truncated, StringComparison.Ordinal))
            end = end[..^Truncated.Length];
        return (end.Length <= MaxTail ? end : "…" + end[^MaxTail..]) + (isCut ? CutOff : "");
    }

    // The documents are AWS's own: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html.
    private (string Document, string? Version, Dictionary<string, IReadOnlyList<string>> Parameters) Content(PrePostPlan plan, PrePostScript script, InstanceRecord record)
    {
        if (script.Document is { } document)
            return (document, script.DocumentVersion, new(script.Parameters ?? new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal), StringComparer.Ordinal));
        var parameters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            ["executionTimeout"] = [plan.ExecutionSeconds.ToString(CultureInfo.InvariantCulture)],
        };
        if (!string.IsNullOrEmpty(script.WorkingDirectory))
            parameters["workingDirectory"] = [script.WorkingDirectory];
        if (script.SourceS3Path is { } source)
        {
            parameters["sourceType"] = ["S3"];
            parameters["sourceInfo"] = [new JsonObject { ["path"] = Address(source) }.ToJsonString()];
            parameters["commandLine"] = [script.CommandToRun ?? source[(source.LastIndexOf('/') + 1)..]];
            return ("AWS-RunRemoteScript", null, parameters);
        }

        parameters["commands"] = script.Commands!.ReplaceLineEndings("\n").Split('\n');
        return (record.PlatformType is "Windows" ? "AWS-RunPowerShellScript" : "AWS-RunShellScript", null, parameters);
    }

    private string Address(string source)
    {
        const string Scheme = "s3://";
        if (!source.StartsWith(Scheme, StringComparison.Ordinal))
            return source;
        var parts = source[Scheme.Length..].Split('/', 2);
        return $"https://{parts[0]}.s3.{services.Region}.{services.DnsSuffix}/{(parts.Length > 1 ? parts[1] : "")}";
    }
}
