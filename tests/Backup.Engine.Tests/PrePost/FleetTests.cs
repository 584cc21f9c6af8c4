using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.PrePost;

namespace Backup.Engine.Tests.PrePost;

/// <summary>The fleet itself, asked by the aws of other people: it speaks the protocols as AWS's own models have them, waiters included.</summary>
public sealed class FleetTests
{
    [Fact]
    public async Task Aws_finds_what_it_knows()
    {
        await using var fleet = await Fleet.StartAsync();
        var instance = fleet.Add();
        instance.StopTime = TimeSpan.FromMilliseconds(200);
        async Task<string> AwsAsync(params string[] arguments) => (await PeerProgram.RunAsync(
            "aws",
            ["--endpoint-url", fleet.Endpoint.ToString(), "--output", "text", .. arguments],
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["AWS_ACCESS_KEY_ID"] = "test", ["AWS_SECRET_ACCESS_KEY"] = "testsecret", ["AWS_DEFAULT_REGION"] = Fleet.Region })).Succeeded().Trim();

        (await AwsAsync("ec2", "describe-instances", "--filters", "Name=tag:backup-job,Values=true", "--query", "Reservations[].Instances[].[InstanceId,State.Name]")).ShouldBe($"{instance.Id}\trunning");
        (await AwsAsync("ssm", "describe-instance-information", "--filters", $"Key=InstanceIds,Values={instance.Id}", "--query", "InstanceInformationList[].PingStatus")).ShouldBe("Online");
        var command = await AwsAsync("ssm", "send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", instance.Id, "--parameters", "commands=[\"echo out\",\"echo err >&2\"]", "--comment", "mine", "--query", "Command.CommandId");
        await AwsAsync("ssm", "wait", "command-executed", "--command-id", command, "--instance-id", instance.Id);
        (await AwsAsync("ssm", "get-command-invocation", "--command-id", command, "--instance-id", instance.Id, "--query", "[Status,ResponseCode,StandardOutputContent,StandardErrorContent]")).Split('\t', StringSplitOptions.TrimEntries).ShouldBe(["Success", "0", "out", "err"]);
        (await AwsAsync("ssm", "list-command-invocations", "--instance-id", instance.Id, "--details", "--query", "CommandInvocations[].[Comment,CommandPlugins[0].ResponseCode]")).ShouldBe("mine\t0");

        (await AwsAsync("ec2", "stop-instances", "--instance-ids", instance.Id, "--query", "StoppingInstances[].[PreviousState.Name,CurrentState.Name]")).ShouldBe("running\tstopping");
        await AwsAsync("ec2", "wait", "instance-stopped", "--instance-ids", instance.Id);
        var job = await AwsAsync(
            "backup", "start-backup-job", "--backup-vault-name", "vault", "--iam-role-arn", PrePostPlace.Role, "--idempotency-token", "t",
            "--resource-arn", $"arn:aws:ec2:{Fleet.Region}:{Fleet.Account}:instance/{instance.Id}", "--query", "BackupJobId");
        (await AwsAsync("backup", "describe-backup-job", "--backup-job-id", job, "--query", "[IamRoleArn,ResourceType]")).ShouldBe($"{PrePostPlace.Role}\tEC2");
        (await AwsAsync("ec2", "start-instances", "--instance-ids", instance.Id, "--query", "StartingInstances[].PreviousState.Name")).ShouldBe("stopped");
    }
}
