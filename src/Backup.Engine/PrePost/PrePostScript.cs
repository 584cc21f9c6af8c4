namespace Backup.Engine.PrePost;

/// <summary>
/// A script that runs on an instance: commands as text, an object of S3 with a command line, or an SSM document. Exactly one of the three.
/// It is kept in the run's journal, so that the run can be resumed from any machine: a secret in it would be too.
/// </summary>
public sealed record PrePostScript
{
    private const string DocumentPrefix = "document:";

    /// <summary>Commands as text: for bash on Linux and macOS, for PowerShell on Windows.</summary>
    public string? Commands { get; init; }

    /// <summary>An object of S3: <c>https://bucket.s3.amazonaws.com/key</c> or <c>s3://bucket/key</c>. The instance's own role fetches it.</summary>
    public string? SourceS3Path { get; init; }

    /// <summary>With <see cref="SourceS3Path"/>: what is run, beside the downloaded file; null for the file itself.</summary>
    public string? CommandToRun { get; init; }

    /// <summary>The name or ARN of an SSM document of type Command.</summary>
    public string? Document { get; init; }

    /// <summary>The document's version; null for its default.</summary>
    public string? DocumentVersion { get; init; }

    /// <summary>The document's parameters.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Parameters { get; init; }

    /// <summary>Where it runs; null or empty for the agent's own folder.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>How long it may wait to be delivered; null for the run's own.</summary>
    public int? DeliverySeconds { get; init; }

    /// <summary>The bucket that SSM writes the whole output to, or null.</summary>
    public string? OutputS3BucketName { get; init; }

    /// <summary>The output's prefix in that bucket, or null.</summary>
    public string? OutputS3KeyPrefix { get; init; }

    /// <summary>Reads what a text means: <c>document:NAME</c>, the address of an object in S3 with its command line, or commands.</summary>
    public static PrePostScript Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var isOneLine = !text.Contains('\n', StringComparison.Ordinal);
        if (isOneLine && text.StartsWith(DocumentPrefix, StringComparison.OrdinalIgnoreCase))
            return new() { Document = text[DocumentPrefix.Length..].Trim() };
        if (!isOneLine || !(text.StartsWith("s3://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase)))
            return new() { Commands = text };
        var parts = text.Split([' ', '\t'], 2);
        return new() { SourceS3Path = parts[0], CommandToRun = parts.Length > 1 ? parts[1].Trim() : null };
    }
}

/// <summary>What a script's failure means for its instance.</summary>
public enum ScriptErrorAction
{
    /// <summary>The instance fails: it is not stopped and not backed up.</summary>
    Fail,

    /// <summary>The backup is taken all the same, and the result has a warning: it is as consistent as after a power cut.</summary>
    Continue,

    /// <summary>The instance is left out, and that is no failure of the run.</summary>
    SkipInstance,
}

/// <summary>When a stopped instance is started again.</summary>
public enum ResumePoint
{
    /// <summary>When the backup job has completed.</summary>
    Completed,

    /// <summary>When the recovery point exists: snapshots are of the moment in which they were begun.</summary>
    RecoveryPointCreated,
}

/// <summary>How long a recovery point is kept, in days.</summary>
public sealed record RecoveryPointLifecycle
{
    /// <summary>Days until it moves to cold storage, or null.</summary>
    public int? MoveToColdStorageAfterDays { get; init; }

    /// <summary>Days until it is deleted, or null for never. At least 90 more than until the move.</summary>
    public int? DeleteAfterDays { get; init; }
}
