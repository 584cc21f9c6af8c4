using System.CommandLine;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary><c>restore</c>: folders to where they were or elsewhere, and the runs of every system as files.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var command = new Command("restore", """
            Gives folders back, identical in bytes, times and modes; and with --run the run of any system, as files.

            Without --run it is the newest run of each folder, or of those that --folder names. Sites, repositories and packages need --run and --to;
            what 'runs' lists says which runs there are.
            """);
        var store = new StoreArguments().AddTo(command);
        var folder = new Option<string[]>("--folder") { Description = "The folders as they were backed up; wildcards allowed." };
        var to = new Option<string?>("--to") { Description = "The directory to restore into (default for folders: the original place)." };
        var run = new Option<string[]>("--run") { Description = "Run ids. With several, each goes into a directory of its own below --to." };
        var at = new Option<DateTimeOffset?>("--at") { Description = "Restore folders as they were at this time." };
        var include = new Option<string[]>("--include") { Description = "Glob patterns of what to restore." };
        var tier = new Option<RestoreTier>("--tier") { Description = "How fast archived objects are wanted.", DefaultValueFactory = _ => RestoreTier.Bulk };
        var days = new Option<int>("--days") { Description = "How many days readable copies of archived objects stay.", DefaultValueFactory = _ => 7 };
        var wait = new Option<bool>("--wait") { Description = "Wait for archived objects." };
        var resume = new Option<bool>("--resume") { Description = "Go on where an interrupted restore ended, without reading what it has written." };
        var force = new Option<bool>("--force") { Description = "Overwrite files that are newer than the backup." };
        var whatIf = new Option<bool>("--what-if") { Description = "Say what would be done and write nothing." };
        foreach (var option in new Option[] { folder, to, run, at, include, tier, days, wait, resume, force, whatIf })
            command.Add(option);
        ResultWriter.SetAction(command, async (parsed, writer, token) =>
        {
            var options = new FolderRestoreOptions
            {
                From = store.LocationOf(parsed),
                Store = store.OptionsOf(parsed),
                Paths = StoreArguments.Given(parsed, folder),
                Destination = parsed.GetValue(to),
                At = parsed.GetValue(at),
                Include = StoreArguments.Given(parsed, include),
                Tier = parsed.GetValue(tier),
                Days = parsed.GetValue(days),
                Wait = parsed.GetValue(wait),
                Resume = parsed.GetValue(resume),
                Force = parsed.GetValue(force),
                WhatIf = parsed.GetValue(whatIf),
                Logger = HostConsole.Logger(parsed.GetValue(ResultWriter.Verbose)),
            };
            if (parsed.GetValue(run) is not { Length: > 0 } ids)
                return await WriteAsync(FolderRestore.RunAsync(options, HostConsole.Progress(), token), writer);
            return await RestoreRunsAsync(ids.Distinct(StringComparer.Ordinal).ToArray(), options, writer, token);
        });
        return command;
    }

    private static async Task<int> RestoreRunsAsync(string[] ids, FolderRestoreOptions options, ResultWriter writer, CancellationToken cancellationToken)
    {
        if (options.Paths is not null || options.At is not null)
            throw new BackupException(FailureKind.InvalidInput, "A run is given, and a folder or a time as well.", "Give --run, or --folder and --at.");
        var found = await RunQueries.RunAsync(options.From, new() { RunIds = ids }, options.Store, cancellationToken).ToDictionaryAsync(run => run.RunId, StringComparer.Ordinal, cancellationToken);
        var exit = ExitCode.Success;
        foreach (var id in ids)
        {
            var run = found.GetValueOrDefault(id) ?? throw new BackupException(FailureKind.NotFound, $"There is no run '{id}' in '{options.From}'.", "The command 'runs' lists the runs of a store.");
            var target = ids.Length == 1 || options.Destination is null ? options.Destination : Path.Combine(options.Destination, id);
            var restored = run.System == "folders"
                ? FolderRestore.RunAsync(options with { RunId = id, Destination = target }, HostConsole.Progress(), cancellationToken)
                : RunRestore.RunAsync(OptionsOf(run, options, target), HostConsole.Progress(), cancellationToken);
            exit = ExitCode.Worse(exit, await WriteAsync(restored, writer));
        }

        return exit;
    }

    private static RunRestoreOptions OptionsOf(BackupRun run, FolderRestoreOptions options, string? target) => new()
    {
        From = options.From,
        Store = options.Store,
        RunId = run.RunId,
        Destination = target ?? throw new BackupException(FailureKind.InvalidInput, $"Run {run.RunId} is of {run.System}, so there is no original place to restore it to.", "Give --to with a directory."),
        Include = options.Include,
        Tier = options.Tier,
        Days = options.Days,
        Wait = options.Wait,
        Resume = options.Resume,
        Force = options.Force,
        WhatIf = options.WhatIf,
        Logger = options.Logger,
    };

    /// <summary>Writes what a restore gives; what ends a restore early is behind its summary, and told once.</summary>
    private static async Task<int> WriteAsync(IAsyncEnumerable<RestoreOutput> outputs, ResultWriter writer)
    {
        var exit = ExitCode.Success;
        var isTold = false;
        try
        {
            await foreach (var output in outputs)
            {
                if (output is RestoredItem item)
                    writer.WriteFailure(item, $"{item.Path}: {item.Reason}", item.Advice);
                if (output is not RestoreSummary summary)
                    continue;
                isTold = summary.Kind is not null;
                writer.Write(summary, Describe(summary));
                if (isTold)
                    HostConsole.Error($"{summary.SourceName}: {summary.Reason}", summary.Advice);
                exit = ExitCode.Worse(exit, ExitCode.Of(summary.Outcome));
            }
        }
        catch (BackupException) when (isTold)
        {
        }

        return exit;
    }

    /// <summary>A summary in one line.</summary>
    public static string Describe(RestoreSummary summary) =>
        $"{summary.SourceName} -> {summary.Destination}: {(summary.WhatIf ? "WhatIf" : summary.Outcome)}. {summary.Restored} restored, {summary.Unchanged} already there, {summary.Skipped} skipped, {summary.Deferred} deferred, {summary.Failed} failed, {HostConsole.Size(summary.Bytes)} in {summary.Duration.TotalSeconds:0.0} s.";
}
