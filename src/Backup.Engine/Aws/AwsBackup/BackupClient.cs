using System.Globalization;
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

    /// <summary>The jobs of a resource, a vault or a time.</summary>
    public IAsyncEnumerable<BackupJob> ListBackupJobsAsync(ListBackupJobsRequest request, CancellationToken cancellationToken = default) => Paging.ReadAsync(
        (token, stop) => _api.RestAsync(
            "ListBackupJobs",
            new RestCall("GET", "/backup-jobs/")
                .With("resourceArn", request.ByResourceArn)
                .With("state", request.ByState)
                .With("backupVaultName", request.ByBackupVaultName)
                .With("createdAfter", Time(request.ByCreatedAfter))
                .With("createdBefore", Time(request.ByCreatedBefore))
                .With("maxResults", request.MaxResults?.ToString(CultureInfo.InvariantCulture))
                .With("nextToken", token ?? request.NextToken),
            BackupJson.Default.ListBackupJobsResponse,
            stop),
        page => page.BackupJobs,
        page => page.NextToken,
        cancellationToken);

    /// <summary>Stops a job.</summary>
    public Task<StopBackupJobResponse> StopBackupJobAsync(string backupJobId, CancellationToken cancellationToken = default) => _api.RestAsync(
        "StopBackupJob", Job("POST", backupJobId), BackupJson.Default.StopBackupJobResponse, cancellationToken);

    /// <summary>A vault.</summary>
    public Task<DescribeBackupVaultResponse> DescribeBackupVaultAsync(string backupVaultName, CancellationToken cancellationToken = default) => _api.RestAsync(
        "DescribeBackupVault",
        new RestCall("GET", "/backup-vaults/{backupVaultName}") { Labels = { ["backupVaultName"] = backupVaultName } },
        BackupJson.Default.DescribeBackupVaultResponse,
        cancellationToken);

    /// <summary>A recovery point.</summary>
    public Task<DescribeRecoveryPointResponse> DescribeRecoveryPointAsync(string backupVaultName, string recoveryPointArn, CancellationToken cancellationToken = default) => _api.RestAsync(
        "DescribeRecoveryPoint", Point(backupVaultName, recoveryPointArn, ""), BackupJson.Default.DescribeRecoveryPointResponse, cancellationToken);

    /// <summary>What a recovery point is restored with.</summary>
    public Task<GetRecoveryPointRestoreMetadataResponse> GetRecoveryPointRestoreMetadataAsync(string backupVaultName, string recoveryPointArn, CancellationToken cancellationToken = default) => _api.RestAsync(
        "GetRecoveryPointRestoreMetadata", Point(backupVaultName, recoveryPointArn, "/restore-metadata"), BackupJson.Default.GetRecoveryPointRestoreMetadataResponse, cancellationToken);

    /// <summary>Starts a restore.</summary>
    public Task<StartRestoreJobResponse> StartRestoreJobAsync(StartRestoreJobRequest request, CancellationToken cancellationToken = default) => _api.RestAsync(
        "StartRestoreJob",
        new RestCall("PUT", "/restore-jobs") { Json = JsonSerializer.SerializeToUtf8Bytes(request, BackupJson.Default.StartRestoreJobRequest) },
        BackupJson.Default.StartRestoreJobResponse,
        cancellationToken);

    /// <summary>Where a restore stands.</summary>
    public Task<DescribeRestoreJobResponse> DescribeRestoreJobAsync(string restoreJobId, CancellationToken cancellationToken = default) => _api.RestAsync(
        "DescribeRestoreJob",
        new RestCall("GET", "/restore-jobs/{restoreJobId}") { Labels = { ["restoreJobId"] = restoreJobId } },
        BackupJson.Default.DescribeRestoreJobResponse,
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();

    private static RestCall Job(string method, string id) => new(method, "/backup-jobs/{backupJobId}") { Labels = { ["backupJobId"] = id } };

    private static RestCall Point(string vault, string arn, string tail) =>
        new("GET", "/backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}" + tail) { Labels = { ["backupVaultName"] = vault, ["recoveryPointArn"] = arn } };

    // Times in a query string are ISO 8601, unlike those in a document.
    private static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
