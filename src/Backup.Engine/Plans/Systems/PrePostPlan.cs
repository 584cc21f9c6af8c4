using Backup.Engine.PrePost;

namespace Backup.Engine.Plans;

/// <summary>EC2 instances: what Start-PrePostBackup does.</summary>
internal sealed class PrePostPlan : PlanSystem
{
    private static readonly PlanShape Script = new("script", "A script that runs on the instance: commands, an object of S3, or an SSM document.",
    [
        new("commands", PlanType.Text, "Commands as text. They are kept in the run's journal: no secrets."),
        new("sourceS3Path", PlanType.Text, "The address of an object in S3."),
        new("commandToRun", PlanType.Text, "The command line that runs it."),
        new("document", PlanType.Text, "An SSM document."),
        new("documentVersion", PlanType.Id, "Its version."),
        new("parameters", PlanType.Map, "Its parameters."),
        new("workingDirectory", PlanType.Text, "Where it runs."),
        new("timeoutInSeconds", PlanType.Whole, "How many seconds it may wait to be delivered.") { Min = 30, Max = 2_592_000 },
        new("outputS3BucketName", PlanType.Text, "The bucket for its whole output."),
        new("outputS3KeyPrefix", PlanType.Text, "The prefix of its output."),
    ])
    {
        AnyOf = ["commands", "sourceS3Path", "document"],
        Excludes = [("commands", "sourceS3Path"), ("commands", "document"), ("sourceS3Path", "document")],
    };

    /// <inheritdoc/>
    public override string Name => PrePostRun.System;

    /// <inheritdoc/>
    public override PlanShape Shape { get; } = new("ec2", "EC2 instances, through AWS Backup, with scripts before and after.",
    [
        new("instanceId", PlanType.Texts, "The instances.") { Pattern = "^i-[0-9a-f]{8,17}$", Form = "an instance id, such as i-0123456789abcdef0" },
        new("tagKey", PlanType.Text, "The tag of the instances."),
        new("tagValue", PlanType.Text, "The tag's value.") { MayBeEmpty = true },
        new("inputFile", PlanType.Text, "A file with the input document of AWS's sample."),
        new("backupVaultName", PlanType.Text, "The backup vault."),
        new("iamRoleArn", PlanType.Text, "The role that AWS Backup takes."),
        new("preScript", PlanType.TextOrObject, "The script before.") { Shape = Script },
        new("postScript", PlanType.TextOrObject, "The script after.") { Shape = Script },
        new("onFailureScript", PlanType.TextOrObject, "The script for failures.") { Shape = Script },
        new("finallyScript", PlanType.TextOrObject, "The script that runs last.") { Shape = Script },
        new("stopInstance", PlanType.Flag, "Stop the instances for the backup.") { Default = false },
        new("lifecycle", PlanType.Object, "How long recovery points are kept.")
        {
            Shape = new("lifecycle", "How long recovery points are kept.",
            [
                new("moveToColdStorageAfterDays", PlanType.Whole, "Days until it moves to cold storage.") { Min = 1, Max = 36500 },
                new("deleteAfterDays", PlanType.Whole, "Days until it is deleted.") { Min = 1, Max = 36500 },
            ]),
        },
        new("recoveryPointTag", PlanType.Map, "The recovery points' tags.") { MayBeEmpty = true },
        new("windowsVss", PlanType.Flag, "Volume shadow copies on Windows.") { Default = false },
        new("executionTimeout", PlanType.Span, "How long a script may run.") { Default = "1h" },
        new("deliveryTimeout", PlanType.Span, "How long a script may wait to be delivered.") { Default = "10m" },
        new("backupTimeout", PlanType.Span, "How long a backup may take.") { Default = "24h" },
        new("retry", PlanType.Whole, "How often a failed script is run again.") { Min = 0, Max = 10, Default = 0 },
        new("onScriptError", PlanType.Text, "What a script's failure means.") { Choices = Enum.GetNames<ScriptErrorAction>(), Default = nameof(ScriptErrorAction.Fail) },
        new("resumeWhen", PlanType.Text, "When a stopped instance is started again.") { Choices = Enum.GetNames<ResumePoint>(), Default = nameof(ResumePoint.Completed) },
        new("throttle", PlanType.Whole, "How many instances are worked on side by side.") { Min = 1, Max = 1000, Default = 50 },
        new("force", PlanType.Flag, "Go on where a gate leaves the choice.") { Default = false },
    ])
    {
        AnyOf = ["instanceId", "tagKey", "inputFile"],
        Needs =
        [
            ("tagKey", ["tagValue", "backupVaultName", "iamRoleArn"]),
            ("tagValue", ["tagKey"]),
            ("instanceId", ["backupVaultName", "iamRoleArn"]),
        ],
        Excludes = [("instanceId", "tagKey"), ("instanceId", "inputFile"), ("tagKey", "inputFile")],
    };

    // Two runs must never drive one instance, and a tag can name any.
    /// <inheritdoc/>
    public override IEnumerable<string> Claims(JobContext job) => [$"{Name} {job.Services.ProfileName} {job.Services.Region}"];

    /// <inheritdoc/>
    public override async Task RunAsync(JobContext job, JobTally tally, CancellationToken cancellationToken)
    {
        await foreach (var result in PrePostBackup.RunAsync(OptionsOf(job), job.Progress, cancellationToken))
        {
            // Only an instance that somebody still drives has none, and a run ends with none of those.
            var outcome = result.Outcome ?? Outcome.Failed;
            tally.AddItem(outcome, result.Bytes ?? 0, result.RunId, $"{result.InstanceId}: {result.Reason}");
            foreach (var warning in result.Warnings)
                tally.AddWarning($"{result.InstanceId}: {warning}");
            if (outcome == Outcome.Failed)
                tally.AddFailure(result.InstanceId, result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.InstanceId} was not backed up.", result.Advice);
            else if (job.WhatIf)
                tally.AddPlan($"{result.InstanceId}: {string.Join(", ", result.Plan)}");
        }
    }

    /// <summary>The engine's options.</summary>
    internal static PrePostOptions OptionsOf(JobContext job)
    {
        var values = job.Values;
        var options = new PrePostOptions
        {
            Destination = job.RequiredDestination,
            Store = job.Store,
            Aws = job.Services,
            InstanceIds = values.Texts("instanceId") ?? [],
            TagKey = values.Text("tagKey"),
            TagValue = values.Text("tagValue"),
            BackupVaultName = values.Text("backupVaultName") ?? "",
            IamRoleArn = values.Text("iamRoleArn") ?? "",
            PreScript = ScriptOf(values, "preScript"),
            PostScript = ScriptOf(values, "postScript"),
            OnFailureScript = ScriptOf(values, "onFailureScript"),
            FinallyScript = ScriptOf(values, "finallyScript"),
            StopInstance = values.Flag("stopInstance") ?? false,
            Lifecycle = values.Object("lifecycle") is { } lifecycle
                ? new() { MoveToColdStorageAfterDays = (int?)lifecycle.Whole("moveToColdStorageAfterDays"), DeleteAfterDays = (int?)lifecycle.Whole("deleteAfterDays") }
                : null,
            RecoveryPointTags = values.Map("recoveryPointTag")?.ToDictionary(pair => pair.Key, pair => string.Join(',', pair.Value), StringComparer.Ordinal),
            WindowsVss = values.Flag("windowsVss") ?? false,
            ExecutionTimeout = values.Span("executionTimeout") ?? TimeSpan.FromHours(1),
            DeliveryTimeout = values.Span("deliveryTimeout") ?? TimeSpan.FromMinutes(10),
            BackupTimeout = values.Span("backupTimeout") ?? TimeSpan.FromHours(24),
            Retry = (int)(values.Whole("retry") ?? 0),
            OnScriptError = values.Choice<ScriptErrorAction>("onScriptError") ?? ScriptErrorAction.Fail,
            ResumeWhen = values.Choice<ResumePoint>("resumeWhen") ?? ResumePoint.Completed,
            // Not the plan's own, which is how many jobs run side by side.
            Throttle = values.Has("throttle") ? (int)values.Whole("throttle")! : 50,
            Force = values.Flag("force") ?? false,
            WhatIf = job.WhatIf,
            Logger = job.Logger,
        };
        return values.Text("inputFile") is { } file ? PrePostDocument.Apply(job.ReadText(file), options) : options;
    }

    private static PrePostScript? ScriptOf(PlanValues values, string name)
    {
        if (values.Object(name) is not { } script)
            return values.Text(name) is { } text ? PrePostScript.Parse(text) : null;
        return new()
        {
            Commands = script.Text("commands"),
            SourceS3Path = script.Text("sourceS3Path"),
            CommandToRun = script.Text("commandToRun"),
            Document = script.Text("document"),
            DocumentVersion = script.Text("documentVersion"),
            Parameters = script.Map("parameters"),
            WorkingDirectory = script.Text("workingDirectory"),
            DeliverySeconds = (int?)script.Whole("timeoutInSeconds"),
            OutputS3BucketName = script.Text("outputS3BucketName"),
            OutputS3KeyPrefix = script.Text("outputS3KeyPrefix"),
        };
    }

    /// <inheritdoc/>
    public override bool UsesAws => true;

    // What a run would do is found out by all that a run looks at first: vault, role, instances, agents.
    /// <inheritdoc/>
    public override async Task CheckAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var result in PrePostBackup.RunAsync(OptionsOf(job), null, cancellationToken))
            {
                if (result.Outcome == Outcome.Failed)
                    checks.Failed("Source", new BackupException(result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.InstanceId} cannot be backed up.", result.Advice));
                else
                    checks.Passed("Source", $"{result.InstanceId}{(result.Name is { } name ? $" ({name})" : "")} is {result.PriorState}; vault, role and agent are there.");
                foreach (var warning in result.Warnings)
                    checks.Warning("Source", $"{result.InstanceId}: {warning}", "See the page of Start-PrePostBackup.");
            }
        }
        catch (BackupException exception)
        {
            checks.Failed("Source", exception);
        }
    }
}
