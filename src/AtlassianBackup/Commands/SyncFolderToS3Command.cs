using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Sync-FolderToS3: brings a store up to date with folders.</summary>
[Cmdlet(VerbsData.Sync, "FolderToS3", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType("Backup.Engine.Folders.FolderSyncResult")]
public sealed class SyncFolderToS3Command : BackupCmdlet
{
    // With roots or a file the one thing that is left to name is the destination: a value without a name must never become a folder there.
    private const string PathSet = "Path";
    private const string RootSet = "Root";
    private const string ConfigSet = "ConfigFile";

    private readonly List<string> _folders = [];
    private readonly HashSet<string> _withErrors = new(StringComparer.Ordinal);
    private readonly List<FolderSyncResult> _unexplained = [];
    private StoreLocation? _destination;
    private StoreOptions? _store;
    private bool _whatIf;

    /// <summary>The folders.</summary>
    [Parameter(Position = 0, ParameterSetName = PathSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = RootSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ConfigSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Folders whose direct children are each a backup.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RootSet)]
    [Parameter(ParameterSetName = ConfigSet)]
    [ValidateNotNullOrEmpty]
    public string[]? Root { get; set; }

    /// <summary>A config.json.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ConfigSet)]
    [ValidateNotNullOrEmpty]
    public string? ConfigFile { get; set; }

    /// <summary>Where they go.</summary>
    [Parameter(Position = 1, ParameterSetName = PathSet)]
    [Parameter(Position = 0, ParameterSetName = RootSet)]
    [Parameter(Position = 0, ParameterSetName = ConfigSet)]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>What the name of each folder's own bucket begins with.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? BucketPrefix { get; set; }

    /// <summary>The directory of the caches.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CachePath { get; set; }

    /// <summary>What is taken.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Include { get; set; }

    /// <summary>What is left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Exclude { get; set; }

    /// <summary>Back up what links point at.</summary>
    [Parameter]
    public SwitchParameter FollowSymlink { get; set; }

    /// <summary>The share of files above which deletions are refused.</summary>
    [Parameter]
    [ValidateRange(0.0, 100.0)]
    public double MaxDeletePercent { get; set; } = 10;

    /// <summary>Check the store's listing instead of the cache.</summary>
    [Parameter]
    public SwitchParameter Reset { get; set; }

    /// <summary>Delete where a guard would refuse.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Checks everything that does not depend on a folder: a mistake there ends the cmdlet before anything is read.</summary>
    protected override void BeginProcessing()
    {
        _destination = Destination is null ? null : ResolveStore(Destination);
        if (Destination is not null && BucketPrefix is not null)
            ThrowMapped(new BackupException(FailureKind.InvalidInput, "Both -Destination and -BucketPrefix are given.", "Give -Destination for one place, or -BucketPrefix for a bucket a folder."), BucketPrefix);
        _store = CreateWriteOptions();
    }

    /// <summary>Collects folders: the engine has to see all of them to tell which overlap.</summary>
    protected override void ProcessRecord()
    {
        foreach (var path in Path)
            Collect(path, _folders);
    }

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        var roots = new List<string>();
        var files = new List<string>();
        foreach (var root in Root ?? [])
            Collect(root, roots, "each folder of ");
        if (ConfigFile is not null)
            Collect(ConfigFile, files, "the folders of ");
        var isAsked = MyInvocation.ExpectingInput || Path.Length > 0 || Root is not null || ConfigFile is not null;
        if (_folders.Count + roots.Count + files.Count == 0 && isAsked)
            return;

        var options = CreateLogger().With(new FolderSyncOptions
        {
            Paths = _folders,
            Roots = roots,
            Config = files.Count > 0 ? ReadOrEnd(() => SyncConfig.Read(files[0]), files[0]) : null,
            Destination = _destination,
            BucketPrefix = BucketPrefix,
            Webhook = ResolveWebhook(WebhookUri),
            Store = _store!,
            StorageClass = StorageClass,
            CachePath = ResolvePathOrEnd(CachePath),
            Include = Include,
            Exclude = Exclude,
            FollowSymlink = FollowSymlink,
            MaxDeletePercent = MaxDeletePercent,
            Force = Force,
            Reset = Reset,
            WhatIf = _whatIf,
        });
        RunAsync(token => FolderSync.RunAsync(options, CreateProgress(), token), Write, (object?)Destination ?? ConfigFile ?? BucketPrefix);
        // Only here: a store that no folder could use is thrown behind the folder's result, and has then been the one error.
        foreach (var result in _unexplained)
            WriteError(ErrorMapping.ToRecord(result.Kind ?? FailureKind.Unknown, $"{result.Path}: {result.Reason ?? "The folder was not backed up."}", result.Advice, result.Path));
    }

    /// <summary>Takes a path that is on a file system, once the user agrees.</summary>
    private void Collect(string path, List<string> into, string what = "")
    {
        try
        {
            if (path.StartsWith("s3:", StringComparison.OrdinalIgnoreCase))
                throw new BackupException(FailureKind.InvalidInput, $"'{path}' is a store, not a folder.", "Give it as -Destination.");
            var resolved = ResolvePath(path);
            if (Confirm(what + resolved, _destination is null ? "Sync" : $"Sync to {_destination}", out _whatIf))
                into.Add(resolved);
        }
        catch (BackupException e)
        {
            WriteError(ErrorMapping.ToRecord(e, path));
        }
    }

    private void Write(FolderSyncOutput output)
    {
        switch (output)
        {
            case FileFailure failure:
                _withErrors.Add(failure.Path);
                WriteError(ErrorMapping.ToRecord(failure.Kind, failure.Message, failure.Advice, failure.Item == failure.Path ? failure.Path : System.IO.Path.Join(failure.Path, failure.Item)));
                break;
            case FolderSyncResult result:
                WriteObject(result);
                // A failed run is an error even where no single file is to blame for it.
                if (result.Outcome is Outcome.Failed && !_withErrors.Contains(result.Path))
                    _unexplained.Add(result);
                break;
        }
    }
}
