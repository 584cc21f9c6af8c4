using System.CommandLine;
using Backup.Engine;
using Backup.Engine.Plans;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary><c>run</c>: the jobs of a plan.</summary>
internal static class RunCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "run";

    public static Command Create()
    {
        var command = new Command(Name, """
            Runs the jobs of a plan: folders, Confluence, Jira, GitHub, Maven packages and EC2 instances, side by side where they do not compete.

            A plan is JSON or YAML:
              destination: s3://acme-backup
              jobs:
                - { name: documents, system: folders, path: /srv/documents }
                - { name: code, system: github, organization: acme, token: 'secret:github#TOKEN_GITHUB' }

            One bad job does not end the others; it makes the exit code 1.
            """);
        var plan = new Argument<string>("plan") { Description = "The plan: a file, or s3://bucket/key." };
        var job = new Option<string[]>("--job") { Description = "Only these jobs; wildcards allowed. A job that is named and not there is an error." };
        var whatIf = new Option<bool>("--what-if") { Description = "Say what each job would do, and change nothing anywhere." };
        var store = new StoreArguments();
        command.Add(plan);
        command.Add(job);
        command.Add(whatIf);
        foreach (var option in store.Connection)
            command.Add(option);
        ResultWriter.SetAction(command, async (parsed, writer, token) =>
        {
            var opened = store.OptionsOf(parsed);
            var options = new PlanRunOptions
            {
                Plan = await PlanSource.LoadAsync(parsed.GetRequiredValue(plan), opened, token),
                Jobs = StoreArguments.Given(parsed, job),
                Aws = opened.Aws,
                WhatIf = parsed.GetValue(whatIf),
                Logger = HostConsole.Logger(parsed.GetValue(ResultWriter.Verbose)),
            };
            return await RunAsync(options, writer, token);
        });
        return command;
    }

    private static async Task<int> RunAsync(PlanRunOptions options, ResultWriter writer, CancellationToken cancellationToken)
    {
        var exit = ExitCode.Success;
        var results = new List<BackupJobResult>();
        await foreach (var result in PlanRun.RunAsync(options, HostConsole.Progress(), cancellationToken))
        {
            results.Add(result);
            exit = ExitCode.Worse(exit, ExitCode.Of(result.Outcome));
            writer.Write(result, Describe(result));
            foreach (var warning in result.Warnings)
                HostConsole.Message($"{result.Name}: {warning}");
            foreach (var failure in result.Failures)
                HostConsole.Error(failure.Item == result.Name ? $"{result.Name}: {failure.Message}" : $"{result.Name}: {failure.Item}: {failure.Message}", failure.Advice);
            if (!writer.IsJson)
            {
                foreach (var line in result.Plan)
                    writer.Say("  " + line);
            }
        }

        var summary = PlanSummary.Of(results);
        writer.Write(summary, $"{summary}.");
        return exit;
    }

    private static string Describe(BackupJobResult result)
    {
        var items = result.Items == 0 ? "" : $" {result.Completed} stored, {result.Unchanged} unchanged, {result.Skipped} skipped, {result.Deferred} deferred, {result.Failed} failed, {HostConsole.Size(result.Bytes)} in {result.Duration.TotalSeconds:0.0} s.";
        var reason = result.Reason is { } text && result.Outcome != Outcome.Failed ? " " + text : "";
        return $"{result.Name} ({result.System}): {(result.WhatIf && result.Outcome == Outcome.Skipped ? "WhatIf" : result.Outcome)}.{items}{reason}";
    }
}
