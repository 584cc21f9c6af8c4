using System.Globalization;

namespace Backup.TestServers.CodeArtifact;

/// <summary>The codeartifact subcommand: a domain by hand, until Ctrl+C.</summary>
internal static class CodeArtifactCommand
{
    private const string Help = """
        codeartifact: a CodeArtifact domain on 127.0.0.1, its signed API and the Maven endpoint of its repositories

          --port N           0 (default) for any free port
          --domain NAME      my-domain
          --owner ACCOUNT    111122223333
          --repository NAME  may be repeated; my-repo and other-repo where none is given
          --page-size N      the most items of a page (1000)
          --verbose          a line for every request

        AWS_ENDPOINT_URL_CODEARTIFACT=http://127.0.0.1:PORT AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret aws codeartifact list-packages --domain my-domain --repository my-repo
        mvn deploy -DaltDeploymentRepository=ca::default::http://127.0.0.1:PORT/d/my-domain/maven/my-repo/   (user aws, password: what get-authorization-token says)
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var (port, page, domain, owner, verbose) = (0, 1000, "my-domain", "111122223333", false);
        var repositories = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--port":
                    (port, i) = (int.Parse(value, CultureInfo.InvariantCulture), i + 1);
                    break;
                case "--page-size":
                    (page, i) = (int.Parse(value, CultureInfo.InvariantCulture), i + 1);
                    break;
                case "--domain":
                    (domain, i) = (value, i + 1);
                    break;
                case "--owner":
                    (owner, i) = (value, i + 1);
                    break;
                case "--repository":
                    repositories.Add(value);
                    i++;
                    break;
                case "--verbose":
                    verbose = true;
                    break;
                default:
                    Console.WriteLine(Help);
                    return args[i] is "--help" or "-h" ? 0 : 2;
            }
        }

        using var stop = new StopSignal();
        await using var server = await CodeArtifactServer.StartAsync(
            domain, owner, repositories.Count > 0 ? repositories : ["my-repo", "other-repo"], port, page,
            answered: (request, status) =>
            {
                if (verbose)
                    Console.WriteLine($"{status} {request.Method} {request.RawPath}");
            });
        Console.WriteLine(server.Endpoint);
        await stop.WaitAsync();
        return 0;
    }
}
