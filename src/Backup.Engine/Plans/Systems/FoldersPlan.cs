using Backup.Engine.Folders;
using Backup.Engine.Stores;

namespace Backup.Engine.Plans;

/// <summary>Folders: what Sync-FolderToS3 does. Its -Force and -Reset are for one occasion, and so not for a plan.</summary>
internal sealed class FoldersPlan : PlanSystem
{
    /// <inheritdoc/>
    public override string Name => FolderRun.System;

    /// <inheritdoc/>
    public override PlanShape Shape { get; } = new("folders", "Folders, each an independent backup.",
    [
        new("path", PlanType.Texts, "The folders. Relative ones are relative to the plan."),
        new("root", PlanType.Texts, "Folders whose direct children are each a backup."),
        new("configFile", PlanType.Text, "A config.json of Matricula Backup."),
        new("bucketPrefix", PlanType.Text, "What the name of each folder's own bucket begins with, instead of a destination."),
        new("cachePath", PlanType.Text, "The directory of the caches."),
        new("include", PlanType.Texts, "Glob patterns of what is taken."),
        new("exclude", PlanType.Texts, "Glob patterns of what is left out."),
        new("followSymlink", PlanType.Flag, "Back up what links point at.") { Default = false },
        new("maxDeletePercent", PlanType.Number, "The share of files, in percent, above which deletions are refused.") { Min = 0, Max = 100, Default = 10 },
    ])
    {
        AnyOf = ["path", "root", "configFile"],
        Excludes = [("destination", "bucketPrefix")],
    };

    // One disk and one line: side by side two of them are no faster.
    /// <inheritdoc/>
    public override IEnumerable<string> Claims(JobContext job) => [$"{Name} {Place(job)?.ToString() ?? job.Values.Text("bucketPrefix") ?? job.Values.Text("configFile")}"];

    /// <inheritdoc/>
    public override async Task RunAsync(JobContext job, JobTally tally, CancellationToken cancellationToken)
    {
        var explained = new HashSet<string>(StringComparer.Ordinal);
        var unexplained = new List<FolderSyncResult>();
        await foreach (var output in FolderSync.RunAsync(OptionsOf(job), job.Progress, cancellationToken))
        {
            switch (output)
            {
                case FileFailure failure:
                    explained.Add(failure.Path);
                    tally.AddFailure(failure.Item == failure.Path ? failure.Path : Path.Join(failure.Path, failure.Item), failure.Kind, failure.Message, failure.Advice);
                    break;
                case FolderSyncResult result:
                    tally.AddItem(result.Outcome, result.Bytes, result.RunId);
                    if (result.Outcome == Outcome.Failed && !explained.Contains(result.Path))
                        unexplained.Add(result);
                    if (result.WhatIf)
                        tally.AddPlan($"{result.Path} to {result.Destination}: {result.New} new, {result.Changed} changed, {result.Deleted} deleted, {Reports.Words.Size(result.Bytes)} to send{CostOf(result.Estimate)}");
                    break;
            }
        }

        // Only here: a store that no folder could use is thrown behind the folder's result, and is then the one failure.
        foreach (var result in unexplained)
            tally.AddFailure(result.Path, result.Kind ?? FailureKind.Unknown, result.Reason ?? "The folder was not backed up.", result.Advice);
    }

    /// <summary>The engine's options.</summary>
    internal static FolderSyncOptions OptionsOf(JobContext job)
    {
        var values = job.Values;
        return new()
        {
            Paths = [.. (values.Texts("path") ?? []).Select(job.PathOf)],
            Roots = [.. (values.Texts("root") ?? []).Select(job.PathOf)],
            Config = values.Text("configFile") is { } file ? SyncConfig.Read(job.PathOf(file)) : null,
            Destination = Place(job),
            BucketPrefix = values.Text("bucketPrefix"),
            Store = job.Store,
            StorageClass = values.Text("storageClass"),
            CachePath = values.Text("cachePath") is { } cache ? job.PathOf(cache) : null,
            Include = values.Texts("include"),
            Exclude = values.Texts("exclude"),
            FollowSymlink = values.Flag("followSymlink") ?? false,
            MaxDeletePercent = values.Number("maxDeletePercent") ?? 10,
            WhatIf = job.WhatIf,
            Logger = job.Logger,
        };
    }

    private static string CostOf(CostEstimate? estimate) => estimate is null ? ""
        : FormattableString.Invariant($", about {estimate.RequestCost + estimate.EarlyDeletionCost:0.00} {estimate.Currency} once and {estimate.MonthlyCost:0.00} a month");

    // A bucket a folder, and what a configuration says, go before the destination of all jobs.
    private static StoreLocation? Place(JobContext job) =>
        job.Values.Has("bucketPrefix") || (job.Values.Has("configFile") && !job.Values.Has("destination")) ? null : job.Destination;

    /// <inheritdoc/>
    public override async Task CheckDestinationAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken)
    {
        if (Place(job) is not null)
            await base.CheckDestinationAsync(job, checks, cancellationToken);
        else
            checks.NotChecked("Destination", "Each folder has a bucket of its own, which is made at its first upload, or named by the configuration.");
    }

    /// <inheritdoc/>
    public override Task CheckAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken)
    {
        var options = FolderSync.WithConfig(OptionsOf(job));
        if (options.Config?.Aws?.HasKeys == true)
            checks.Warning("Secret", "The configuration holds AWS keys in plain text.", "Keep them in a profile or use a role, take them out of the file, and renew them.");
        var readable = 0;
        foreach (var folder in FolderJobs.Resolve(options))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (folder.Failure is { } failure)
                    throw failure;
                if (!Directory.Exists(folder.Folder))
                    throw new BackupException(FailureKind.NotFound, $"The folder '{folder.Folder}' does not exist.", "Check the path. If it is on a drive that is mounted, mount it.");
                if (Directory.EnumerateFileSystemEntries(folder.Folder).Any())
                    readable++;
                else
                    checks.Warning("Source", $"The folder '{folder.Folder}' is empty.", "If it is on a drive that is mounted, mount it.");
            }
            catch (Exception exception) when (exception is BackupException or IOException or UnauthorizedAccessException)
            {
                checks.Failed("Source", exception);
            }
        }

        if (readable > 0)
            checks.Passed("Source", $"{readable} {(readable == 1 ? "folder" : "folders")} can be read.");
        var cache = FolderPaths.CacheDirectory(options.CachePath);
        if (DestinationChecks.WhyNotWritable(cache) is { } why)
            checks.Failed("Cache", why);
        DestinationChecks.CheckSpace("The cache", cache, checks);
        return Task.CompletedTask;
    }
}
