using System.CommandLine;
using Backup.Engine.Runs;

namespace Backup.Host.Commands;

/// <summary>The options that say which runs of a store are meant.</summary>
internal sealed class RunArguments
{
    private readonly Option<string[]> _run = new("--run") { Description = "Run ids." };
    private readonly Option<string?> _system = new("--system") { Description = "Only runs of this system." };
    private readonly Option<string?> _source = new("--source") { Description = "Only runs of this source: a folder, site, account or repository; wildcards allowed." };
    private readonly Option<DateTimeOffset?> _since = new("--since") { Description = "Finished at this time or later." };
    private readonly Option<DateTimeOffset?> _until = new("--until") { Description = "Finished at this time or earlier." };

    public RunArguments() => _system.AcceptOnlyFromAmong("folders", "confluence", "jira", "github", "maven", "ec2");

    /// <summary>Adds them to a command.</summary>
    public RunArguments AddTo(Command command)
    {
        foreach (var option in new Option[] { _run, _system, _source, _since, _until })
            command.Add(option);
        return this;
    }

    /// <summary>What was asked for.</summary>
    public RunQuery Of(ParseResult parsed) => new()
    {
        RunIds = StoreArguments.Given(parsed, _run),
        System = parsed.GetValue(_system),
        SourceName = parsed.GetValue(_source),
        Since = parsed.GetValue(_since),
        Until = parsed.GetValue(_until),
    };
}
