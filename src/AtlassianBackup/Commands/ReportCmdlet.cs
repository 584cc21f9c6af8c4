using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Reports;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>What the cmdlets that judge whole destinations have in common: which, which sources, and how often those should run.</summary>
public abstract class ReportCmdlet : AwsCmdlet
{
    private readonly List<StoreLocation> _order = [];
    private readonly Dictionary<string, HashSet<string>> _sources = new(StringComparer.Ordinal);
    // Named once without sources, a destination is meant whole.
    private readonly HashSet<string> _whole = new(StringComparer.Ordinal);

    /// <summary>The stores.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Destination { get; set; } = [];

    /// <summary>Only these sources, each of which has to be there.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("SourceName")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Source { get; set; }

    /// <summary>How old the newest good run may be.</summary>
    [Parameter]
    [ValidateNotNull]
    [BackupIntervalTransformation]
    public BackupInterval? Interval { get; set; }

    /// <summary>How long ago a verification may be.</summary>
    [Parameter]
    [SpanTransformation]
    public TimeSpan? MaxVerificationAge { get; set; }

    /// <summary>Collects: what is judged is judged together.</summary>
    protected override void ProcessRecord()
    {
        foreach (var text in Destination)
        {
            var location = ResolveStore(text);
            var name = location.ToString();
            if (!_sources.TryGetValue(name, out var sources))
            {
                _sources[name] = sources = new(StringComparer.Ordinal);
                _order.Add(location);
            }

            if (Source is null)
                _whole.Add(name);
            else
                sources.UnionWith(Source);
        }
    }

    /// <summary>What was asked for.</summary>
    protected IReadOnlyList<string> Destinations => [.. _order.Select(location => location.ToString())];

    /// <summary>Reads the destinations. Each failure of one is told, and the others are read.</summary>
    private protected (DateTimeOffset Now, IReadOnlyList<DestinationReport> Reports) ReadDestinations(Func<ReportOptions, ReportOptions> also)
    {
        var store = CreateStoreOptions();
        var options = also(new()
        {
            Destinations = [.. _order.Select(location => new ReportDestination(location, _whole.Contains(location.ToString()) ? [] : [.. _sources[location.ToString()].Select(text => new SourcePattern(text))]))],
            Interval = Interval?.Common ?? TimeSpan.FromDays(1),
            Intervals = [.. (Interval?.ByPattern ?? []).Select(pair => new ExpectedInterval(new(pair.Key), pair.Value))],
            MaxVerificationAge = MaxVerificationAge,
            Store = store,
        });
        var now = store.Time.GetUtcNow();
        var reports = new List<DestinationReport>();
        RunAsync(token => BackupReports.RunAsync(options, CreateProgress(), token), reports.Add, string.Join(", ", Destinations));
        return (now, reports);
    }

    /// <summary>Tells of destinations that could not be read: nothing is known of what they hold.</summary>
    private protected void WriteUnreadable(IEnumerable<DestinationReport> reports)
    {
        foreach (var report in reports.Where(report => report.Failure is not null))
            WriteError(ErrorMapping.ToRecord(report.Kind ?? FailureKind.Unknown, report.Failure!, report.Advice, report.Destination));
    }

    /// <summary>A file to write; a bad one ends the cmdlet before anything is read.</summary>
    private protected string ResolveFile(string path) => ReadOrEnd(
        () => path.StartsWith("s3:", StringComparison.OrdinalIgnoreCase)
            ? throw new BackupException(FailureKind.InvalidInput, $"'{path}' is not a file.", "Write it to a local file, and copy that.")
            : ResolvePath(path),
        path);
}
