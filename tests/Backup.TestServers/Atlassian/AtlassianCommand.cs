using System.Globalization;
using Backup.TestServers.Atlassian.Exports;
using static Backup.TestServers.CommandArguments;

namespace Backup.TestServers.Atlassian;

/// <summary>The atlassian subcommand: a site by hand, until Ctrl+C.</summary>
internal static class AtlassianCommand
{
    private const string Help = """
        atlassian: a site of Atlassian Cloud on 127.0.0.1, with Confluence and Jira

          --port N              0 (default) for any free port
          --user ADDRESS        admin@example.com
          --token TOKEN         classic-api-token
          --export-size SIZE    length of each export: 256KiB at least, such as 2GB (default 16MB)
          --seed N              other contents
          --pace SIZE           bytes a second of a download
          --polls N             questions about progress until an export is there (3)
          --export-time S       seconds until an export is there
          --cut SIZE            a download breaks after so many bytes; may be repeated, one a download
          --flip OFFSET         one bit of that byte is wrong
          --existing HOURS      there is a Confluence and a Jira export of that age
          --cooldown HOURS      so long after an export no other may be asked for
          --file-name SHAPE     filestore, bare or legacy: how Confluence names its file
          --result SHAPE        slashquery, query, binary, jsonstring or nullmedia: how Jira does
          --login-page          the first download is a sign-in page
          --stuck               exports never get ready
          --jira-ui-only        Jira's export answers that only the UI may
          --no-confluence       the site has no Confluence
          --no-jira             the site has no Jira
          --no-administrator    the user may not export
          --verbose             a line for every request
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new AtlassianOptions { ExportSize = 16_000_000, Polls = 3 };
        var verbose = false;
        long? flipped = null;
        double? existing = null;
        var isStuck = false;
        var faults = new List<DownloadFault>();
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
                    case "--cut":
                        faults.Add(new() { CutAfter = Size(left, name) });
                        break;
                    case "--login-page":
                        faults.Add(new() { LoginPageAs = "text/html" });
                        break;
                    case "--flip":
                        flipped = Size(left, name);
                        break;
                    case "--existing":
                        existing = Number(left, name);
                        break;
                    case "--stuck":
                        isStuck = true;
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

        using var stop = new StopSignal();
        await using var server = await AtlassianServer.StartAsync(isStuck ? options with { Polls = int.MaxValue } : options);
        server.FlippedByte = flipped;
        server.AddFaults([.. faults]);
        if (existing is { } hours)
        {
            server.AddExport(ExportProduct.Confluence, TimeSpan.FromHours(hours));
            server.AddExport(ExportProduct.Jira, TimeSpan.FromHours(hours));
        }

        if (verbose)
            server.Answered = request => Console.WriteLine($"{request.Status} {request.Server} {request.Method} {request.Target.Split("token=")[0]} {request.Range}");
        Console.WriteLine($"{server.Address}  -User {options.User}, token {options.Token}, exports of {options.ExportSize} bytes");
        await stop.WaitAsync();
        return 0;
    }

    private static AtlassianOptions Apply(AtlassianOptions options, string name, Queue<string> left) => name switch
    {
        "--port" => options with { Port = (int)Number(left, name) },
        "--user" => options with { User = Value(left, name) },
        "--token" => options with { Token = Value(left, name) },
        "--export-size" => options with { ExportSize = Size(left, name) },
        "--seed" => options with { Seed = (int)Number(left, name) },
        "--pace" => options with { Pace = Size(left, name) },
        "--polls" => options with { Polls = (int)Number(left, name) },
        "--export-time" => options with { ExportTime = TimeSpan.FromSeconds(Number(left, name)) },
        "--cooldown" => options with { Cooldown = TimeSpan.FromHours(Number(left, name)) },
        "--file-name" => options with { FileName = Shape<FileNameShape>(left, name) },
        "--result" => options with { Result = Shape<ResultShape>(left, name) },
        "--jira-ui-only" => options with { JiraUiOnly = true },
        "--no-confluence" => options with { HasConfluence = false },
        "--no-jira" => options with { HasJira = false },
        "--no-administrator" => options with { IsAdministrator = false },
        _ => throw new FormatException($"{name} is not an option. See atlassian --help."),
    };

    private static double Number(Queue<string> left, string name) =>
        double.TryParse(Value(left, name), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"{name} needs a number.");

    private static T Shape<T>(Queue<string> left, string name)
        where T : struct, Enum => Enum.TryParse<T>(Value(left, name), ignoreCase: true, out var shape) ? shape : throw new FormatException($"{name} is one of {string.Join(", ", Enum.GetNames<T>())}.");

    /// <summary>A number of bytes: 1000, 64KiB, 2GB.</summary>
    private static long Size(Queue<string> left, string name)
    {
        var text = Value(left, name);
        (string Unit, long Factor)[] units = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("", 1)];
        var (unit, factor) = units.First(unit => text.EndsWith(unit.Unit, StringComparison.OrdinalIgnoreCase));
        return double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? (long)(number * factor) : throw new FormatException($"{name} needs a size, such as 2GB.");
    }
}
