using Backup.Engine.GitHub;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Runs;

namespace Backup.Engine.Plans;

/// <summary>GitHub's repositories: what Backup-GitHubRepos does.</summary>
internal sealed class GitHubPlan : PlanSystem
{
    /// <inheritdoc/>
    public override string Name => AccountRun.System;

    /// <inheritdoc/>
    public override PlanShape Shape { get; } = new("github", "Repositories of GitHub: of accounts, by name, or all of the token's.",
    [
        new("organization", PlanType.Texts, "Organizations."),
        new("user", PlanType.Texts, "Users."),
        new("repository", PlanType.Texts, "Single repositories as owner/name: what Backup-GitHubRepos takes as -Name."),
        new("affiliation", PlanType.Texts, "What the token's user has to do with a repository.") { Choices = ["owner", "collaborator", "organization_member"] },
        new("ownerOnly", PlanType.Flag, "Only what the token's user owns."),
        new("include", PlanType.Texts, "Wildcards of what is taken."),
        new("exclude", PlanType.Texts, "Wildcards of what is left out."),
        new("includeForks", PlanType.Flag, "Forks too.") { Default = false },
        new("includeArchived", PlanType.Flag, "Archived repositories too.") { Default = false },
        new("shard", PlanType.Text, "One of several equal parts: 3/8.") { Pattern = PlanForms.Shard, Form = PlanForms.ShardForm },
        new("content", PlanType.Texts, "What is backed up.") { Choices = [.. Enum.GetNames<GitHubContent>().Where(name => name != nameof(GitHubContent.None))] },
        new("fullEvery", PlanType.Whole, "After how many days all records are read again.") { Min = 1, Max = 3650, Default = 30 },
        new("mirrorPath", PlanType.Text, "A folder that keeps mirrors between runs."),
        new("throttleLimit", PlanType.Whole, "How many repositories at once.") { Min = 1, Max = 64, Default = 8 },
        new("token", PlanType.Secret, "Where the token is kept. Without it TOKEN_GITHUB, GH_TOKEN or GITHUB_TOKEN of the environment is used."),
        new("apiUri", PlanType.Address, "The API of an Enterprise Server."),
        new("appId", PlanType.Id, "A GitHub App, instead of a token."),
        new("installationId", PlanType.Whole, "The App's installation.") { Min = 1, Max = long.MaxValue },
        new("privateKey", PlanType.Secret, "Where the App's private key is kept."),
    ])
    {
        Needs = [("appId", ["installationId", "privateKey"]), ("installationId", ["appId", "privateKey"]), ("privateKey", ["appId", "installationId"])],
        Excludes = [("token", "appId"), ("ownerOnly", "affiliation"), ("repository", "organization"), ("repository", "user"), ("repository", "affiliation")],
    };

    /// <inheritdoc/>
    public override bool CanPrune => true;

    // The limits of a token are shared by all that use it.
    /// <inheritdoc/>
    public override IEnumerable<string> Claims(JobContext job) =>
    [
        $"{Name} {job.Values.Text("apiUri")} {job.Values.Text("token") ?? job.Values.Text("appId")}",
        $"{Name} {job.Destination}",
    ];

    /// <inheritdoc/>
    public override async Task RunAsync(JobContext job, JobTally tally, CancellationToken cancellationToken)
    {
        await foreach (var result in GitHubBackup.RunAsync(await OptionsAsync(job, cancellationToken), job.Progress, cancellationToken))
        {
            // A run that finds nothing to do is not committed, and its id is that of nothing.
            tally.AddItem(result.Outcome, result.Bytes, result.Outcome is Outcome.Unchanged or Outcome.Skipped ? null : result.RunId, $"{result.FullName}: {result.Reason}");
            if (result.Outcome == Outcome.Failed)
                tally.AddFailure(result.FullName, result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.FullName} was not backed up.", result.Advice);
            if (job.WhatIf)
                tally.AddPlan($"{result.FullName}: {result.Reason ?? $"{result.Outcome}"}");
        }
    }

    /// <summary>Which GitHub, and as whom.</summary>
    internal static async Task<GitHubConnection> ConnectionAsync(JobContext job, CancellationToken cancellationToken)
    {
        var connection = job.Values.Address("apiUri") is { } api ? new GitHubConnection { ApiUri = api } : new();
        if (job.Values.Text("appId") is { } app)
            return connection with { Credential = GitHubCredential.ForApp(app, job.Values.Whole("installationId") ?? 0, (await job.RevealAsync("privateKey", cancellationToken))!) };
        var token = await job.RevealAsync("token", cancellationToken) ?? GitHubEnvironment.Token();
        return token is null ? connection : connection with { Credential = GitHubCredential.ForToken(token) };
    }

    /// <summary>Which repositories.</summary>
    internal static async Task<GitHubListOptions> ListAsync(JobContext job, CancellationToken cancellationToken)
    {
        var values = job.Values;
        var affiliation = values.Texts("affiliation");
        return new()
        {
            Connection = await ConnectionAsync(job, cancellationToken),
            Organizations = values.Texts("organization") ?? [],
            Users = values.Texts("user") ?? [],
            Names = values.Texts("repository") ?? [],
            Affiliation = affiliation ?? (GitHubEnvironment.IsOwnerOnly(values.Flag("ownerOnly")) ? ["owner"] : []),
            Include = values.Texts("include"),
            Exclude = values.Texts("exclude"),
            IncludeForks = values.Flag("includeForks") ?? false,
            IncludeArchived = values.Flag("includeArchived") ?? false,
            Shard = values.Text("shard") is { } shard ? Shard.Parse(shard) : null,
        };
    }

    private static async Task<GitHubBackupOptions> OptionsAsync(JobContext job, CancellationToken cancellationToken)
    {
        var values = job.Values;
        return new()
        {
            List = await ListAsync(job, cancellationToken),
            Destination = job.RequiredDestination,
            Store = job.Store,
            StorageClass = values.Text("storageClass"),
            Content = values.Texts("content") is { } content ? content.Aggregate(GitHubContent.None, (all, name) => all | Enum.Parse<GitHubContent>(name)) : GitHubContent.Default,
            FullEvery = TimeSpan.FromDays(values.Whole("fullEvery") ?? 30),
            Keep = values.Text("keep") is { } keep ? Retention.Parse(keep) : null,
            MirrorPath = values.Text("mirrorPath") is { } mirror ? job.PathOf(mirror) : null,
            ThrottleLimit = (int)(values.Whole("throttleLimit") ?? 8),
            WhatIf = job.WhatIf,
            Logger = job.Logger,
        };
    }

    /// <inheritdoc/>
    public override async Task CheckAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken)
    {
        await checks.TryAsync("Tool", async () => $"git {(await GitProgram.FindAsync()).Version} is installed. LFS objects are fetched without git-lfs.", cancellationToken);
        if (job.Values.Text("mirrorPath") is { } mirror)
            DestinationChecks.CheckSpace("The mirror", job.PathOf(mirror), checks);
        DestinationChecks.CheckSpace("The temporary folder", Path.GetTempPath(), checks);
        GitHubListOptions list;
        try
        {
            list = await ListAsync(job, cancellationToken);
        }
        catch (BackupException exception)
        {
            if (checks.HasFailed("Secret"))
                checks.NotChecked("Source", "Without its secret GitHub cannot be asked.");
            else
                checks.Failed("Source", exception);
            return;
        }

        using (var client = new GitHubClient(list.Connection, job.BaseStore.Time, job.Logger, new() { MaxAttempts = job.BaseStore.MaxAttempts }))
            await GitHubTokenCheck.RunAsync(client, job.BaseStore.Time, checks, cancellationToken);
        // One account at a time, and no further than its first repository: a list may have a hundred pages.
        foreach (var part in Parts(list))
        {
            await checks.TryAsync(
                "Source",
                async () =>
                {
                    await foreach (var repository in GitHubRepositories.ListAsync(part, cancellationToken))
                        return $"{Named(part)} can be listed, {repository.FullName} for one.";
                    throw new BackupException(FailureKind.NotFound, $"{Named(part)} has no repository that the job would take.", "Check the account's name, what the token may see, and include, exclude, includeForks and includeArchived.");
                },
                cancellationToken);
        }
    }

    private static IEnumerable<GitHubListOptions> Parts(GitHubListOptions all)
    {
        if (all.Organizations.Count + all.Users.Count + all.Names.Count == 0)
            return [all];
        var none = all with { Organizations = [], Users = [], Names = [] };
        return
        [
            .. all.Organizations.Select(name => none with { Organizations = [name] }),
            .. all.Users.Select(name => none with { Users = [name] }),
            .. all.Names.Select(name => none with { Names = [name] }),
        ];
    }

    private static string Named(GitHubListOptions part) => $"'{part.Organizations.Concat(part.Users).Concat(part.Names).FirstOrDefault() ?? "what the token sees"}'";
}
