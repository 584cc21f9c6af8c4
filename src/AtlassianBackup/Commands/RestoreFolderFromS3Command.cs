using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Restore-FolderFromS3: gives folders back.</summary>
[Cmdlet(VerbsData.Restore, "FolderFromS3", SupportsShouldProcess = true, DefaultParameterSetName = "At")]
[OutputType("Backup.Engine.Runs.RestoreSummary")]
public sealed class RestoreFolderFromS3Command : RestoreCmdlet
{
    private readonly List<string> _folders = [];

    /// <summary>The folders as they were backed up.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Path { get; set; }

    /// <summary>The store that holds the backup.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string From { get; set; } = "";

    /// <summary>The directory to restore into.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>Restore as it was at this time.</summary>
    [Parameter(ParameterSetName = "At")]
    public DateTimeOffset? At { get; set; }

    /// <summary>Restore this run.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "RunId")]
    [ValidateNotNullOrEmpty]
    public string? RunId { get; set; }

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

    /// <summary>Go on where an interrupted restore ended.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Collects the folders.</summary>
    protected override void ProcessRecord()
    {
        if (Path is not null)
            _folders.AddRange(Path.Select(Absolute));
    }

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        var from = ResolveStore(From);
        var destination = ResolveTarget(Destination);
        var what = _folders.Count > 0 ? string.Join(", ", _folders) : "every folder";
        if (!Confirm($"{what} from {from}", $"Restore to {destination ?? "the original place"}", out var whatIf))
            return;
        var options = CreateLogger().With(new FolderRestoreOptions
        {
            From = from,
            Store = CreateStoreOptions(),
            Paths = _folders.Count > 0 ? _folders : null,
            Destination = destination,
            RunId = RunId,
            At = At,
            Include = Include,
            Tier = Enum.Parse<RestoreTier>(Tier, ignoreCase: true),
            Days = Days,
            Wait = Wait,
            Resume = Resume,
            Force = Force,
            WhatIf = whatIf,
        });
        RunRestore(token => FolderRestore.RunAsync(options, CreateProgress(), token), From);
    }

    // Names of another machine stay as they are; ./docs means the folder here, as it was when it was backed up.
    private string Absolute(string path)
    {
        var absolute = path is ['/' or '\\' or '*', ..] or [_, ':', ..] ? path : SessionState.Path.Combine(SessionState.Path.CurrentFileSystemLocation.ProviderPath, path.StartsWith("./", StringComparison.Ordinal) || path.StartsWith(".\\", StringComparison.Ordinal) ? path[2..] : path);
        // Tab leaves a separator at the end; as the sync did, so that the names are the same.
        return System.IO.Path.IsPathFullyQualified(absolute) ? System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(absolute)) : absolute;
    }
}
