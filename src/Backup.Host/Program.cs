using System.CommandLine;
using System.CommandLine.Invocation;
using Backup.Host;
using Backup.Host.Commands;
using Backup.Host.Lambda;
using Backup.Host.Output;

EmbeddedSqlite.Register();
var root = new RootCommand("""
    Backs up into storage you own, proves what is stored, and gives it back. The same engine as the PowerShell module AtlassianBackup.

    A first look:
      Backup.Host quickstart
      Backup.Host run plan.yaml --what-if
      Backup.Host sync /srv/documents --to s3://bucket/documents
      Backup.Host verify s3://bucket/documents
      Backup.Host restore s3://bucket/documents --to /tmp/documents

    Exit codes: 0 done and proven, 1 something failed, 2 nothing was begun, 3 archived objects are not readable yet, 130 interrupted.
    Keys are never arguments: AWS credentials come from the environment, a profile, SSO, or the machine's role.
    """)
{
    QuickstartCommand.Create(),
    RunCommand.Create(),
    CheckCommand.Create(),
    SyncCommand.Create(),
    RunsCommand.Create(),
    VerifyCommand.Create(),
    RestoreCommand.Create(),
    LambdaCommand.Create(),
    ResultWriter.Json,
    ResultWriter.Verbose,
};

// As a function's bootstrap it is started without arguments.
var parsed = root.Parse(args is [] && RuntimeApi.IsOffered ? [LambdaCommand.Name] : args);
// What Ctrl+C or SIGTERM set off may take a while: uploads are aborted. A plan gives back the machines that it stopped, however long that takes.
var patience = parsed.CommandResult.Command.Name == RunCommand.Name ? TimeSpan.FromHours(4) : TimeSpan.FromSeconds(40);
var exit = await parsed.InvokeAsync(new() { ProcessTerminationTimeout = patience });
return parsed.Action is ParseErrorAction ? ExitCode.Unusable : exit;
