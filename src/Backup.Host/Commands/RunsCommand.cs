using System.CommandLine;
using Backup.Engine.Runs;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary><c>runs</c>: what a store holds.</summary>
internal static class RunsCommand
{
    public static Command Create()
    {
        var command = new Command("runs", "Lists the runs that a store holds, of every system, newest first.");
        var store = new StoreArguments().AddTo(command);
        var query = new RunArguments().AddTo(command);
        var latest = new Option<bool>("--latest") { Description = "Only the newest run of each source." };
        command.Add(latest);
        ResultWriter.SetAction(command, async (parsed, writer, token) =>
        {
            var found = false;
            await foreach (var run in RunQueries.RunAsync(store.LocationOf(parsed), query.Of(parsed) with { LatestOnly = parsed.GetValue(latest) }, store.OptionsOf(parsed), token))
            {
                found = true;
                writer.Write(run, $"{run.Finished:u}  {run.RunId}  {run.Outcome,-9}  {run.TotalObjects,9} objects  {HostConsole.Size(run.TotalBytes),10}  {run.System}  {run.SourceName}");
            }

            // An empty list is an answer; it may also be a prefix or a name that was mistyped.
            if (!found)
                HostConsole.Message($"'{store.LocationOf(parsed)}' holds no such run.");
            return ExitCode.Success;
        });
        return command;
    }
}
