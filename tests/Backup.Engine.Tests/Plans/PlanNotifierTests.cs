using System.Text.Json.Nodes;
using Backup.Engine.Plans;
using Backup.Engine.Tests.Aws;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Plans;

/// <summary>Who is told. SNS is moto_server's, which delivers to a queue of its own, read with the aws of other people.</summary>
[Collection(AwsEnvironment.Collection)]
public sealed class PlanNotifierTests(MotoServer moto) : IDisposable
{
    private readonly AwsEnvironment _environment = new();
    private readonly TemporaryDirectory _folder = new();
    private readonly List<string> _warnings = [];

    public void Dispose()
    {
        _environment.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_topic_is_told_once_of_a_run_and_of_a_good_one_only_where_it_asks()
    {
        var endpoint = await moto.EndpointAsync();
        foreach (var (name, value) in new[] { ("AWS_ENDPOINT_URL", endpoint.AbsoluteUri), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "testsecret"), ("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "eu-central-1") })
            _environment.Set(name, value);
        var id = $"plan-{Guid.NewGuid():N}";
        var topic = (await AwsAsync("sns", "create-topic", "--name", id))["TopicArn"]!.GetValue<string>();
        var queue = (await AwsAsync("sqs", "create-queue", "--queue-name", id))["QueueUrl"]!.GetValue<string>();
        await AwsAsync("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", $"arn:aws:sqs:eu-central-1:123456789012:{id}");

        await RunAsync(topic, "failure", "one");
        await RunAsync(topic, "failure", "gone");
        await RunAsync(topic, "always", "one");
        _warnings.ShouldBeEmpty();

        var messages = (await AwsAsync("sqs", "receive-message", "--queue-url", queue, "--max-number-of-messages", "10"))["Messages"]!.AsArray()
            .Select(message => JsonNode.Parse(message!["Body"]!.GetValue<string>())!)
            .OrderBy(message => message["Subject"]!.GetValue<string>(), StringComparer.Ordinal).ToList();
        messages.Count.ShouldBe(2);
        messages[0]["Subject"]!.GetValue<string>().ShouldEndWith(": 1 of 1 jobs failed");
        messages[0]["Message"]!.GetValue<string>().ShouldContain("gone (folders): Failed. ");
        messages[1]["Subject"]!.GetValue<string>().ShouldEndWith(": all is well");
        messages[1]["Message"]!.GetValue<string>().ShouldContain("Stored: ");

        // What is not there is a warning, and a failed check.
        await RunAsync(topic + "x", "always", "one");
        _warnings.ShouldHaveSingleItem().ShouldContain("The notice to sns was not sent");
        (await CheckAsync(topic)).Status.ShouldBe(PlanCheckStatus.Passed);
        (await CheckAsync(topic + "x")).Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public async Task A_webhook_whose_secret_is_gone_is_a_warning_and_the_run_is_what_it_is()
    {
        Directory.CreateDirectory(_folder.Combine("one"));
        File.WriteAllText(_folder.Combine("one", "file"), "text");
        var results = await RunAsync("notifications: {teams: {webhookUri: 'env:NO_SUCH_HOOK', when: always}}", "one");
        results.ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Completed);
        _warnings.ShouldHaveSingleItem().ShouldBe("The notice to teams was not sent: The environment variable NO_SUCH_HOOK is not set.");
    }

    private async Task<PlanCheck> CheckAsync(string topic)
    {
        var file = _folder.Combine("plan.yaml");
        await File.WriteAllTextAsync(file, $"notifications: {{sns: {{topicArn: '{topic}'}}}}\n{Jobs("one")}");
        return (await PlanTest.RunAsync(new() { Path = file }, null, TestContext.Current.CancellationToken).ToListAsync()).Single(check => check.Check == "Notification");
    }

    private async Task RunAsync(string topic, string when, string path)
    {
        Directory.CreateDirectory(_folder.Combine("one"));
        await File.WriteAllTextAsync(_folder.Combine("one", "file"), "text");
        await RunAsync($"notifications: {{sns: {{topicArn: '{topic}', when: {when}}}}}", path);
    }

    private async Task<IReadOnlyList<BackupJobResult>> RunAsync(string notifications, string path)
    {
        var plan = PlanText.Read($"{notifications}\n{Jobs(path)}", _folder.Path);
        var logger = new CallbackLogger(3, (_, message) => _warnings.Add(message));
        return await PlanRun.RunAsync(new() { Plan = plan, Logger = logger }, null, TestContext.Current.CancellationToken).ToListAsync();
    }

    private static string Jobs(string path) => $"destination: store\njobs:\n  - {{name: {path}, system: folders, path: {path}, cachePath: cache}}";

    private async Task<JsonNode> AwsAsync(params string[] arguments) => JsonNode.Parse((await PeerProgram.RunAsync("aws", ["--output", "json", "--endpoint-url", (await moto.EndpointAsync()).AbsoluteUri, .. arguments])).Succeeded())!;
}
