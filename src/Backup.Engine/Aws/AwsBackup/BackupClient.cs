using System.Text.Json;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.AwsBackup;

/// <summary>AWS Backup: the operations that the module uses, named as the AWS SDK names them.</summary>
internal sealed class BackupClient : IDisposable
{
    /// <summary>The service.</summary>
    public static AwsService Service { get; } = new("Backup", "backup", "2018-11-15");

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public BackupClient(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _api.Region;

    /// <summary>Starts a job on demand.</summary>
    public Task<StartBackupJobResponse> StartBackupJobAsync(StartBackupJobRequest request, CancellationToken cancellationToken = default) => _api.RestAsync(
        "StartBackupJob",
        new RestCall("PUT", "/backup-jobs") { Json = JsonSerializer.SerializeToUtf8Bytes(request, BackupJson.Default.StartBackupJobRequest) },
        BackupJson.Default.StartBackupJobResponse,
        cancellationToken);

    /// <summary>Where a job stands.</summary>
    public Task<BackupJob> DescribeBackupJobAsync(string backupJobId, CancellationToken cancellationToken = default) => _api.RestAsync(
        "DescribeBackupJob", Job("GET", backupJobId), BackupJson.Default.BackupJob, cancellationToken);

    /// <summary>Stops a job.</summary>
    public Task<StopBackupJobResponse> StopBackupJobAsync(string backupJobId, CancellationToken cancellationToken = default) => _api.RestAsync(
        "StopBackupJob", Job("POST", backupJobId), BackupJson.Default.StopBackupJobResponse, cancellationToken);

    /// <summary>A vault.</summary>
    public Task<DescribeBackupVaultResponse> DescribeBackupVaultAsync(string backupVaultName, CancellationToken cancellationToken = default) => _api.RestAsync(
        "DescribeBackupVault",
        new RestCall("GET", "/backup-vaults/{backupVaultName}") { Labels = { ["backupVaultName"] = backupVaultName } },
        BackupJson.Default.DescribeBackupVaultResponse,
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();

    private static RestCall Job(string method, string id) => new(method, "/backup-jobs/{backupJobId}") { Labels = { ["backupJobId"] = id } };
}
