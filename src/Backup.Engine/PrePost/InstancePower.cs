using Backup.Engine.Aws;
using Backup.Engine.Aws.Ec2;

namespace Backup.Engine.PrePost;

/// <summary>Stops and starts one instance, and knows when it is there again.</summary>
internal sealed class InstancePower(PrePostServices services, Waiting waiting, PrePostDeadlines deadlines, string roleArn)
{
    /// <summary>Gives the order to stop. Giving it twice is harmless.</summary>
    public Task StopAsync(string id, CancellationToken cancellationToken) =>
        waiting.InsistAsync($"The order to stop {id} could not be given", token => services.Ec2.StopInstancesAsync(new() { InstanceIds = [id] }, token), deadlines.Cancel, cancellationToken);

    /// <summary>Waits until it has stopped.</summary>
    public Task WaitStoppedAsync(string id, CancellationToken cancellationToken) => waiting.UntilAsync(
        $"{id} did not stop",
        async token => await DescribeAsync(id, token) is { State.Name: InstanceStates.Stopped } stopped ? stopped : null,
        deadlines.Stop,
        Pace.Instance,
        cancellationToken);

    /// <summary>
    /// Has it run again, from whatever state it is in: an instance that is still stopping is waited for, and missing capacity too. The order is given
    /// even to one that seems to run: the answer is the truth, where a description may be of a moment ago.
    /// </summary>
    /// <returns>Whether it ran before the first order was given.</returns>
    public async Task<bool> StartAsync(string id, CancellationToken cancellationToken)
    {
        var (ordered, ranAlready) = (false, false);
        await waiting.UntilAsync(
            $"{id} did not start",
            async token =>
            {
                var state = (await DescribeAsync(id, token)).State?.Name;
                if (state == InstanceStates.Running && ordered)
                    return "running";
                if (state is InstanceStates.Stopped or InstanceStates.Running)
                {
                    try
                    {
                        var changes = await services.Ec2.StartInstancesAsync(new() { InstanceIds = [id] }, token);
                        if (changes is [{ PreviousState.Name: InstanceStates.Running, CurrentState.Name: InstanceStates.Running }])
                        {
                            ranAlready = !ordered;
                            return "running";
                        }

                        ordered = true;
                    }
                    catch (AwsServiceException exception) when (exception.ErrorCode is "IncorrectInstanceState" or "InsufficientInstanceCapacity" or "InsufficientHostCapacity" or "InsufficientReservedInstanceCapacity")
                    {
                        // Stopping still, or nowhere to go at the moment.
                        throw new BackupException(FailureKind.Unavailable, exception.Message, "Start it by hand when there is capacity, then run Resume-PrePostBackup.", exception);
                    }
                }

                return null;
            },
            deadlines.Start,
            Pace.Instance,
            cancellationToken);
        return ranAlready;
    }

    /// <summary>
    /// Waits until the agent has reported since the launch. SSM calls an agent online for minutes after its instance was stopped, so the time of
    /// its last report is held against the time of the launch.
    /// </summary>
    public Task WaitForAgentAsync(string id, CancellationToken cancellationToken) => waiting.UntilAsync(
        $"The SSM agent of {id} did not come online",
        async token =>
        {
            var launched = (await DescribeAsync(id, token)).LaunchTime;
            await foreach (var agent in services.SsmClient.DescribeInstanceInformationAsync(new() { Filters = [new() { Key = "InstanceIds", Values = [id] }] }, token))
            {
                if (agent.InstanceId == id && agent.PingStatus is "Online" && (launched is null || agent.LastPingDateTime is null || agent.LastPingDateTime >= launched))
                    return agent;
            }

            return null;
        },
        deadlines.Online,
        Pace.Instance,
        cancellationToken);

    /// <summary>The instance as it is.</summary>
    /// <exception cref="InstanceGoneException">It was terminated.</exception>
    private async Task<Instance> DescribeAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var reservation in services.Ec2.DescribeInstancesAsync(new() { InstanceIds = [id] }, cancellationToken))
            {
                if (reservation.Instances.FirstOrDefault(instance => instance.InstanceId == id) is { } instance)
                {
                    return instance.State?.Name is InstanceStates.Terminated or InstanceStates.ShuttingDown
                        ? throw new InstanceGoneException($"{id} is {instance.State.Name}.")
                        : instance;
                }
            }
        }
        catch (AwsServiceException exception) when (exception.ErrorCode is "InvalidInstanceID.NotFound")
        {
            // An hour after its end an instance is no longer listed; nor is it to the keys of another account.
            if (await IsOwnAccountAsync(cancellationToken))
                throw new InstanceGoneException($"{id} does not exist any more.", exception);
            throw;
        }

        throw new BackupException(FailureKind.Unavailable, $"EC2 does not list {id}.", "Check the instance.");
    }

    // The role is of the instances' account.
    private async Task<bool> IsOwnAccountAsync(CancellationToken cancellationToken)
    {
        try
        {
            return string.Equals(await services.Iam.GetRoleAsync(roleArn.Split('/')[^1], cancellationToken), roleArn, StringComparison.Ordinal);
        }
        catch (BackupException)
        {
            return false;
        }
    }
}

/// <summary>An instance was terminated while a run had it: there is nothing left to give back.</summary>
internal sealed class InstanceGoneException(string message, Exception? inner = null)
    : BackupException(FailureKind.NotFound, message, "Restore it from a recovery point.", inner);
