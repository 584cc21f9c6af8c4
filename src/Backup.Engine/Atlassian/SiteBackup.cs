using Backup.Engine.Http;
using Backup.Engine.Notifications;
using Backup.Engine.Stores;

namespace Backup.Engine.Atlassian;

/// <summary>Backs up sites of Atlassian Cloud: asks for an export, follows it, and streams it into the store while it is verified.</summary>
public static class SiteBackup
{
    // Most of the time is spent waiting for Atlassian; what is transferred shares the store's memory budget.
    private const int SitesAtOnce = 4;

    /// <summary>Backs up each site. A bad option and a store that cannot be used end the run with an exception; a bad site is a result.</summary>
    public static IAsyncEnumerable<ExportResult> RunAsync(SiteBackupOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<ExportResult>(
            async (emit, token) =>
            {
                options = Checked(options);
                var report = new FailureReport("Sites");
                await report.WatchAsync(
                    options.Webhook,
                    options.WhatIf,
                    options.Store,
                    () => RunAsync(
                        options,
                        result =>
                        {
                            report.AddItem(result.Outcome, result.Bytes);
                            if (result.Outcome == Outcome.Failed)
                                report.AddFailure($"{result.Site}, {result.Product}: {result.Status}. {result.Reason}");
                            emit(result);
                        },
                        progress,
                        token),
                    token);
            },
            cancellationToken);
    }

    private static async Task RunAsync(SiteBackupOptions options, Action<ExportResult> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var store = await ObjectStores.OpenAsync(options.Destination, Sparing(options.Store), cancellationToken);
        // Before anything is asked of Atlassian: an export that nothing can take would cost a day.
        await CheckStoreAsync(store, options.WhatIf, cancellationToken);
        using var sender = new HttpSender(new() { Time = options.Store.Time, Logger = options.Logger, FirstDelay = options.RetryDelay });
        await Parallel.ForEachAsync(
            options.Sites.DistinctBy(site => site.Name, StringComparer.OrdinalIgnoreCase),
            new ParallelOptions { MaxDegreeOfParallelism = SitesAtOnce, CancellationToken = cancellationToken },
            async (site, token) => emit(await new SiteRun(new AtlassianClient(site, options.User, options.ApiToken, sender), store, options, progress).RunAsync(token)));
    }

    /// <summary>Eight parts under way keep up with any export; more buffers would only be more memory.</summary>
    internal static StoreOptions Sparing(StoreOptions store) => store with { MemoryBudget = Math.Min(store.MemoryBudget, 64L << 20) };

    /// <summary>Finds out whether the store can be used. A directory that is not there yet is made by the first run, and not by a plan.</summary>
    internal static async Task CheckStoreAsync(IObjectStore store, bool isPlan, CancellationToken cancellationToken)
    {
        if (!isPlan || store.Location.IsS3 || Directory.Exists(store.Location.Directory))
            await store.CheckAsync(forWriting: !isPlan, cancellationToken);
    }

    private static SiteBackupOptions Checked(SiteBackupOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.User) || options.User.Contains(':', StringComparison.Ordinal) || options.User.Any(char.IsControl))
            throw new BackupException(FailureKind.InvalidInput, "The user is not an e-mail address.", "Give the address that the API token belongs to.");
        if (options.ApiToken.Value.Length == 0 || options.ApiToken.Value.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
            throw new BackupException(FailureKind.InvalidInput, "The API token is empty, or has spaces or line breaks in it.", "Copy it again from id.atlassian.com.");
        if (options.PollInterval <= TimeSpan.Zero || options.Timeout <= TimeSpan.Zero || options.MaxAge < TimeSpan.Zero)
            throw new BackupException(FailureKind.InvalidInput, "PollInterval, Timeout and MaxAge have to be longer than nothing.", "Give a time, such as 00:00:30 or 12:00:00.");
        return options.StorageClass is { } name ? options with { StorageClass = StorageClasses.Parse(name) } : options;
    }
}
