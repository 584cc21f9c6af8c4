using System.CommandLine;
using Backup.Engine.Runs;

namespace Backup.Host;

/// <summary><c>verify</c>: whether what a store holds is whole.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var command = new Command("verify", "Proves that the newest run of each source, or the runs that are named, is in the store and whole.");
        var store = new StoreArguments().AddTo(command);
        var run = new Option<string[]>("--run") { Description = "Run ids." };
        var deep = new Option<bool>("--deep") { Description = "Read every byte, instead of comparing existence, size and the store's checksum." };
        command.Add(run);
        command.Add(deep);
        command.SetAction((result, token) => HostConsole.RunAsync(async () =>
        {
            var exit = ExitCode.Success;
            var query = new RunQuery { RunIds = result.GetValue(run) is { Length: > 0 } ids ? ids : null };
            await foreach (var verification in RunVerifier.RunAsync(store.LocationOf(result), query, result.GetValue(deep), store.OptionsOf(result), HostConsole.Progress(), cancellationToken: token))
            {
                HostConsole.Line(Describe(verification));
                foreach (var problem in verification.Details)
                    HostConsole.Error($"{problem.Path}: {problem.Message}", null);
                if (!verification.Passed)
                    exit = ExitCode.Failure;
            }

            return exit;
        }));
        return command;
    }

    /// <summary>A verification in one line.</summary>
    public static string Describe(RunVerification verification)
    {
        var how = verification.Deep ? "every byte read" : "existence, size and checksum";
        var archived = verification.Archived > 0 ? $", {verification.Archived} archived and not read" : "";
        return $"{verification.SourceName}, run {verification.RunId}: {(verification.Passed ? "whole" : verification.Problems > 0 ? $"{verification.Problems} problems" : "not proven")}{(verification.RunFailure is { } failure ? $", though the run had failed ({failure.TrimEnd('.')})" : "")}. {verification.Checked} objects, {HostConsole.Size(verification.Bytes)} ({how}{archived}).";
    }
}
