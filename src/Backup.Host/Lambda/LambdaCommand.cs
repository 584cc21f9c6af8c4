using System.CommandLine;
using Backup.Engine;
using Backup.Host.Output;

namespace Backup.Host.Lambda;

/// <summary><c>lambda</c>: this executable as a function of AWS Lambda.</summary>
internal static class LambdaCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "lambda";

    private static readonly Dictionary<string, Func<LambdaLog, IFunction>> Functions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["codeartifact"] = log => new PackageFunction(log),
        ["backfill"] = log => new PackageFunction(log),
        ["github"] = log => new GitHubFunction(log),
        ["plan"] = log => new PlanFunction(log),
    };

    public static Command Create()
    {
        var command = new Command(Name, $"""
            Runs as an AWS Lambda function: takes events from the Lambda runtime API until Lambda ends it. Started by Lambda without arguments, this is what it does.

            The function's handler says what is done: {string.Join(", ", Functions.Keys)}.
            """);
        var handler = new Argument<string?>("handler") { Description = "What to do with events (default: the function's own handler, the environment variable _HANDLER).", Arity = ArgumentArity.ZeroOrOne };
        command.Add(handler);
        ResultWriter.SetAction(command, async (parsed, _, token) =>
        {
            using var api = RuntimeApi.FromEnvironment();
            var log = new LambdaLog(TimeProvider.System);
            try
            {
                return await new LambdaLoop(api, log, TimeProvider.System).RunAsync(() => Find(parsed.GetValue(handler) ?? FunctionSettings.Text("_HANDLER"))(log), token);
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                // Between two events nothing is at work: this is how Lambda ends a function.
                return ExitCode.Success;
            }
        });
        return command;
    }

    private static Func<LambdaLog, IFunction> Find(string? handler) => handler is not null && Functions.TryGetValue(handler, out var function)
        ? function
        : throw new BackupException(FailureKind.InvalidInput, $"The function's handler '{handler}' is none that there is.", $"Set the handler to {string.Join(", ", Functions.Keys)}.");
}
