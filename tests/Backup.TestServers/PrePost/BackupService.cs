using System.Globalization;
using System.Text.Json.Nodes;
using Backup.TestServers.Aws;

namespace Backup.TestServers.PrePost;

/// <summary>AWS Backup's rest-json: vaults and jobs.</summary>
internal sealed class BackupService(Fleet fleet)
{
    private readonly Lock _lock = new();

    /// <summary>The operation that a method and path mean.</summary>
    public static string Operation(AwsRequest request) => (request.Method, request.RawPath.Trim('/').Split('/')) switch
    {
        ("PUT", ["backup-jobs"]) => "StartBackupJob",
        ("GET", ["backup-jobs"]) => "ListBackupJobs",
        ("GET", ["backup-jobs", _]) => "DescribeBackupJob",
        ("POST", ["backup-jobs", _]) => "StopBackupJob",
        ("GET", ["backup-vaults", _]) => "DescribeBackupVault",
        _ => request.Operation,
    };

    public AwsAnswer Answer(AwsRequest request, string operation)
    {
        var last = Uri.UnescapeDataString(request.RawPath.Trim('/').Split('/')[^1]);
        switch (operation)
        {
            case "StartBackupJob":
                return Start(request);
            case "DescribeBackupVault":
                return fleet.Vaults.Contains(last)
                    ? AwsAnswer.Json(new JsonObject { ["BackupVaultName"] = last, ["BackupVaultArn"] = $"arn:aws:backup:{Fleet.Region}:{Fleet.Account}:backup-vault:{last}", ["Locked"] = fleet.VaultLock is not null, ["MinRetentionDays"] = fleet.VaultLock?.Min, ["MaxRetentionDays"] = fleet.VaultLock?.Max }.ToJsonString())
                    : Error("ResourceNotFoundException", $"Backup vault {last} not found.");
            case "ListBackupJobs":
                var arn = request.Query.GetValueOrDefault("resourceArn");
                return AwsAnswer.Json(new JsonObject { ["BackupJobs"] = new JsonArray([.. fleet.Jobs.Where(j => arn is null || j.ResourceArn == arn).Select(Describe)]) }.ToJsonString());
        }

        if (fleet.Jobs.FirstOrDefault(j => j.Id == last) is not { } job)
            return Error("ResourceNotFoundException", $"Backup job {last} not found.");
        if (operation is "DescribeBackupJob")
            return AwsAnswer.Json(Describe(job).ToJsonString());
        if (job.IsOver)
            return Error("InvalidRequestException", "The job is over.");
        job.Abort();
        return AwsAnswer.Json("");
    }

    private static AwsAnswer Error(string code, string message) =>
        AwsAnswer.Json(new JsonObject { ["Code"] = code, ["Message"] = message, ["Type"] = "User" }.ToJsonString(), 400).With("x-amzn-ErrorType", code);

    private static double Epoch(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;

    private static JsonNode Describe(FleetJob job)
    {
        var state = job.State;
        var node = new JsonObject
        {
            ["AccountId"] = Fleet.Account,
            ["BackupJobId"] = job.Id,
            ["BackupVaultName"] = job.Vault,
            ["ResourceArn"] = job.ResourceArn,
            ["ResourceType"] = "EC2",
            ["IamRoleArn"] = job.Role,
            ["CreationDate"] = Epoch(job.Created),
            ["State"] = state.State,
            ["PercentDone"] = state.State is "COMPLETED" ? "100.0" : "0.0",
            ["StatusMessage"] = state.Message,
            ["MessageCategory"] = state.Category,
        };
        if (state.HasRecoveryPoint)
            node["RecoveryPointArn"] = $"arn:aws:ec2:{Fleet.Region}::image/ami-{job.Id.Replace("-", "", StringComparison.Ordinal)[..17]}";
        if (state.State is "COMPLETED")
            node["BackupSizeInBytes"] = 8L << 30;
        return node;
    }

    private AwsAnswer Start(AwsRequest request)
    {
        var json = request.Json;
        string? Text(string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;
        var (vault, arn, role, token) = (Text("BackupVaultName")!, Text("ResourceArn")!, Text("IamRoleArn")!, Text("IdempotencyToken"));
        if (!fleet.Vaults.Contains(vault))
            return Error("ResourceNotFoundException", $"Backup vault {vault} not found.");
        if (!fleet.Roles.Contains(role.Split('/')[^1]))
            return Error("InvalidParameterValueException", "IAM Role " + role + " does not exist or cannot be assumed.");
        if (json.TryGetProperty("StartWindowMinutes", out var window) && window.GetInt64() < 60)
            return Error("InvalidParameterValueException", "StartWindowMinutes must be at least 60.");
        var id = arn.Split('/')[^1];
        if (!fleet.Instances.TryGetValue(id, out var instance) || !arn.EndsWith($":{Fleet.Account}:instance/{id}", StringComparison.Ordinal))
            return Error("ResourceNotFoundException", $"Resource {arn} not found.");
        lock (_lock)
        {
            var job = token is null ? null : fleet.Jobs.FirstOrDefault(j => j.Token == token);
            if (job is null)
            {
                job = new FleetJob(fleet.JobStates(instance)) { InstanceId = id, ResourceArn = arn, Vault = vault, Role = role, Token = token, Request = request.Text, InstanceState = instance.State };
                fleet.Jobs.Enqueue(job);
            }

            return AwsAnswer.Json(string.Create(CultureInfo.InvariantCulture, $$"""{"BackupJobId":"{{job.Id}}","CreationDate":{{Epoch(job.Created)}}}"""));
        }
    }
}
