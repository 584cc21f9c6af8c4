using System.Collections;
using System.Management.Automation;
using System.Text.Json;
using Backup.Engine;
using Backup.Engine.PrePost;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>Start-PrePostBackup: backs EC2 instances up, with scripts before and after.</summary>
[Cmdlet(VerbsLifecycle.Start, "PrePostBackup", SupportsShouldProcess = true, DefaultParameterSetName = ObjectSet)]
[OutputType("Backup.Engine.PrePost.PrePostBackupResult")]
public sealed class StartPrePostBackupCommand : PrePostCmdlet
{
    private const string InstanceSet = "Instance";
    private const string TagSet = "Tag";
    private const string ObjectSet = "InputObject";
    private const string FileSet = "InputFile";

    private readonly List<string> _instances = [];
    private StoreLocation? _destination;
    private StoreOptions? _store;

    /// <summary>The instances.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = InstanceSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] InstanceId { get; set; } = [];

    /// <summary>The tag of the instances.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TagSet)]
    [ValidateNotNullOrEmpty]
    public string? TagKey { get; set; }

    /// <summary>The tag's value.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TagSet)]
    [AllowEmptyString]
    public string? TagValue { get; set; }

    /// <summary>The input document of AWS's sample.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ObjectSet, ValueFromPipeline = true)]
    [ValidateNotNull]
    public object? InputObject { get; set; }

    /// <summary>A file that holds one.</summary>
    [Parameter(Mandatory = true, ParameterSetName = FileSet)]
    [ValidateNotNullOrEmpty]
    public string? InputFile { get; set; }

    /// <summary>Where the run is kept.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The backup vault.</summary>
    [Parameter(Mandatory = true, ParameterSetName = InstanceSet)]
    [Parameter(Mandatory = true, ParameterSetName = TagSet)]
    [ValidateNotNullOrEmpty]
    public string? BackupVaultName { get; set; }

    /// <summary>The role that AWS Backup takes.</summary>
    [Parameter(Mandatory = true, ParameterSetName = InstanceSet)]
    [Parameter(Mandatory = true, ParameterSetName = TagSet)]
    [ValidateNotNullOrEmpty]
    public string? IamRoleArn { get; set; }

    /// <summary>The script before.</summary>
    [Parameter(ParameterSetName = InstanceSet)]
    [Parameter(ParameterSetName = TagSet)]
    [ValidateNotNull]
    [ScriptTransformation]
    public BackupScript? PreScript { get; set; }

    /// <summary>The script after.</summary>
    [Parameter(ParameterSetName = InstanceSet)]
    [Parameter(ParameterSetName = TagSet)]
    [ValidateNotNull]
    [ScriptTransformation]
    public BackupScript? PostScript { get; set; }

    /// <summary>The script for failures.</summary>
    [Parameter]
    [ValidateNotNull]
    [ScriptTransformation]
    public BackupScript? OnFailureScript { get; set; }

    /// <summary>The script that runs last.</summary>
    [Parameter]
    [ValidateNotNull]
    [ScriptTransformation]
    public BackupScript? FinallyScript { get; set; }

    /// <summary>Stop the instances for the backup.</summary>
    [Parameter(ParameterSetName = InstanceSet)]
    [Parameter(ParameterSetName = TagSet)]
    public SwitchParameter StopInstance { get; set; }

    /// <summary>How long recovery points are kept.</summary>
    [Parameter]
    [ValidateNotNull]
    public BackupLifecycle? Lifecycle { get; set; }

    /// <summary>The recovery points' tags.</summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable? RecoveryPointTag { get; set; }

    /// <summary>Volume shadow copies on Windows.</summary>
    [Parameter]
    public SwitchParameter WindowsVss { get; set; }

    /// <summary>How long a script may run.</summary>
    [Parameter]
    [SecondsTransformation]
    public TimeSpan ExecutionTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a script may wait to be delivered.</summary>
    [Parameter]
    [SecondsTransformation]
    public TimeSpan DeliveryTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a backup may take.</summary>
    [Parameter]
    [SecondsTransformation]
    public TimeSpan BackupTimeout { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How often a failed script is run again.</summary>
    [Parameter]
    [ValidateRange(0, 10)]
    public int Retry { get; set; }

    /// <summary>What a script's failure means.</summary>
    [Parameter]
    [ValidateSet("Fail", "Continue", "SkipInstance")]
    public string OnScriptError { get; set; } = "Fail";

    /// <summary>When a stopped instance is started again.</summary>
    [Parameter]
    [ValidateSet("Completed", "RecoveryPointCreated")]
    public string ResumeWhen { get; set; } = "Completed";

    /// <summary>How many instances are worked on side by side.</summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    public int Throttle { get; set; } = 50;

    /// <summary>Go on where a gate leaves the choice.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Checks what does not depend on an instance.</summary>
    protected override void BeginProcessing()
    {
        _destination = ResolveStore(Destination);
        _store = CreateStoreOptions();
    }

    /// <summary>Collects instances, which are one run; a document is a run of its own.</summary>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case InstanceSet:
                _instances.AddRange(InstanceId);
                break;
            case ObjectSet:
                RunDocument(ReadObject());
                break;
            case FileSet:
                RunDocument(ReadFile());
                break;
        }
    }

    /// <summary>Runs.</summary>
    protected override void EndProcessing()
    {
        if (ParameterSetName is InstanceSet && _instances.Count > 0)
            Run(CreateOptions() with { InstanceIds = _instances }, string.Join(", ", _instances.Distinct(StringComparer.Ordinal)));
        else if (ParameterSetName is TagSet)
            Run(CreateOptions() with { TagKey = TagKey, TagValue = TagValue }, $"{TagKey}={TagValue}");
    }

    private PrePostOptions CreateOptions() => CreateLogger().With(new PrePostOptions
    {
        Destination = _destination!,
        Store = _store!,
        Aws = CreateServiceOptions(),
        BackupVaultName = BackupVaultName ?? "",
        IamRoleArn = IamRoleArn ?? "",
        PreScript = Engine(PreScript),
        PostScript = Engine(PostScript),
        OnFailureScript = Engine(OnFailureScript),
        FinallyScript = Engine(FinallyScript),
        StopInstance = StopInstance,
        Lifecycle = Lifecycle is null ? null : new() { MoveToColdStorageAfterDays = Lifecycle.MoveToColdStorageAfterDays, DeleteAfterDays = Lifecycle.DeleteAfterDays },
        RecoveryPointTags = RecoveryPointTag?.Cast<DictionaryEntry>().ToDictionary(pair => $"{pair.Key}", pair => $"{pair.Value}", StringComparer.Ordinal),
        WindowsVss = WindowsVss,
        ExecutionTimeout = ExecutionTimeout,
        DeliveryTimeout = DeliveryTimeout,
        BackupTimeout = BackupTimeout,
        Retry = Retry,
        OnScriptError = Enum.Parse<ScriptErrorAction>(OnScriptError, ignoreCase: true),
        ResumeWhen = Enum.Parse<ResumePoint>(ResumeWhen, ignoreCase: true),
        Throttle = Throttle,
        Force = Force,
        Webhook = ResolveWebhook(WebhookUri),
    });

    private static PrePostScript? Engine(BackupScript? script) => (PrePostScript?)script?.ToEngine();

    private void RunDocument((string Json, object Target) document)
    {
        var options = ReadOrEnd(() => PrePostDocument.Apply(document.Json, CreateOptions()), document.Target);
        Run(options, options.TagKey is null ? string.Join(", ", options.InstanceIds.Distinct(StringComparer.Ordinal)) : $"{options.TagKey}={options.TagValue}");
    }

    private (string Json, object Target) ReadObject()
    {
        try
        {
            return (JsonText.Of(InputObject!), InputObject!);
        }
        catch (Exception e) when (e is JsonException or GetValueException)
        {
            ThrowMapped(new BackupException(FailureKind.InvalidInput, $"-InputObject is no input document: {e.Message}", "Give the document as JSON, or as what ConvertFrom-Json makes of it.", e), InputObject);
            throw;
        }
    }

    private (string Json, object Target) ReadFile()
    {
        try
        {
            var path = ResolvePath(InputFile!);
            if (Directory.Exists(path))
                throw new BackupException(FailureKind.InvalidInput, $"'{path}' is a directory.", "Name the file that holds the document.");
            return (File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is BackupException or IOException or UnauthorizedAccessException)
        {
            ThrowMapped(e, InputFile);
            throw;
        }
    }

    private void Run(PrePostOptions options, string target)
    {
        if (!Confirm(target, options.StopInstance ? "Stop, back up and start" : "Back up", out var whatIf))
            return;
        RunInstances(token => PrePostBackup.RunAsync(options with { WhatIf = whatIf }, CreateProgress(), token), target);
    }
}
