namespace Backup.TestServers.Lambda;

/// <summary>The lambda subcommand: a function's runtime API by hand. It gives the events that it was started with, prints the answers, and ends with the last one.</summary>
internal static class LambdaCommand
{
    private const string Help = """
        lambda: the Lambda runtime API on 127.0.0.1, for a custom runtime that is started beside it

          --port N        0 (default) for any free port
          --event FILE    an event to give to the function; may be repeated
          --timeout S     how long the function has for each, in seconds (900)

        The first line is what AWS_LAMBDA_RUNTIME_API has to be. Each answer is a line: its seconds, response or error, and the body. Ends with 1 where one was an error.

        AWS_LAMBDA_RUNTIME_API=127.0.0.1:PORT _HANDLER=codeartifact DESTINATION_BUCKET=… Backup.Host
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var (port, timeout) = (0, 900);
        var files = new List<string>();
        var left = new Queue<string>(args);
        while (left.TryDequeue(out var name))
        {
            switch (name)
            {
                case "--port":
                    port = CommandArguments.Number(left, name);
                    break;
                case "--event":
                    files.Add(CommandArguments.Value(left, name));
                    break;
                case "--timeout":
                    timeout = CommandArguments.Number(left, name);
                    break;
                default:
                    Console.WriteLine(Help);
                    return name is "--help" or "-h" ? 0 : 2;
            }
        }

        using var stop = new StopSignal();
        await using var server = await LambdaServer.StartAsync(port);
        Console.WriteLine(server.Authority);
        var failed = false;
        try
        {
            foreach (var file in files)
            {
                var invoked = server.InvokeAsync(await File.ReadAllTextAsync(file, stop.Token), TimeSpan.FromSeconds(timeout), stop.Token);
                var answer = await await Task.WhenAny(invoked, server.StartError);
                Console.WriteLine($"{answer.Elapsed.TotalSeconds:0.000} {(answer.IsError ? "error" : "response")} {answer.Body?.ToJsonString()}");
                failed |= answer.IsError;
            }
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return 130;
        }

        return failed ? 1 : 0;
    }
}
