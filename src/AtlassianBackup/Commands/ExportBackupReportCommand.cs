using System.Management.Automation;
using Backup.Engine.Reports;

namespace AtlassianBackup.Commands;

/// <summary>Export-BackupReport: writes a page, or JSON, on what destinations hold.</summary>
[Cmdlet(VerbsData.Export, "BackupReport", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportBackupReportCommand : ReportCmdlet
{
    /// <summary>The file.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>Write JSON instead of a page.</summary>
    [Parameter]
    public SwitchParameter AsJson { get; set; }

    /// <summary>How many runs of each source are told.</summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    public int MaxRuns { get; set; } = 90;

    /// <summary>Do not list the stored objects to add up their cost.</summary>
    [Parameter]
    public SwitchParameter SkipCost { get; set; }

    /// <summary>Writes.</summary>
    protected override void EndProcessing()
    {
        if (Destinations.Count == 0)
            return;
        var file = ResolveFile(Path);
        if (!ShouldProcess(file, $"Write a report of {string.Join(", ", Destinations)}"))
            return;
        var (now, reports) = ReadDestinations(options => options with { History = true, MaxRuns = MaxRuns, Costs = !SkipCost });
        var report = new BackupReport { Generated = now, Destinations = reports };
        RunAsync(
            token => ReportFile.WriteAsync(file, (stream, stop) => AsJson ? JsonReport.WriteAsync(stream, report, stop) : HtmlReport.WriteAsync(stream, report, stop), token),
            file);
        WriteObject(new FileInfo(file));
        // The page says so too; but nobody has to read it to find out.
        WriteUnreadable(reports);
    }
}
