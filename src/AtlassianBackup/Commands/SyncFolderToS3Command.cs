using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Sync-FolderToS3: brings a store up to date with folders.</summary>
[Cmdlet(VerbsData.Sync, "FolderToS3", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.Folders.FolderSyncResult")]
public sealed class SyncFolderToS3Command : AwsCmdlet
{
    private readonly List<string> _folders = [];
    private readonly HashSet<string> _withErrors = new(StringComparer.Ordinal);
    private readonly List<FolderSyncResult> _unexplained = [];
    private StoreLocation? _destination;
    private StoreOptions? _store;
    private bool _whatIf;

    /// <summary>The folders.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Where they go.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The storage class.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(StorageClassCompleter))]
    public string? StorageClass { get; set; }

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

    /// <summary>Bytes a second to stay below.</summary>
    [Parameter]
    [ValidateRange(1L, long.MaxValue)]
    public long MaxBandwidth { get; set; }

    /// <summary>Server-side encryption.</summary>
    [Parameter]
    [ValidateSet("AES256", "aws:kms", "aws:kms:dsse")]
    public string? ServerSideEncryption { get; set; }

    /// <summary>The KMS key for it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? KmsKeyId { get; set; }

    /// <summary>Check the store's listing instead of the cache.</summary>
    [Parameter]
    public SwitchParameter Reset { get; set; }

    /// <summary>Delete where a guard would refuse.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Checks everything that does not depend on a folder: a mistake there ends the cmdlet before anything is read.</summary>
    protected override void BeginProcessing()
    {
        _destination = ResolveStore(Destination);
        if (KmsKeyId is not null && ServerSideEncryption is null or "AES256")
        {
            ThrowMapped(
                new BackupException(FailureKind.InvalidInput, "-KmsKeyId needs -ServerSideEncryption aws:kms or aws:kms:dsse.", "Give both, or neither."),
                KmsKeyId);
        }

        try
        {
            StorageClass = StorageClass is null ? null : StorageClasses.Parse(StorageClass);
        }
        catch (BackupException e)
        {
            ThrowMapped(e, StorageClass);
        }

        _store = CreateStoreOptions() with
        {
            MaxBandwidth = MaxBandwidth > 0 ? MaxBandwidth : null,
            ServerSideEncryption = ServerSideEncryption,
            KmsKeyId = KmsKeyId,
        };
    }

    /// <summary>Collects folders: the engine has to see all of them to tell which overlap.</summary>
    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            try
            {
                var folder = ResolvePath(path);
                if (Confirm(folder, $"Sync to {_destination}", out _whatIf))
                    _folders.Add(folder);
            }
            catch (BackupException e)
            {
                WriteError(ErrorMapping.ToRecord(e, path));
            }
        }
    }

    /// <summary>Runs the engine.</summary>
    protected override void EndProcessing()
    {
        if (_folders.Count == 0)
            return;
        var options = WithLog(new FolderSyncOptions
        {
            Paths = _folders,
            Destination = _destination!,
            Store = _store!,
            StorageClass = StorageClass,
            CachePath = ResolveCachePath(),
            Include = Include,
            Exclude = Exclude,
            FollowSymlink = FollowSymlink,
            MaxDeletePercent = MaxDeletePercent,
            Force = Force,
            Reset = Reset,
            WhatIf = _whatIf,
        });
        RunAsync(token => FolderSync.RunAsync(options, CreateProgress(), token), Write, Destination);
        // Only here: a store that no folder could use is thrown behind the folder's result, and has then been the one error.
        foreach (var result in _unexplained)
            WriteError(ErrorMapping.ToRecord(result.Kind ?? FailureKind.Unknown, $"{result.Path}: {result.Reason ?? "The folder was not backed up."}", result.Advice, result.Path));
    }

    private string? ResolveCachePath()
    {
        try
        {
            return CachePath is null ? null : ResolvePath(CachePath);
        }
        catch (BackupException e)
        {
            ThrowMapped(e, CachePath);
            throw;
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
