using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Reports;

namespace AtlassianBackup.Commands;

/// <summary>Test-BackupFreshness: tells whether every source has a good run within its interval.</summary>
[Cmdlet(VerbsDiagnostic.Test, "BackupFreshness", SupportsShouldProcess = true, DefaultParameterSetName = BoolSet)]
[OutputType(typeof(bool), ParameterSetName = [BoolSet])]
[OutputType("Backup.Engine.Reports.SourceFreshness", ParameterSetName = [DetailedSet])]
[OutputType(typeof(string), ParameterSetName = [MetricsSet])]
public sealed class TestBackupFreshnessCommand : ReportCmdlet
{
    private const string BoolSet = "Bool";
    private const string DetailedSet = "Detailed";
    private const string MetricsSet = "EmbeddedMetrics";

    /// <summary>Give a report a source instead of a bool.</summary>
    [Parameter(Mandatory = true, ParameterSetName = DetailedSet)]
    public SwitchParameter Detailed { get; set; }

    /// <summary>Give lines of the CloudWatch embedded metric format instead of a bool.</summary>
    [Parameter(Mandatory = true, ParameterSetName = MetricsSet)]
    public SwitchParameter EmbeddedMetrics { get; set; }

    /// <summary>A file for Prometheus.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? PrometheusPath { get; set; }

    /// <summary>Judges.</summary>
    protected override void EndProcessing()
    {
        // Nothing that came down the pipeline is nothing to be sure of.
        if (Destinations.Count == 0)
        {
            if (ParameterSetName == BoolSet)
                WriteObject(false);
            return;
        }

        var file = PrometheusPath is null ? null : ResolveFile(PrometheusPath);
        var (now, reports) = ReadDestinations(options => options);
        // Before any error: with -ErrorAction Stop the first one is the last that happens.
        if (file is not null && ShouldProcess(file, "Write metrics"))
            RunAsync(token => ReportFile.WriteAsync(file, (stream, stop) => PrometheusMetrics.WriteAsync(stream, now, reports, stop), token), file);
        switch (ParameterSetName)
        {
            case DetailedSet:
                foreach (var source in reports.SelectMany(report => report.Sources))
                    WriteObject(source.WithoutHistory());
                break;
            case MetricsSet:
                foreach (var line in reports.SelectMany(report => Backup.Engine.Reports.EmbeddedMetrics.Lines(now, report)))
                    WriteObject(line);
                break;
            default:
                WriteObject(reports.All(report => report.Failure is null && report.Sources.All(source => source.IsFresh)));
                break;
        }

        WriteUnreadable(reports);
        foreach (var source in reports.SelectMany(report => report.Sources))
            Tell(source);
    }

    private void Tell(SourceReport source)
    {
        var name = $"{source.SourceName} in {source.Destination}";
        if (!source.IsFresh)
        {
            WriteError(ErrorMapping.ToRecord(
                FailureKind.Stale,
                $"{name} is not backed up as it should be. {source.Reason}",
                "See whether its schedule runs, and what it says: Get-BackupRun lists its runs, failed ones with the reason.",
                source.SourceName));
        }
        else if (source.State is SourceState.Failing)
        {
            WriteWarning($"{name} is fresh, but not for long. {source.Reason}");
        }
    }
}
