using static Backup.TestServers.CommandArguments;

namespace Backup.TestServers.GitHub;

/// <summary>The github subcommand: a server by hand, until Ctrl+C.</summary>
internal static class GitHubCommand
{
    private const string Help = """
        github: a GitHub on 127.0.0.1 with real repositories over real smart HTTP

          --port N             0 (default) for any free port
          --token TOKEN        the token that opens everything
          --login NAME         the user that it belongs to (octocat)
          --repositories N     so many generated repositories in the organization acme
          --special            one each: empty, LFS, wiki, renamed, DMCA, 5,000 refs, forced push, hostile name, records
          --organization NAME  an organization without repositories; may be repeated
          --rate-limit N       requests an hour
          --content-limit N    requests that create content, a minute
          --delay MS           added to every request
          --keep-refs          keep what info/refs answered until something is pushed: for benchmarks
          --verbose            a line for every request

        POST /_control/change pushes by force, renames and adds an issue (with --special).
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new GitHubOptions();
        var (verbose, special, repositories) = (false, false, 0);
        var organizations = new List<string>();
        try
        {
            var left = new Queue<string>(args);
            while (left.TryDequeue(out var name))
            {
                switch (name)
                {
                    case "--help" or "-h":
                        Console.WriteLine(Help);
                        return 0;
                    case "--verbose":
                        verbose = true;
                        break;
                    case "--special":
                        special = true;
                        break;
                    case "--repositories":
                        repositories = Number(left, name);
                        break;
                    case "--organization":
                        organizations.Add(Value(left, name));
                        break;
                    default:
                        options = Apply(options, name, left);
                        break;
                }
            }
        }
        catch (FormatException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }

        await ServeAsync(options, repositories, special, organizations, verbose);
        return 0;
    }

    private static GitHubOptions Apply(GitHubOptions options, string name, Queue<string> left) => name switch
    {
        "--port" => options with { Port = Number(left, name) },
        "--token" => options with { Token = Value(left, name) },
        "--login" => options with { Login = Value(left, name) },
        "--rate-limit" => options with { RateLimit = Number(left, name) },
        "--content-limit" => options with { ContentLimit = Number(left, name) },
        "--delay" => options with { Delay = TimeSpan.FromMilliseconds(Number(left, name)) },
        "--keep-refs" => options with { CacheAdvertisements = true },
        _ => throw new FormatException($"{name} is not an option. See github --help."),
    };

    private static async Task ServeAsync(GitHubOptions options, int repositories, bool special, List<string> organizations, bool verbose)
    {
        using var stop = new StopSignal();
        await using var server = await GitHubServer.StartAsync(options, verbose ? record => Console.WriteLine(record) : null);
        var scenario = new GitHubScenario(server);
        scenario.AddPlain(repositories);
        if (special)
            scenario.AddSpecial();
        organizations.ForEach(name => server.World.AddAccount(name, organization: true));
        server.Control = name =>
        {
            if (name == "change")
                scenario.Change();
        };
        Console.WriteLine($"{server.Endpoint}  TOKEN_GITHUB={server.Token} git -c http.extraHeader=\"Authorization: Bearer {server.Token}\" clone {server.Endpoint}acme/repo-0001.git; Get-GitHubRepos -ApiUri {server.ApiUri} -Organization acme");
        await stop.WaitAsync();
    }
}
