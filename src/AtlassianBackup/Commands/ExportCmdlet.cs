using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Atlassian;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>What the cmdlets that store Atlassian exports have in common: where they go, how long they stay, and how it is told what became of them.</summary>
public abstract class ExportCmdlet : BackupCmdlet
{
    // A bare number is ticks in PowerShell: who writes -Timeout 60 does not mean six microseconds.
    private readonly List<string> _runs = [];

    /// <summary>Where the exports go.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Which runs are kept.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Keep { get; set; }

    /// <summary>Give the stored runs instead of the summaries.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Where the exports go, resolved.</summary>
    private protected StoreLocation Location { get; private set; } = null!;

    /// <summary>How the store is opened and written.</summary>
    private protected StoreOptions StoreOptions { get; private set; } = null!;

    /// <summary>Which runs are kept, read.</summary>
    private protected Retention? Retention { get; private set; }

    /// <summary>Checks everything that does not depend on a site: a mistake there ends the cmdlet before anything is asked.</summary>
    protected override void BeginProcessing()
    {
        Location = ResolveStore(Destination);
        StoreOptions = CreateWriteOptions();
        Retention = Keep is null ? null : ReadOrEnd(() => Retention.Parse(Keep), Keep);
    }

    /// <summary>Reads a site; null where it is none, which is one error.</summary>
    private protected AtlassianSite? ReadSite(string text)
    {
        try
        {
            return AtlassianSite.Parse(text);
        }
        catch (BackupException e)
        {
            // What is not a site is not made the error's target where it may hold a password.
            WriteError(ErrorMapping.ToRecord(e, text.Contains('@', StringComparison.Ordinal) ? "(site)" : text));
            return null;
        }
    }

    /// <summary>Runs an engine and tells each result.</summary>
    private protected void RunExports(Func<CancellationToken, IAsyncEnumerable<ExportResult>> source)
    {
        RunAsync(source, Write, Destination);
        if (!PassThru || _runs.Count == 0)
            return;
        var query = new RunQuery { RunIds = _runs };
        RunAsync(token => RunQueries.RunAsync(Location, query, StoreOptions, token), base.WriteObject, Destination);
    }

    private void Write(ExportResult result)
    {
        if (PassThru && result.RunId is { } run && result.Outcome != Outcome.Failed)
            _runs.Add(run);
        else if (!PassThru)
            WriteObject(result);
        if (result.Outcome == Outcome.Deferred)
            WriteWarning($"{result.Reason} {result.Advice}");
        if (result.Outcome == Outcome.Failed)
            WriteError(ErrorMapping.ToRecord(result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.Product} of {result.Site} was not backed up.", result.Advice, result.Site));
    }
}
