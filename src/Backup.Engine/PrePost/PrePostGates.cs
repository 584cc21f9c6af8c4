using System.Globalization;
using Backup.Engine.Aws;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>What stands in the way of a backup, found out before anything is touched.</summary>
internal sealed class PrePostGates(PrePostServices services, PrePostOptions options)
{
    private const string GroupTag = "aws:autoscaling:groupName";

    private bool HasScripts => (options.PreScript ?? options.PostScript ?? options.OnFailureScript ?? options.FinallyScript) is not null;

    /// <summary>What all instances need: the vault and the role.</summary>
    /// <exception cref="BackupException">One of them is missing or does not fit.</exception>
    public async Task CheckRunAsync(string account, CancellationToken cancellationToken)
    {
        await CheckVaultAsync(cancellationToken);
        await CheckRoleAsync(account, cancellationToken);
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
                warnings.Add("It was stopped before, so no script ran on it, and it stays stopped.");
            }

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
            if (vault.Locked == true && options.Lifecycle?.DeleteAfterDays is { } days && (days < vault.MinRetentionDays || days > vault.MaxRetentionDays))
                throw new BackupException(FailureKind.Refused, string.Create(CultureInfo.InvariantCulture, $"The vault '{options.BackupVaultName}' is locked to {vault.MinRetentionDays} to {vault.MaxRetentionDays} days, and DeleteAfterDays is {days}."), "Give a lifecycle that the vault allows.");
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

    private async Task CheckRoleAsync(string account, CancellationToken cancellationToken)
    {
        var parts = options.IamRoleArn.Split(':');
        if (account.Length > 0 && parts[4] != account)
            throw new BackupException(FailureKind.Refused, $"The role {options.IamRoleArn} is of another account than the instances ({account}).", "Give a role of the instances' account. Nothing was touched.");
        try
        {
            await services.Iam.GetRoleAsync(parts[5].Split('/')[^1], cancellationToken);
        }
        catch (AwsServiceException exception) when (exception.ErrorCode is "NoSuchEntity")
        {
            throw new BackupException(FailureKind.NotFound, $"The role {options.IamRoleArn} does not exist.", "Create it, or check its name. Nothing was touched.", exception);
        }
        catch (BackupException exception)
        {
            // Who may back up need not be allowed to read roles: AWS Backup then says whether it can take it.
            options.Logger?.LogDebug("Whether the role exists could not be asked: {Reason}", exception.Message);
        }
    }

    private static BackupException Refused(Target target, string why, string advice) => new(FailureKind.Refused, $"{target.Id} {why}.", advice);
}
