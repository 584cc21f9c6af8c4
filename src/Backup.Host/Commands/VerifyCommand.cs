using System.CommandLine;
using Backup.Engine.Runs;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary><c>verify</c>: whether what a store holds is whole.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var command = new Command("verify", "Proves that the newest run of each source, or the runs that are named, is in the store and whole. Works for every system.");
        var store = new StoreArguments().AddTo(command);
        var query = new RunArguments().AddTo(command);
        var deep = new Option<bool>("--deep") { Description = "Read every byte, instead of comparing existence, size and the store's checksum." };
        var record = new Option<bool>("--record") { Description = "Keep what was found in the store's catalog, for reports and monitors." };
        command.Add(deep);
        command.Add(record);
        ResultWriter.SetAction(command, async (parsed, writer, token) =>
        {
            var exit = ExitCode.Success;
            var verifications = RunVerifier.RunAsync(store.LocationOf(parsed), query.Of(parsed), parsed.GetValue(deep), store.OptionsOf(parsed), HostConsole.Progress(), parsed.GetValue(record), token);
            await foreach (var verification in verifications)
            {
                writer.Write(verification, Describe(verification));
                foreach (var problem in verification.Details)
                    HostConsole.Error($"{problem.Path}: {problem.Message}");
                exit = ExitCode.Worse(exit, verification.Passed ? ExitCode.Success : verification.Problems > 0 ? ExitCode.Failure : ExitCode.Deferred);
            }

            return exit;
        });
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
