using System.CommandLine;
using Backup.Engine.Plans;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary><c>check</c>: whether a plan would work.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var command = new Command("check", "Looks at everything about a plan that can be looked at without changing anything: its file, secrets, credentials, stores, sources, space and tools.");
        var plan = new Argument<string>("plan") { Description = "The plan, a file." };
        var job = new Option<string[]>("--job") { Description = "Only these jobs; wildcards allowed." };
        var store = new StoreArguments();
        command.Add(plan);
        command.Add(job);
        foreach (var option in store.Connection)
            command.Add(option);
        ResultWriter.SetAction(command, async (parsed, writer, token) =>
        {
            var options = new PlanTestOptions
            {
                Path = parsed.GetRequiredValue(plan),
                Jobs = StoreArguments.Given(parsed, job),
                Aws = store.OptionsOf(parsed).Aws,
                Logger = HostConsole.Logger(parsed.GetValue(ResultWriter.Verbose)),
            };
            var exit = ExitCode.Success;
            await foreach (var check in PlanTest.RunAsync(options, HostConsole.Progress(), token))
            {
                writer.Write(check, $"{check.Status,-10}  {(check.Job is { } name ? name + ": " : "")}{check.Check}: {check.Detail}{(check.HowToMend is { } advice ? " " + advice : "")}");
                if (check.Status == PlanCheckStatus.Failed)
                    exit = ExitCode.Failure;
            }

            return exit;
        });
        return command;
    }
}
