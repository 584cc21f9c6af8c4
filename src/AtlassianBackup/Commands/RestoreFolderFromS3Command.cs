using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Restore-FolderFromS3: gives folders back.</summary>
[Cmdlet(VerbsData.Restore, "FolderFromS3", SupportsShouldProcess = true, DefaultParameterSetName = AtSet)]
[OutputType("Backup.Engine.Runs.RestoreSummary")]
public sealed class RestoreFolderFromS3Command : RestoreCmdlet
{
    private const string AtSet = "At";
    private const string RunIdSet = "RunId";
    private const string RunSet = "Run";

    private readonly List<string> _folders = [];
    private readonly List<BackupRun> _runs = [];

    /// <summary>The folders as they were backed up.</summary>
    [Parameter(Position = 0, ParameterSetName = AtSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = RunIdSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Path { get; set; }

    /// <summary>The store that holds the backup.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = AtSet)]
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = RunIdSet)]
    [ValidateNotNullOrEmpty]
    public string From { get; set; } = "";

    /// <summary>The directory to restore into.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>Restore as it was at this time.</summary>
    [Parameter(ParameterSetName = AtSet)]
    public DateTimeOffset? At { get; set; }

    /// <summary>Restore this run.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RunIdSet)]
    [ValidateNotNullOrEmpty]
    public string? RunId { get; set; }

    /// <summary>Runs as Get-BackupRun lists them.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RunSet, ValueFromPipeline = true)]
    [ValidateNotNull]
    public PSObject[] Run { get; set; } = [];

    /// <summary>How fast archived objects are wanted.</summary>
    [Parameter]
    [ValidateSet("Bulk", "Standard")]
    public string Tier { get; set; } = "Bulk";

    /// <summary>How many days restored copies stay.</summary>
    [Parameter]
    [ValidateRange(1, 365)]
    public int Days { get; set; } = 7;

    /// <summary>Wait until archived objects are readable.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>How long to wait.</summary>
    [Parameter]
    [SpanTransformation]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromDays(3);

    /// <summary>Go on where an interrupted restore ended.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Collects the folders, or the runs.</summary>
    protected override void ProcessRecord()
    {
        if (Path is not null)
            _folders.AddRange(Path.Select(Absolute));
        foreach (var item in Run)
        {
            if (item.BaseObject is BackupRun run)
                _runs.Add(run);
            else
                WriteError(ErrorMapping.ToRecord(FailureKind.InvalidInput, $"'{item}' is not a run.", "Pipe what Get-BackupRun lists; a folder's path needs -From.", item));
        }
    }

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        var destination = ResolvePathOrEnd(Destination);
        if (ParameterSetName != RunSet)
        {
            Restore(ResolveStore(From), _folders.Count > 0 ? string.Join(", ", _folders) : "every folder", destination, RunId);
            return;
        }

        foreach (var run in _runs)
        {
            if (run.System != "folders")
                WriteError(ErrorMapping.ToRecord(FailureKind.InvalidInput, $"Run {run.RunId} is not of a folder, but of {run.System}: {run.SourceName}.", "Restore it with Restore-BackupRun.", run));
            else
                Restore(ResolveStore(run.Destination), $"run {run.RunId} of {run.SourceName}", TargetOf(run, destination), run.RunId);
        }
    }

    private string? TargetOf(BackupRun run, string? destination)
    {
        if (destination is null || _runs.Count == 1)
            return destination;
        // Runs of one folder differ by their id, folders by their name.
        return System.IO.Path.Combine(destination, _runs.DistinctBy(other => other.SourceName, StringComparer.Ordinal).Count() == _runs.Count ? FolderRestore.NameOf(run.SourceName, _runs.ConvertAll(other => other.SourceName)) : run.RunId);
    }

    private void Restore(StoreLocation from, string what, string? destination, string? runId)
    {
        if (!Confirm($"{what} from {from}", $"Restore to {destination ?? "the original place"}", out var whatIf))
            return;
        var options = CreateLogger().With(new FolderRestoreOptions
        {
            From = from,
            Store = CreateStoreOptions(),
            Paths = _folders.Count > 0 ? _folders : null,
            Destination = destination,
            RunId = runId,
            At = At,
            Include = Include,
            Tier = Enum.Parse<RestoreTier>(Tier, ignoreCase: true),
            Days = Days,
            Wait = Wait,
            Timeout = Timeout,
            Resume = Resume,
            Force = Force,
            WhatIf = whatIf,
        });
        RunRestore(token => FolderRestore.RunAsync(options, CreateProgress(), token), From.Length > 0 ? From : from.ToString());
    }

    // Names of another machine stay as they are; ./docs means the folder here, as it was when it was backed up.
    private string Absolute(string path)
    {
        var absolute = path is ['/' or '\\' or '*', ..] or [_, ':', ..] ? path : SessionState.Path.Combine(SessionState.Path.CurrentFileSystemLocation.ProviderPath, path.StartsWith("./", StringComparison.Ordinal) || path.StartsWith(".\\", StringComparison.Ordinal) ? path[2..] : path);
        // Tab leaves a separator at the end; as the sync did, so that the names are the same.
        return System.IO.Path.IsPathFullyQualified(absolute) ? System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(absolute)) : absolute;
    }
}
