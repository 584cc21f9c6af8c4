using System.Collections;
using Backup.Engine;
using Backup.Engine.PrePost;

namespace AtlassianBackup;

/// <summary>
/// A script as a parameter takes it: text, the address of an object in S3 with its command line, <c>document:NAME</c>, or a hashtable of the
/// properties below.
/// </summary>
public sealed class BackupScript
{
    /// <summary>Creates an empty one, for PowerShell to fill from a hashtable.</summary>
    public BackupScript()
    {
    }

    /// <summary>Reads what a string means.</summary>
    public BackupScript(string text)
    {
        var script = PrePostScript.Parse(text);
        (Commands, SourceS3Path, CommandToRun, Document) = (script.Commands, script.SourceS3Path, script.CommandToRun, script.Document);
    }

    /// <summary>Commands as text.</summary>
    public string? Commands { get; set; }

    /// <summary>The address of an object in S3.</summary>
    public string? SourceS3Path { get; set; }

    /// <summary>The command line that runs it.</summary>
    public string? CommandToRun { get; set; }

    /// <summary>An SSM document.</summary>
    public string? Document { get; set; }

    /// <summary>Its version.</summary>
    public string? DocumentVersion { get; set; }

    /// <summary>Its parameters.</summary>
    public Hashtable? Parameters { get; set; }

    /// <summary>Where it runs.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>How many seconds it may wait to be delivered.</summary>
    public int? TimeoutInSeconds { get; set; }

    /// <summary>The bucket for its whole output.</summary>
    public string? OutputS3BucketName { get; set; }

    /// <summary>The prefix of its output.</summary>
    public string? OutputS3KeyPrefix { get; set; }

    /// <summary>What it runs, in a word.</summary>
    public override string ToString() => Document is not null ? $"document:{Document}" : SourceS3Path ?? Commands ?? "";

    internal object ToEngine() => new PrePostScript
    {
        Commands = Commands,
        SourceS3Path = SourceS3Path,
        CommandToRun = CommandToRun,
        Document = Document,
        DocumentVersion = DocumentVersion,
        Parameters = Parameters?.Cast<DictionaryEntry>().ToDictionary(pair => $"{pair.Key}", pair => Values(pair.Value), StringComparer.Ordinal),
        WorkingDirectory = WorkingDirectory,
        DeliverySeconds = TimeoutInSeconds,
        OutputS3BucketName = OutputS3BucketName,
        OutputS3KeyPrefix = OutputS3KeyPrefix,
    };

    private static IReadOnlyList<string> Values(object? value) => value is IEnumerable many and not string ? [.. many.Cast<object?>().Select(one => $"{one}")] : [$"{value}"];
}

/// <summary>How long recovery points are kept, as a parameter takes it: a hashtable of the properties below.</summary>
public sealed class BackupLifecycle
{
    /// <summary>Days until it moves to cold storage.</summary>
    public int? MoveToColdStorageAfterDays { get; set; }

    /// <summary>Days until it is deleted.</summary>
    public int? DeleteAfterDays { get; set; }
}
