using Backup.Engine.Stores;

namespace Backup.Engine.Plans;

/// <summary>The shape of a plan but for what each system adds.</summary>
internal static class PlanShapes
{
    /// <summary>The version of the format.</summary>
    public const int Version = 1;

    /// <summary>How many jobs run side by side where the plan does not say.</summary>
    public const int DefaultThrottle = 4;

    /// <summary>What a job takes from the top of the plan where it does not say it itself. They are named as the cmdlets' parameters are.</summary>
    public static IReadOnlyList<PlanProperty> Shared { get; } =
    [
        new("destination", PlanType.Text, "Where backups go: s3://bucket/prefix, or a directory. A relative directory is relative to the plan."),
        new("profileName", PlanType.Text, "A profile of the shared AWS files."),
        new("region", PlanType.Text, "The AWS region."),
        new("endpointUrl", PlanType.Address, "The address of an S3-compatible store."),
        new("storageClass", PlanType.Text, "The storage class.") { Choices = StorageClasses.All },
        new("maxBandwidth", PlanType.Whole, "Bytes a second to stay below. At the top of a plan: all jobs together.") { Min = 1, Max = long.MaxValue },
        new("serverSideEncryption", PlanType.Text, "Server-side encryption.") { Choices = ["AES256", "aws:kms", "aws:kms:dsse"] },
        new("kmsKeyId", PlanType.Text, "The KMS key for it."),
        new("objectLockMode", PlanType.Text, "Object Lock's mode.") { Choices = ["GOVERNANCE", "COMPLIANCE"] },
        new("objectLockDays", PlanType.Whole, "How many days Object Lock holds.") { Min = 1, Max = 36500 },
        Keep,
    ];

    /// <summary>Whether a job takes it from the plan.</summary>
    public static bool IsShared(string name) => Shared.Any(property => property.Name == name);

    /// <summary>Which runs are kept.</summary>
    public static PlanProperty Keep => new("keep", PlanType.Text, "Which runs of Confluence, Jira and GitHub are kept, such as 7d4w12m. What the other systems store is not pruned.") { Pattern = PlanForms.Retention, Form = PlanForms.RetentionForm };

    /// <summary>Which of the shared ones belong together.</summary>
    public static IReadOnlyList<(string Property, IReadOnlyList<string> Others)> SharedNeeds { get; } =
    [
        ("kmsKeyId", ["serverSideEncryption"]),
        ("objectLockMode", ["objectLockDays"]),
        ("objectLockDays", ["objectLockMode"]),
    ];

    private static readonly PlanProperty When = new("when", PlanType.Text, "Whether it is told of runs in which something failed, or of every run.") { Choices = ["failure", "always"], Default = "failure" };

    private static readonly PlanProperty WebhookUri = new("webhookUri", PlanType.Secret, "Where the webhook's address is kept: it is a secret.") { IsRequired = true };

    private static readonly PlanShape Notifications = new("notifications", "Who is told of a run: one notice a run.",
    [
        new("teams", PlanType.Object, "A Microsoft Teams channel.") { Shape = new("teams", "A Microsoft Teams Workflows webhook.", [WebhookUri, When]) },
        new("slack", PlanType.Object, "A Slack channel, or whatever takes Slack's form.") { Shape = new("slack", "A webhook that takes {\"text\": …}.", [WebhookUri, When]) },
        new("sns", PlanType.Object, "An SNS topic.")
        {
            Shape = new("sns", "An SNS topic.",
            [
                new("topicArn", PlanType.Text, "The topic.") { IsRequired = true, Pattern = "^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\\.fifo)?$", Form = "the ARN of an SNS topic" },
                When,
            ]),
        },
    ]);

    private static readonly PlanShape AnyJob = new("job", "One thing to back up.",
    [
        new("name", PlanType.Text, "The job's name, unique in the plan.") { IsRequired = true, Pattern = PlanForms.JobName, Form = PlanForms.JobNameForm },
        new("system", PlanType.Text, "What is backed up.") { IsRequired = true, Choices = [.. PlanSystems.All.Select(system => system.Name)] },
        new("enabled", PlanType.Flag, "Whether it runs.") { Default = true },
    ])
    {
        Resolve = static job => job["system"] is PlanScalar { Kind: PlanScalarKind.Text } system ? PlanSystems.Find(system.Text) is { } found ? JobOf(found) : null : null,
    };

    /// <summary>The whole plan.</summary>
    public static PlanShape Plan { get; } = new("plan", "A backup plan of AtlassianBackup.",
    [
        new("$schema", PlanType.Text, "The schema of this file, for editors."),
        new("version", PlanType.Whole, "The version of the format.") { Min = Version, Max = Version, Default = Version },
        .. Shared,
        new("throttle", PlanType.Whole, "How many jobs run side by side. Jobs that compete never do.") { Min = 1, Max = 32, Default = DefaultThrottle },
        new("notifications", PlanType.Object, "Who is told of a run.") { Shape = Notifications },
        new("jobs", PlanType.Objects, "What is backed up.") { IsRequired = true, Shape = AnyJob },
    ])
    { Needs = SharedNeeds };

    /// <summary>The shape of a system's jobs.</summary>
    public static PlanShape JobOf(PlanSystem system) => system.Shape with
    {
        Properties =
        [
            .. AnyJob.Properties.Select(property => property.Name == "system" ? property with { Choices = [system.Name] } : property),
            .. Shared.Where(property => property.Name != Keep.Name || system.CanPrune),
            .. system.Shape.Properties,
        ],
        // What belongs to these may stand at the top of the plan; it is looked at when both are known.
        Needs = [.. system.Shape.Needs],
    };
}
