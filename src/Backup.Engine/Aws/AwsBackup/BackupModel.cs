using System.Text.Json.Serialization;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.AwsBackup;

// Names and members are those of the AWS SDK (model of 2018-11-15): https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Reference.html.

internal sealed record StartBackupJobRequest
{
    public required string BackupVaultName { get; init; }

    public required string ResourceArn { get; init; }

    public required string IamRoleArn { get; init; }

    /// <summary>The same token starts the same job once.</summary>
    public string? IdempotencyToken { get; init; }

    /// <summary>60 or more; 480 where it is not given.</summary>
    public long? StartWindowMinutes { get; init; }

    public long? CompleteWindowMinutes { get; init; }

    public Lifecycle? Lifecycle { get; init; }

    public IReadOnlyDictionary<string, string>? RecoveryPointTags { get; init; }

    /// <summary><c>WindowsVSS</c>: <c>enabled</c>.</summary>
    public IReadOnlyDictionary<string, string>? BackupOptions { get; init; }
}

internal sealed record Lifecycle
{
    public long? MoveToColdStorageAfterDays { get; init; }

    /// <summary>At least 90 days after the move to cold storage.</summary>
    public long? DeleteAfterDays { get; init; }

    public bool? OptInToArchiveForSupportedResources { get; init; }
}

internal sealed record StartBackupJobResponse
{
    public string? BackupJobId { get; init; }

    /// <summary>Known at once for EFS and advanced DynamoDB only.</summary>
    public string? RecoveryPointArn { get; init; }

    public DateTimeOffset? CreationDate { get; init; }

    public bool? IsParent { get; init; }
}

/// <summary>A job, as DescribeBackupJob and ListBackupJobs describe it.</summary>
internal sealed record BackupJob
{
    public string? AccountId { get; init; }

    public string? BackupJobId { get; init; }

    public string? BackupVaultName { get; init; }

    public string? BackupVaultArn { get; init; }

    public string? RecoveryPointArn { get; init; }

    public string? ResourceArn { get; init; }

    public string? ResourceName { get; init; }

    public string? ResourceType { get; init; }

    public DateTimeOffset? CreationDate { get; init; }

    public DateTimeOffset? InitiationDate { get; init; }

    public DateTimeOffset? CompletionDate { get; init; }

    public DateTimeOffset? ExpectedCompletionDate { get; init; }

    public DateTimeOffset? StartBy { get; init; }

    /// <summary>CREATED, PENDING, RUNNING, ABORTING, ABORTED, COMPLETED, FAILED, EXPIRED or PARTIAL.</summary>
    public string? State { get; init; }

    public string? StatusMessage { get; init; }

    /// <summary>COMPLETED with another category than SUCCESS is what the console calls completed with issues.</summary>
    public string? MessageCategory { get; init; }

    /// <summary>A number, as text.</summary>
    public string? PercentDone { get; init; }

    public long? BackupSizeInBytes { get; init; }

    public long? BytesTransferred { get; init; }

    public string? IamRoleArn { get; init; }

    public IReadOnlyDictionary<string, string>? BackupOptions { get; init; }

    public string? BackupType { get; init; }

    public string? ParentJobId { get; init; }

    public bool? IsParent { get; init; }

    public long? NumberOfChildJobs { get; init; }

    public IReadOnlyDictionary<string, long>? ChildJobsInState { get; init; }
}

internal sealed record StopBackupJobResponse;

internal sealed record DescribeBackupVaultResponse
{
    public string? BackupVaultName { get; init; }

    public string? BackupVaultArn { get; init; }

    public string? VaultType { get; init; }

    public string? VaultState { get; init; }

    public string? EncryptionKeyArn { get; init; }

    public DateTimeOffset? CreationDate { get; init; }

    public long? NumberOfRecoveryPoints { get; init; }

    public bool? Locked { get; init; }

    public long? MinRetentionDays { get; init; }

    public long? MaxRetentionDays { get; init; }

    public DateTimeOffset? LockDate { get; init; }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(EpochSecondsConverter)])]
[JsonSerializable(typeof(StartBackupJobRequest))]
[JsonSerializable(typeof(StartBackupJobResponse))]
[JsonSerializable(typeof(BackupJob))]
[JsonSerializable(typeof(StopBackupJobResponse))]
[JsonSerializable(typeof(DescribeBackupVaultResponse))]
internal sealed partial class BackupJson : JsonSerializerContext;
