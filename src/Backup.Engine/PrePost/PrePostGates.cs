using System.Globalization;
using Backup.Engine.Aws;
using Backup.Engine.Aws.AwsBackup;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>What stands in the way of a backup, found out before anything is touched.</summary>
internal sealed class PrePostGates(PrePostServices services, PrePostOptions options)
{
    private const string GroupTag = "aws:autoscaling:groupName";

    private bool HasScripts => Scripts.Any();

    private IEnumerable<PrePostScript> Scripts => new[] { options.PreScript, options.PostScript, options.OnFailureScript, options.FinallyScript }.OfType<PrePostScript>();

    /// <summary>What all instances need: the vault, the role, and documents that scripts are.</summary>
    /// <exception cref="BackupException">One of them is missing or does not fit.</exception>
    public async Task CheckRunAsync(string account, CancellationToken cancellationToken)
    {
        await CheckVaultAsync(cancellationToken);
        await CheckRoleAsync(account, cancellationToken);
        foreach (var script in Scripts.Where(script => script.Document is not null).DistinctBy(script => (script.Document, script.DocumentVersion)))
            await CheckDocumentAsync(script.Document!, script.DocumentVersion, cancellationToken);
    }

    /// <summary>Why an instance is refused, or null; and what its owner should know all the same.</summary>
    public async Task<(BackupException? Refusal, IReadOnlyList<string> Warnings)> CheckInstanceAsync(Target target, CancellationToken cancellationToken)
    {
        var warnings = new List<string>();
        try
        {
            CheckState(target);
            if (target.Instance.RootDeviceType is "instance-store")
                throw Refused(target, "has an instance-store root volume, which can neither be stopped nor backed up by AWS Backup", "Move it to an EBS root volume.");
            if (target.State == InstanceStates.Running)
            {
                if (HasScripts)
                    CheckAgent(target);
                if (options.StopInstance)
                    await CheckStopAsync(target, warnings, cancellationToken);
            }
            else if (HasScripts)
            {
                warnings.Add("It was stopped before, so no script runs on it, and it stays stopped.");
            }

            if (options.WindowsVss && options.StopInstance && target.State == InstanceStates.Running && target.IsWindows)
                warnings.Add("Shadow copies are made by Windows, which does not run while it is stopped: the backup is taken without them.");
            return (null, warnings);
        }
        catch (BackupException exception)
        {
            return (exception, warnings);
        }
    }

    private static void CheckState(Target target)
    {
        if (target.State is InstanceStates.Terminated or InstanceStates.ShuttingDown)
            throw new BackupException(FailureKind.NotFound, $"{target.Id} is {target.State}.", "Leave it out.");
        if (target.State is not (InstanceStates.Running or InstanceStates.Stopped))
            throw Refused(target, $"is {target.State}, so it is not known in which state it should be left", "Wait until it is running or stopped, then run again.");
    }

    private static void CheckAgent(Target target)
    {
        if (target.Agent is null)
            throw Refused(target, "is not managed by Systems Manager, so no script can run on it", "Install the SSM agent, and give the instance a role with AmazonSSMManagedInstanceCore.");
        if (target.Agent.PingStatus is not "Online")
            throw Refused(target, $"has an SSM agent that is {target.Agent.PingStatus}, last heard of at {target.Agent.LastPingDateTime?.UtcDateTime:u}", "Look at the agent on the instance, and at its way to the service.");
    }

    private async Task CheckStopAsync(Target target, List<string> warnings, CancellationToken cancellationToken)
    {
        if (target.Tag(GroupTag) is { } group && !options.Force)
            throw Refused(target, $"is a member of the Auto Scaling group {group}, which would replace it as soon as it is stopped", "Put it into standby first (EnterStandby), leave -StopInstance out, or give -Force where the group's processes are suspended.");
        if (target.Instance.InstanceLifecycle is "spot" && !options.Force)
            throw Refused(target, "is a Spot instance: a one-time request cannot be stopped, and a persistent one may find no capacity to start again", "Leave -StopInstance out, or give -Force for a persistent request.");
        if (target.Instance.InstanceLifecycle is { } lifecycle and not "spot")
            throw Refused(target, $"is a {lifecycle} instance, which cannot be stopped", "Leave -StopInstance out.");
        var protection = await services.Ec2.DescribeInstanceAttributeAsync(new() { InstanceId = target.Id, Attribute = "disableApiStop" }, cancellationToken);
        if (string.Equals(protection.Value, "true", StringComparison.OrdinalIgnoreCase))
            throw Refused(target, "has stop protection", "Turn it off (disableApiStop), or leave -StopInstance out.");
        if (target.Instance.PublicIpAddress is { } address)
            warnings.Add($"It has the public address {address}, which it gets back after a stop only where it is an Elastic IP.");
    }

    private async Task CheckVaultAsync(CancellationToken cancellationToken)
    {
        try
        {
            var vault = await services.Backup.DescribeBackupVaultAsync(options.BackupVaultName, cancellationToken);
            CheckLock(vault);
        }
        catch (AwsServiceException exception) when (exception.Kind is FailureKind.NotFound || (exception.Kind is FailureKind.PermissionDenied && exception.ServiceMessage?.Contains("does not exist", StringComparison.OrdinalIgnoreCase) == true))
        {
            throw new BackupException(FailureKind.NotFound, $"The backup vault '{options.BackupVaultName}' does not exist in {services.Region}.", "Create it, or check its name and -Region. Nothing was touched.", exception);
        }
        catch (AwsServiceException exception) when (exception.Kind is FailureKind.PermissionDenied)
        {
            // AWS Backup answers so for a vault that is not there, too.
            throw new BackupException(FailureKind.PermissionDenied, $"The backup vault '{options.BackupVaultName}' cannot be read in {services.Region}: it does not exist, or backup:DescribeBackupVault is not allowed.", "Check its name, -Region and the policy. Nothing was touched.", exception);
        }
    }

    // A job whose recovery point would be kept for too short or too long fails, and one without a lifecycle is kept for ever:
    // https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultLockConfiguration.html.
    private void CheckLock(DescribeBackupVaultResponse vault)
    {
        var days = options.Lifecycle?.DeleteAfterDays;
        if (vault.Locked != true || ((days ?? int.MaxValue) >= (vault.MinRetentionDays ?? 0) && (days ?? int.MaxValue) <= (vault.MaxRetentionDays ?? int.MaxValue)))
            return;
        var range = (vault.MinRetentionDays, vault.MaxRetentionDays) switch
        {
            ({ } min, { } max) => string.Create(CultureInfo.InvariantCulture, $"{min} to {max} days"),
            ({ } min, null) => string.Create(CultureInfo.InvariantCulture, $"{min} days or more"),
            var (_, max) => string.Create(CultureInfo.InvariantCulture, $"{max} days or less"),
        };
        throw new BackupException(
            FailureKind.Refused,
            $"The vault '{options.BackupVaultName}' is locked: recovery points are kept for {range}, and {(days is null ? "this one would be kept for ever" : string.Create(CultureInfo.InvariantCulture, $"DeleteAfterDays is {days}"))}.",
            $"Give -Lifecycle with DeleteAfterDays of {range}. Nothing was touched.");
    }

    // A document that is missing would be found out about when the instance is stopped, or frozen.
    private async Task CheckDocumentAsync(string name, string? version, CancellationToken cancellationToken)
    {
        string? type;
        try
        {
            type = (await services.SsmClient.DescribeDocumentAsync(new() { Name = name, DocumentVersion = version }, cancellationToken)).Document?.DocumentType;
        }
        catch (AwsServiceException exception) when (exception.ErrorCode is "InvalidDocument" or "InvalidDocumentVersion")
        {
            var what = exception.ErrorCode is "InvalidDocument" ? $"does not exist in {services.Region}" : $"has no version {version}";
            throw new BackupException(FailureKind.NotFound, $"The SSM document '{name}' {what}.", "Create it, or check its name, its version and -Region. Nothing was touched.", exception);
        }
        catch (BackupException exception)
        {
            // Who may run a document need not be allowed to describe it.
            options.Logger?.LogDebug("Whether the document exists could not be asked: {Reason}", exception.Message);
            return;
        }

        if (type is not (null or "Command"))
            throw new BackupException(FailureKind.Refused, $"The SSM document '{name}' is of type {type}; only those of type Command run on instances.", "Name another one. Nothing was touched.");
    }

    private async Task CheckRoleAsync(string account, CancellationToken cancellationToken)
    {
        var parts = options.IamRoleArn.Split(':');
        if (account.Length > 0 && parts[4] != account)
            throw new BackupException(FailureKind.Refused, $"The role {options.IamRoleArn} is of another account than the instances ({account}).", "Give a role of the instances' account. Nothing was touched.");
        string? found;
        try
        {
            found = await services.Iam.GetRoleAsync(parts[5].Split('/')[^1], cancellationToken);
        }
        catch (AwsServiceException exception) when (exception.ErrorCode is "NoSuchEntity")
        {
            throw new BackupException(FailureKind.NotFound, $"The role {options.IamRoleArn} does not exist.", "Create it, or check its name. Nothing was touched.", exception);
        }
        catch (BackupException exception)
        {
            // Who may back up need not be allowed to read roles: AWS Backup then says whether it can take it.
            options.Logger?.LogDebug("Whether the role exists could not be asked: {Reason}", exception.Message);
            return;
        }

        if (found is not null && !string.Equals(found, options.IamRoleArn, StringComparison.Ordinal))
            throw new BackupException(FailureKind.NotFound, $"The role {options.IamRoleArn} does not exist; there is {found}.", "Give the role's whole ARN, its path included. Nothing was touched.");
    }

    private static BackupException Refused(Target target, string why, string advice) => new(FailureKind.Refused, $"{target.Id} {why}.", advice);
}
