using Backup.Engine.GitHub.Git;
using Backup.Engine.Http;
using Backup.Engine.Notifications;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>Backs up repositories: list, compare, fetch what changed, commit. Each account is a source of its own in the catalog.</summary>
public static class GitHubBackup
{
    /// <summary>Backs up. A result a repository as it finishes, failures included; a list that cannot be read and a store that cannot be used end the run.</summary>
    public static IAsyncEnumerable<GitHubBackupResult> RunAsync(GitHubBackupOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<GitHubBackupResult>(
            (emit, token) =>
            {
                var report = new FailureReport("Repositories");
                return report.WatchAsync(
                    options.Webhook,
                    options.WhatIf,
                    options.Store,
                    () => RunAsync(options, result => { Note(report, result); emit(result); }, progress, token),
                    token);
            },
            cancellationToken);
    }

    /// <summary>The source's name in catalogs: <c>github.com/acme</c>, and the shard where there is one.</summary>
    internal static string SourceName(GitHubConnection connection, string login, Shard? shard) =>
        $"{connection.Host}/{login}{(shard is null ? "" : $" (shard {shard.Index} of {shard.Count})")}";

    private static void Note(FailureReport report, GitHubBackupResult result)
    {
        report.AddItem(result.Outcome, result.Bytes);
        foreach (var failure in result.Outcome == Outcome.Failed ? result.Failures : [])
            report.AddFailure($"{failure.Item}: {failure.Message}");
    }

    private static async Task RunAsync(GitHubBackupOptions options, Action<GitHubBackupResult> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var list = options.List with { Time = options.Store.Time, Logger = options.Logger };
        options = options with { List = list };
        if ((options.Content & (GitHubContent.Git | GitHubContent.Wiki)) != GitHubContent.None && !options.WhatIf)
            await GitProgram.FindAsync();
        using var client = new GitHubClient(list.Connection, options.Store.Time, options.Logger);
        await using var store = await ObjectStores.OpenAsync(options.Destination, options.Store, cancellationToken);
        await CheckStoreAsync(store, options, cancellationToken);
        var listings = await ListAsync(client, options, cancellationToken);

        using var gitHttp = new HttpSender(new() { MaxAttempts = 3, AnswerTimeout = options.Stall, Time = options.Store.Time, Logger = options.Logger });
        using var work = options.WhatIf ? null : WorkFolder.Create(options.WorkPath);
        var git = new GitBackup(store, gitHttp, new()
        {
            WorkPath = work?.Path ?? "",
            MirrorPath = options.MirrorPath,
            StorageClass = options.StorageClass,
            Stall = options.Stall,
            Time = options.Store.Time,
            Logger = options.Logger,
        });
        var meter = new ProgressMeter(progress, "Backing up repositories", null, listings.Sum(listing => listing.Wanted.Count + listing.Missing.Count));
        foreach (var listing in listings)
        {
            var writer = new RunWriter(store, AccountRun.System, SourceName(list.Connection, listing.Login, list.Shard), options.Store.Time);
            var memory = await AccountMemory.ReadAsync(store, await LatestAsync(store, writer, cancellationToken), cancellationToken);
            await new AccountRun(new(options, client, gitHttp, git, store, writer), listing, memory, emit, meter).RunAsync(cancellationToken);
        }
    }

    private static async Task CheckStoreAsync(IObjectStore store, GitHubBackupOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await store.CheckAsync(forWriting: !options.WhatIf, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound && options.WhatIf && !store.Location.IsS3)
        {
            // A directory begins with the first write.
        }
    }

    private static async Task<RunManifest?> LatestAsync(IObjectStore store, RunWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            return await new RunCatalog(store).FindLatestAsync(AccountRun.System, writer.Source, null, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            return null;
        }
    }

    private static async Task<List<AccountListing>> ListAsync(GitHubClient client, GitHubBackupOptions options, CancellationToken cancellationToken)
    {
        var wanted = new List<GitHubRepository>();
        var seen = new HashSet<long>();
        var filter = new RepositoryFilter(options.List);
        var listing = new RepositoryListing(client, options.List);
        if (options.Repositories is { } given)
        {
            // What came down a pipeline was chosen by hand, and says nothing of what is not there.
            wanted.AddRange(given.Where(repository => options.List.Shard?.Contains(repository.Id) != false).DistinctBy(repository => repository.Id));
        }
        else
        {
            await foreach (var repository in listing.ListAsync(cancellationToken))
            {
                seen.Add(repository.Id);
                if (filter.Takes(repository))
                    wanted.Add(repository);
            }

            filter.Tell(options.Logger);
        }

        var accounts = listing.Accounts.ToDictionary(account => account.Login, StringComparer.OrdinalIgnoreCase);
        var byOwner = wanted.GroupBy(repository => repository.Owner, StringComparer.OrdinalIgnoreCase).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.OrdinalIgnoreCase);
        var missing = listing.Missing.ToLookup(one => one.FullName.Split('/')[0], StringComparer.OrdinalIgnoreCase);
        foreach (var account in accounts.Keys.Concat(missing.Select(group => group.Key)).Where(login => !byOwner.ContainsKey(login)).Distinct(StringComparer.OrdinalIgnoreCase).ToList())
            byOwner[account] = [];
        return [.. byOwner
            .OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase)
            .Select(pair => new AccountListing(pair.Key, pair.Value, seen, listing.Complete, [.. missing[pair.Key]], IsFirstShard(options) ? accounts.GetValueOrDefault(pair.Key) : null, pair.Key.Equals(listing.Self, StringComparison.OrdinalIgnoreCase)))];
    }

    // What belongs to the account and to no repository is for one of the machines.
    private static bool IsFirstShard(GitHubBackupOptions options) => options.List.Shard is null or { Index: 1 };
}
