using System.Globalization;
using Backup.Engine.Aws.CodeArtifact;
using Backup.Engine.Maven;

namespace Backup.Engine.Plans;

/// <summary>Packages of CodeArtifact: what Backup-MavenPackage does, but for events. Without packages the whole repository is meant.</summary>
internal sealed class MavenPlan : PlanSystem
{
    /// <inheritdoc/>
    public override string Name => MavenRun.System;

    /// <inheritdoc/>
    public override PlanShape Shape { get; } = new("maven", "Packages of AWS CodeArtifact: of a whole repository, or some of it.",
    [
        new("domain", PlanType.Text, "The domain.") { IsRequired = true },
        new("domainOwner", PlanType.Text, "The account that owns the domain, in quotes.") { Pattern = "^[0-9]{12}$", Form = "the 12 digits of an account, in quotes" },
        new("repository", PlanType.Text, "The repository.") { IsRequired = true },
        new("all", PlanType.Flag, "Everything in the repository: what is meant without packages."),
        new("package", PlanType.Texts, "Packages, as group:artifact."),
        new("version", PlanType.Texts, "Versions of them; without it all."),
        new("namespace", PlanType.Text, "Only this namespace and those below it."),
        new("since", PlanType.Text, "Only what was published then or later.") { Pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$", Form = "a day or a moment in UTC, such as \"2026-01-28\" or \"2026-01-28T04:00:00Z\"" },
        new("shard", PlanType.Text, "One part of several, such as 1/4.") { Pattern = PlanForms.Shard, Form = PlanForms.ShardForm },
        new("format", PlanType.Texts, "The formats.") { Choices = ["maven", "npm", "nuget", "pypi", "generic"], Default = "maven" },
        new("requestRate", PlanType.Number, "Asset requests a second.") { Min = 0, Max = 100_000, Default = 40 },
    ])
    {
        Needs = [("version", ["package"])],
        Excludes = [("all", "package"), ("package", "namespace"), ("package", "since"), ("package", "shard")],
    };

    // The rates that CodeArtifact allows are those of an account in a region.
    /// <inheritdoc/>
    public override IEnumerable<string> Claims(JobContext job) => [$"codeartifact {job.Services.ProfileName} {job.Services.Region}"];

    /// <inheritdoc/>
    public override async Task RunAsync(JobContext job, JobTally tally, CancellationToken cancellationToken)
    {
        var options = OptionsOf(job);
        await foreach (var output in MavenBackup.RunAsync(options, job.Progress, cancellationToken))
        {
            var item = output is PackageVersionResult version ? $"{version.Package}:{version.Version}" : $"{output.Domain}/{output.Repository}";
            // The repository's own line adds up what its versions say.
            var isSum = output is RepositoryResult;
            if (isSum || !options.All)
                tally.AddItem(output.Outcome, output.Bytes, output.RunId, $"{item}: {output.Reason}");
            if (output.Outcome == Outcome.Failed && !(isSum && tally.HasFailures))
                tally.AddFailure(item, output.Kind ?? FailureKind.Unknown, output.Reason ?? $"{item} was not backed up.", output.Advice);
            if (job.WhatIf)
                tally.AddPlan(output is RepositoryResult sum ? $"{item}: {sum.Stored} versions to store, {sum.Unchanged} are there"
                    : output.WhatIf && output.Outcome == Outcome.Skipped ? $"{item}: {Reports.Words.Size(output.Bytes)} to store" : $"{item}: {output.Reason ?? $"{output.Outcome}"}");
        }
    }

    /// <summary>The engine's options.</summary>
    internal static MavenBackupOptions OptionsOf(JobContext job)
    {
        var values = job.Values;
        var packages = values.Texts("package") ?? [];
        return new()
        {
            Destination = job.RequiredDestination,
            Store = job.Store,
            Aws = job.Services,
            Domain = values.Text("domain"),
            DomainOwner = values.Text("domainOwner"),
            Repository = values.Text("repository"),
            All = packages.Count == 0,
            Packages = packages,
            Versions = values.Texts("version") ?? [],
            Namespace = values.Text("namespace"),
            Since = values.Text("since") is { } since ? ParseSince(since) : null,
            Shard = values.Text("shard")?.Split('/') is [var index, var count] ? (int.Parse(index, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture)) : null,
            Formats = values.Texts("format") ?? [PackageVersionId.Maven],
            RequestRate = values.Number("requestRate") ?? CodeArtifactSource.DefaultRequestRate,
            StorageClass = values.Text("storageClass"),
            WhatIf = job.WhatIf,
            Logger = job.Logger,
        };
    }

    private static DateTimeOffset ParseSince(string text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since)
        ? since
        : throw new BackupException(FailureKind.InvalidInput, $"'{text}' of 'since' is no day of the calendar.", "Correct the date.");

    /// <inheritdoc/>
    public override bool UsesAws => true;

    /// <inheritdoc/>
    public override async Task CheckAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken)
    {
        var options = OptionsOf(job);
        using var client = new CodeArtifactClient(new() { Aws = options.Aws, Logger = job.Logger, Time = job.BaseStore.Time, MaxAttempts = job.BaseStore.MaxAttempts });
        var name = $"{options.Domain}/{options.Repository}";
        foreach (var format in options.Formats)
        {
            var isEmpty = false;
            await checks.TryAsync(
                "Source",
                async () =>
                {
                    await foreach (var package in client.ListPackagesAsync(new() { Repository = new() { Domain = options.Domain!, DomainOwner = options.DomainOwner, Repository = options.Repository! }, Format = format, MaxResults = 1 }, cancellationToken))
                        return $"{name} in {client.Region} can be listed, {(package.Namespace is { } space ? $"{space}:" : "")}{package.Package} for one.";
                    isEmpty = true;
                    return $"{name} in {client.Region} can be listed.";
                },
                cancellationToken);
            if (isEmpty)
                checks.Warning("Source", $"{name} has no package of the format {format}.", "Check the names. What only an upstream repository has is not in this one.");
        }
    }
}
