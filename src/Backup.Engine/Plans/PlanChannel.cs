using Backup.Engine.Aws;
using Backup.Engine.Aws.Sns;
using Backup.Engine.Notifications;

namespace Backup.Engine.Plans;

/// <summary>Somebody who is told of a plan's runs.</summary>
/// <param name="Name">teams, slack or sns.</param>
/// <param name="Values">What the plan says of it.</param>
/// <param name="Plan">The plan.</param>
/// <param name="Given">Credentials and region that go before the plan's own.</param>
/// <param name="Logger">Told of attempts.</param>
/// <param name="Time">The clock.</param>
internal sealed record PlanChannel(string Name, PlanValues Values, BackupPlan Plan, AwsOptions Given, CallbackLogger? Logger, TimeProvider Time)
{
    private const int MaxSubject = 100;
    private const int MaxLines = 200;

    /// <summary>Those that a plan names.</summary>
    public static IEnumerable<PlanChannel> Of(BackupPlan plan, AwsOptions given, CallbackLogger? logger, TimeProvider time)
    {
        if (plan.Values.Object("notifications") is not { } notifications)
            return [];
        return from shape in PlanShapes.Plan["notifications"]!.Shape!.Properties
               let values = notifications.Object(shape.Name)
               where values is not null
               select new PlanChannel(shape.Name, values, plan, given, logger, time);
    }

    /// <summary>Whether runs are told of in which nothing failed.</summary>
    public bool IsAlways => Values.Text("when") == "always";

    private AwsOptions Services => PlanAws.OfServices(new(new(1, 1, []), Plan.Values), Given);

    /// <summary>Sends a notice; null where it arrived, else why it did not.</summary>
    /// <exception cref="BackupException">The secret is not to be had, or AWS refuses.</exception>
    public async Task<string?> SendAsync(Notice notice, CancellationToken cancellationToken)
    {
        if (Name == "sns")
        {
            using var sns = Sns();
            await sns.PublishAsync(Message(notice), cancellationToken);
            return null;
        }

        using var webhook = await WebhookAsync(cancellationToken);
        return await webhook.SendAsync(notice, cancellationToken);
    }

    /// <summary>Looks whether a notice could be sent, and sends none; what was found.</summary>
    /// <exception cref="BackupException">It could not.</exception>
    public async Task<string> CheckAsync(CancellationToken cancellationToken)
    {
        if (Name == "sns")
        {
            using var sns = Sns();
            await sns.GetTopicAttributesAsync(Topic, cancellationToken);
            return $"The topic {Topic} is there; nothing was published.";
        }

        using var webhook = await WebhookAsync(cancellationToken);
        return $"The address at {Values.Secret("webhookUri")} is https; nothing was sent to it.";
    }

    private string Topic => Values.Text("topicArn")!;

    private async Task<Webhook> WebhookAsync(CancellationToken cancellationToken)
    {
        var reference = Values.Secret("webhookUri")!;
        var text = await reference.ResolveAsync(Services, Plan.BaseDirectory, Logger, cancellationToken);
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var address))
            throw new BackupException(FailureKind.InvalidInput, $"What {reference} holds is no address.", "Put the whole URL of the webhook there.");
        return Name == "slack" ? new SlackWebhook(address, Time, Logger) : new TeamsWebhook(address, Time, Logger);
    }

    // arn:partition:sns:region:account:name: a topic is asked for where it is.
    private SnsClient Sns() => new(new() { Aws = Services with { Region = Topic.Split(':')[3] }, Logger = Logger, Time = Time });

    private PublishRequest Message(Notice notice)
    {
        var isFifo = Topic.EndsWith(".fifo", StringComparison.Ordinal);
        var subject = new string([.. notice.Title.Select(c => c is >= ' ' and <= '~' ? c : '?')]);
        return new()
        {
            TopicArn = Topic,
            Subject = subject.Length <= MaxSubject ? subject : subject[..MaxSubject],
            Message = string.Join('\n', [notice.Title, "", .. notice.Facts.Select(fact => $"{fact.Key}: {fact.Value}"), "", .. notice.Lines.Take(MaxLines)]),
            MessageGroupId = isFifo ? "backup-plan" : null,
            MessageDeduplicationId = isFifo ? Guid.NewGuid().ToString("N") : null,
        };
    }
}
