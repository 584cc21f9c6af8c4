using System.CommandLine;
using Backup.Host;

var root = new RootCommand("Backs up folders into storage you own, proves what is stored, and gives it back. The same engine as the PowerShell module AtlassianBackup.")
{
    QuickstartCommand.Create(),
    SyncCommand.Create(),
    RunsCommand.Create(),
    VerifyCommand.Create(),
    RestoreCommand.Create(),
};
return await root.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(40) });
