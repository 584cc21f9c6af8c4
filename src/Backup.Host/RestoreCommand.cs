using System.CommandLine;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Runs;

namespace Backup.Host;

/// <summary><c>restore</c>: folders from a store.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var command = new Command("restore", "Gives folders back: identical in bytes, times and modes.");
        var store = new StoreArguments().AddTo(command);
        var folder = new Option<string[]>("--folder") { Description = "The folders as they were backed up; wildcards allowed." };
        var to = new Option<string?>("--to") { Description = "The directory to restore into (default: the original place)." };
        var run = new Option<string?>("--run") { Description = "The run (default: the newest)." };
        var at = new Option<DateTimeOffset?>("--at") { Description = "Restore as it was at this time." };
        var include = new Option<string[]>("--include") { Description = "Glob patterns of what to restore." };
        var wait = new Option<bool>("--wait") { Description = "Wait for archived objects." };
        var force = new Option<bool>("--force") { Description = "Overwrite files that are newer than the backup." };
        var whatIf = new Option<bool>("--what-if") { Description = "Say what would be done and write nothing." };
        foreach (var option in new Option[] { folder, to, run, at, include, wait, force, whatIf })
            command.Add(option);
        command.SetAction((result, token) => HostConsole.RunAsync(() => RunAsync(
            new()
            {
                From = store.LocationOf(result),
                Store = store.OptionsOf(result),
                Paths = result.GetValue(folder) is { Length: > 0 } folders ? folders : null,
                Destination = result.GetValue(to),
                RunId = result.GetValue(run),
                At = result.GetValue(at),
                Include = result.GetValue(include) is { Length: > 0 } includes ? includes : null,
                Wait = result.GetValue(wait),
                Force = result.GetValue(force),
                WhatIf = result.GetValue(whatIf),
            },
            token)));
        return command;
    }

    private static async Task<int> RunAsync(FolderRestoreOptions options, CancellationToken cancellationToken)
    {
        var exit = ExitCode.Success;
        await foreach (var output in FolderRestore.RunAsync(options, HostConsole.Progress(), cancellationToken))
        {
            if (output is RestoredItem item)
                HostConsole.Error($"{item.Path}: {item.Reason}", item.Advice);
            if (output is not RestoreSummary summary)
                continue;
            HostConsole.Line(Describe(summary));
            exit = summary.Outcome switch
            {
                Outcome.Failed => ExitCode.Failure,
                Outcome.Deferred when exit == ExitCode.Success => ExitCode.Deferred,
                _ => exit,
            };
        }

        return exit;
    }

    /// <summary>A summary in one line.</summary>
    public static string Describe(RestoreSummary summary) =>
        $"{summary.SourceName} -> {summary.Destination}: {(summary.WhatIf ? "WhatIf" : summary.Outcome)}. {summary.Restored} restored, {summary.Unchanged} already there, {summary.Skipped} skipped, {summary.Deferred} deferred, {summary.Failed} failed, {HostConsole.Size(summary.Bytes)} in {summary.Duration.TotalSeconds:0.0} s.";
}
