using Backup.Engine.Atlassian;
using Backup.Engine.Http;
using Backup.Engine.Reports;
using Backup.Engine.Runs;

namespace Backup.Engine.Plans;

/// <summary>Sites of Atlassian Cloud: what Invoke-ConfluenceBackup and Invoke-JiraBackup do.</summary>
internal sealed class SitePlan(AtlassianProduct product) : PlanSystem
{
    /// <inheritdoc/>
    public override string Name => ExportOrigin.SystemOf(product);

    /// <inheritdoc/>
    public override bool CanPrune => true;

    /// <inheritdoc/>
    public override PlanShape Shape { get; } = new(ExportOrigin.SystemOf(product), $"{product} sites.",
    [
        new("site", PlanType.Texts, "The sites, such as acme.atlassian.net.") { IsRequired = true },
        new("user", PlanType.Text, "The e-mail address of the user.") { IsRequired = true },
        new("apiToken", PlanType.Secret, "Where the user's API token is kept.") { IsRequired = true },
        new("includeAttachments", PlanType.Flag, "Export attachments too.") { Default = true },
        new("maxAge", PlanType.Span, "Take an export that is younger than this."),
        new("pollInterval", PlanType.Span, "The time between two questions about progress.") { Default = "30s" },
        new("timeout", PlanType.Span, "How long an export may take to be made.") { Default = "24h" },
    ]);

    /// <inheritdoc/>
    public override IEnumerable<string> Claims(JobContext job) => Sites(job).Select(site => $"site {site.Name}");

    /// <inheritdoc/>
    public override async Task RunAsync(JobContext job, JobTally tally, CancellationToken cancellationToken)
    {
        await foreach (var result in SiteBackup.RunAsync(await OptionsAsync(job, cancellationToken), job.Progress, cancellationToken))
        {
            tally.AddItem(result.Outcome, result.Bytes, result.RunId, $"{result.Site}: {result.Reason}");
            if (result.Outcome == Outcome.Failed)
                tally.AddFailure(result.Site, result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.Product} of {result.Site} was not backed up.", result.Advice);
            if (job.WhatIf)
                tally.AddPlan($"{result.Site}: {result.Reason}");
        }
    }

    /// <summary>The sites.</summary>
    internal static IReadOnlyList<AtlassianSite> Sites(JobContext job) => [.. (job.Values.Texts("site") ?? []).Select(AtlassianSite.Parse)];

    private async Task<SiteBackupOptions> OptionsAsync(JobContext job, CancellationToken cancellationToken)
    {
        var values = job.Values;
        return new()
        {
            Product = product,
            Sites = Sites(job),
            User = values.Text("user")!,
            Destination = job.RequiredDestination,
            Store = job.Store,
            StorageClass = values.Text("storageClass"),
            IncludeAttachments = values.Flag("includeAttachments") ?? true,
            MaxAge = values.Span("maxAge"),
            PollInterval = values.Span("pollInterval") ?? TimeSpan.FromSeconds(30),
            Timeout = values.Span("timeout") ?? TimeSpan.FromHours(24),
            Keep = values.Text("keep") is { } keep ? Retention.Parse(keep) : null,
            WhatIf = job.WhatIf,
            Logger = job.Logger,
            ApiToken = new((await job.RevealAsync("apiToken", cancellationToken))!),
        };
    }

    /// <inheritdoc/>
    public override async Task CheckAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken)
    {
        string token;
        try
        {
            token = (await job.RevealAsync("apiToken", cancellationToken))!;
        }
        catch (BackupException)
        {
            checks.NotChecked("Source", "Without its API token the site cannot be asked.");
            return;
        }

        using var sender = new HttpSender(new() { Time = job.BaseStore.Time, Logger = job.Logger, MaxAttempts = job.BaseStore.MaxAttempts });
        foreach (var site in Sites(job))
        {
            var client = new AtlassianClient(site, job.Values.Text("user")!, new(token), sender);
            IExportApi api = product == AtlassianProduct.Jira ? new JiraExports(client) : new ConfluenceExports(client);
            await checks.TryAsync(
                "Source",
                async () =>
                {
                    await api.CheckAsync(cancellationToken);
                    var state = await api.StateAsync(null, cancellationToken);
                    return $"{site} knows {client.User}{(state.Time is { } time ? $"; its newest export is of {Words.Moment(time)}" : "")}.";
                },
                cancellationToken);
        }
    }
}
