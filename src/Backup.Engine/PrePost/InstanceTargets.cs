using Backup.Engine.Aws;
using Backup.Engine.Aws.Ec2;
using Backup.Engine.Aws.Ssm;

namespace Backup.Engine.PrePost;

/// <summary>An instance as it was found.</summary>
internal sealed record Target(Instance Instance, string OwnerId, InstanceInformation? Agent)
{
    public string Id => Instance.InstanceId!;

    public string State => Instance.State?.Name ?? "";

    public string PlatformType => Agent?.PlatformType ?? (string.Equals(Instance.Platform, "windows", StringComparison.OrdinalIgnoreCase) ? "Windows" : "Linux");

    public bool IsWindows => PlatformType is "Windows";

    public string? Tag(string key) => Instance.Tags.FirstOrDefault(tag => string.Equals(tag.Key, key, StringComparison.Ordinal))?.Value;
}

/// <summary>Finds the instances that a run means, once, before it begins: all pages, every instance of a launch, and none that is gone.</summary>
internal sealed class InstanceTargets(PrePostServices services)
{
    private const int IdsAtOnce = 50;

    /// <summary>Finds them.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/> for an id that does not exist, and for a tag that no instance has.</exception>
    public async Task<IReadOnlyList<Target>> FindAsync(PrePostOptions options, CancellationToken cancellationToken)
    {
        var found = options.TagKey is { } key
            ? await DescribeAsync(new() { Filters = [new() { Name = $"tag:{key}", Values = [options.TagValue!] }, new() { Name = "instance-state-name", Values = [InstanceStates.Pending, InstanceStates.Running, InstanceStates.Stopping, InstanceStates.Stopped] }], MaxResults = 1000 }, cancellationToken)
            : await DescribeAsync(new() { InstanceIds = [.. options.InstanceIds.Distinct(StringComparer.Ordinal)] }, cancellationToken);
        if (found.Count == 0)
            throw new BackupException(FailureKind.NotFound, $"No instance in {services.Region} has the tag {options.TagKey} with the value '{options.TagValue}'.", "Check the tag, its case, and -Region.");
        if (found.Count > PrePostLimits.MaxInstances)
            throw new BackupException(FailureKind.InvalidInput, $"The tag {options.TagKey}={options.TagValue} means {found.Count} instances; {PrePostLimits.MaxInstances} are the most.", "Use a narrower tag, or several runs.");
        var agents = await AgentsAsync([.. found.Select(item => item.Instance.InstanceId!)], cancellationToken);
        return [.. found.Select(item => new Target(item.Instance, item.Owner, agents.GetValueOrDefault(item.Instance.InstanceId!))).OrderBy(target => target.Id, StringComparer.Ordinal)];
    }

    private async Task<List<(Instance Instance, string Owner)>> DescribeAsync(DescribeInstancesRequest request, CancellationToken cancellationToken)
    {
        var found = new List<(Instance, string)>();
        try
        {
            await foreach (var reservation in services.Ec2.DescribeInstancesAsync(request, cancellationToken))
                found.AddRange(reservation.Instances.Select(instance => (instance, reservation.OwnerId ?? "")));
        }
        catch (AwsServiceException exception) when (exception.ErrorCode.StartsWith("InvalidInstanceID", StringComparison.Ordinal))
        {
            throw new BackupException(FailureKind.NotFound, $"An instance does not exist in {services.Region}: {exception.ServiceMessage?.TrimEnd('.')}.", "Check the id and -Region. Nothing was touched.", exception);
        }

        return found;
    }

    private async Task<Dictionary<string, InstanceInformation>> AgentsAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var agents = new Dictionary<string, InstanceInformation>(StringComparer.Ordinal);
        foreach (var some in ids.Chunk(IdsAtOnce))
        {
            await foreach (var agent in services.SsmClient.DescribeInstanceInformationAsync(new() { Filters = [new() { Key = "InstanceIds", Values = some }], MaxResults = 50 }, cancellationToken))
                agents[agent.InstanceId!] = agent;
        }

        return agents;
    }
}
