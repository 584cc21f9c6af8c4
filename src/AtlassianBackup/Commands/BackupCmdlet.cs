using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Stores;

namespace AtlassianBackup.Commands;

/// <summary>What the cmdlets that write to a store have in common: how it is written, and who is told of errors.</summary>
public abstract class BackupCmdlet : AwsCmdlet
{
    /// <summary>The storage class.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(StorageClassCompleter))]
    public string? StorageClass { get; set; }

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

    /// <summary>Object Lock's mode.</summary>
    [Parameter]
    [ValidateSet("GOVERNANCE", "COMPLIANCE")]
    public string? ObjectLockMode { get; set; }

    /// <summary>How many days Object Lock holds.</summary>
    [Parameter]
    [ValidateRange(1, 36500)]
    public int ObjectLockDays { get; set; }

    /// <summary>A Teams webhook that is told of errors.</summary>
    [Parameter]
    [ValidateNotNull]
    [SecretValueTransformation(AllowAddress = true)]
    public SecretValue? WebhookUri { get; set; }

    /// <summary>How the store is opened and written; what cannot be ends the cmdlet before anything is read.</summary>
    protected StoreOptions CreateWriteOptions()
    {
        if (ObjectLockMode is null != (ObjectLockDays == 0))
            ThrowMapped(new BackupException(FailureKind.InvalidInput, "-ObjectLockMode and -ObjectLockDays belong together.", "Give both, or neither."), ObjectLockMode);
        if (KmsKeyId is not null && ServerSideEncryption is null or "AES256")
        {
            ThrowMapped(
                new BackupException(FailureKind.InvalidInput, "-KmsKeyId needs -ServerSideEncryption aws:kms or aws:kms:dsse.", "Give both, or neither."),
                KmsKeyId);
        }

        StorageClass = StorageClass is null ? null : ReadOrEnd(() => StorageClasses.Parse(StorageClass), StorageClass);
        return CreateStoreOptions() with
        {
            MaxBandwidth = MaxBandwidth > 0 ? MaxBandwidth : null,
            ServerSideEncryption = ServerSideEncryption,
            KmsKeyId = KmsKeyId,
            ObjectLockMode = ObjectLockMode,
            ObjectLockDays = ObjectLockDays,
        };
    }
}
