using System.CommandLine;
using Backup.Engine;

namespace Backup.Host.Output;

/// <summary>Standard output: a result a line, as a sentence or, with <c>--json</c>, as a JSON object, and nothing else then.</summary>
internal sealed class ResultWriter(bool isJson)
{
    /// <summary>The option; every command has it.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Write each result as one line of JSON to standard output, and nothing else.", Recursive = true };

    /// <summary>The option; every command has it.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose") { Description = "Say each decision on standard error.", Recursive = true };

    /// <summary>Whether results are JSON.</summary>
    public bool IsJson => isJson;

    /// <summary>Writes a result.</summary>
    public void Write(object result, string sentence)
    {
        HostConsole.ClearProgress();
        Console.Out.WriteLine(isJson ? ResultJson.ToLine(ResultJson.ToObject(result)) : sentence);
    }

    /// <summary>Writes a failed item: a result for programs, and in any case a sentence on standard error.</summary>
    public void WriteFailure(object result, string sentence, string? advice)
    {
        HostConsole.Error(sentence, advice);
        if (isJson)
            Write(result, sentence);
    }

    /// <summary>Says something that is no result: on standard output for people, on standard error where programs read that.</summary>
    public void Say(string text = "")
    {
        if (isJson)
        {
            HostConsole.Message(text);
            return;
        }

        HostConsole.ClearProgress();
        Console.Out.WriteLine(text);
    }

    /// <summary>Makes a command do something. What ends it early is said in a sentence, with what to do, and is the exit code.</summary>
    public static void SetAction(Command command, Func<ParseResult, ResultWriter, CancellationToken, Task<int>> action) => command.SetAction(async (parsed, token) =>
    {
        var writer = new ResultWriter(parsed.GetValue(Json));
        try
        {
            return await action(parsed, writer, token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            const string Message = "Interrupted. What is stored stays stored; the next run goes on from there.";
            writer.WriteFailure(new Error(FailureKind.Cancelled, Message, null), Message, null);
            return ExitCode.Cancelled;
        }
        catch (Exception exception) when (exception is BackupException or IOException or UnauthorizedAccessException or TimeoutException)
        {
            var failure = BackupException.From(exception);
            writer.WriteFailure(new Error(failure.Kind, failure.Message, failure.Advice), failure.Message, failure.Advice);
            return ExitCode.Unusable;
        }
    });
}
