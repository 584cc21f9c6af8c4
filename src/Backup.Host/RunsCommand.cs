using System.CommandLine;
using Backup.Engine.Runs;

namespace Backup.Host;

/// <summary><c>runs</c>: what a store holds.</summary>
internal static class RunsCommand
{
    public static Command Create()
    {
        var command = new Command("runs", "Lists the runs that a store holds, newest first.");
        var store = new StoreArguments().AddTo(command);
        command.SetAction((result, token) => HostConsole.RunAsync(async () =>
        {
            await foreach (var run in RunQueries.RunAsync(store.LocationOf(result), new(), store.OptionsOf(result), token))
                HostConsole.Line($"{run.Finished:u}  {run.RunId}  {run.Outcome,-9}  {run.TotalObjects,9} objects  {HostConsole.Size(run.TotalBytes),10}  {run.System}  {run.SourceName}");
            return ExitCode.Success;
        }));
        return command;
    }
}
