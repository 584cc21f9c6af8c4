using Backup.Engine.Files;
using Backup.Engine.Notifications;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Folders;

/// <summary>Brings stores up to date with folders: scan, plan, upload, delete, commit.</summary>
public static class FolderSync
{
    // Bucket names are global: whoever has a name of their own gives it.
    private const string DefaultBucketPrefix = "backup-";

    /// <summary>Syncs each folder in turn. A bad option ends the run with an exception, and so does a store that no folder could use; a bad folder or file is a result.</summary>
    public static IAsyncEnumerable<FolderSyncOutput> RunAsync(FolderSyncOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<FolderSyncOutput>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static async Task RunAsync(FolderSyncOptions options, Action<FolderSyncOutput> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        options = WithConfig(options);
        _ = PathFilter.Create(options.Include, options.Exclude);
        if (options.MaxDeletePercent is not (>= 0 and <= 100))
            throw new BackupException(FailureKind.InvalidInput, $"{options.MaxDeletePercent} is not a percentage for MaxDeletePercent.", "Give a number from 0 to 100.");
        if (options.StorageClass is { } name)
            options = options with { StorageClass = StorageClasses.Parse(name) };
        var jobs = FolderJobs.Resolve(options);
        var report = new FailureReport("Folders");
        await report.WatchAsync(
            options.Webhook,
            options.WhatIf,
            options.Store,
            () => RunAsync(jobs, options, output => { Note(report, output); emit(output); }, progress, cancellationToken),
            cancellationToken);
    }

    private static void Note(FailureReport report, FolderSyncOutput output)
    {
        switch (output)
        {
            case FileFailure failure:
                report.AddFailure($"{failure.Path}: {failure.Message}");
                break;
            case FolderSyncResult result:
                report.AddItem(result.Outcome, result.Bytes);
                break;
            default:
                break;
        }
    }

    private static async Task RunAsync(IReadOnlyList<FolderJob> jobs, FolderSyncOptions options, Action<FolderSyncOutput> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var group in jobs.GroupBy(job => job.Location))
        {
            // A folder's own bucket is made at its first upload; one that is shared or named is somebody's decision.
            var store = options.Destination is null && options.Buckets?.Values.Contains(group.Key.Bucket, StringComparer.Ordinal) != true
                ? options.Store with { CreateBucket = true }
                : options.Store;
            var folderOptions = options with
            {
                Store = store,
                Destination = group.Key,
                StorageClass = options.StorageClass ?? (group.Key.IsS3 ? StorageClasses.Default : null),
            };
            await using var opened = await ObjectStores.OpenAsync(group.Key, store, cancellationToken);
            foreach (var job in group)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (job.Failure is { } failure)
                    Refuse(job, failure, emit);
                else
                    await new FolderRun(job.Folder, opened, folderOptions, emit, progress).RunAsync(cancellationToken);
            }
        }
    }

    private static void Refuse(FolderJob job, BackupException failure, Action<FolderSyncOutput> emit)
    {
        var item = new FileFailure { Path = job.Folder, Item = job.Folder, Kind = failure.Kind, Message = failure.Message, Advice = failure.Advice };
        emit(item);
        emit(new FolderSyncResult { Path = job.Folder, Destination = job.Location.ToString(), Outcome = Outcome.Failed, Reason = failure.Message, Kind = failure.Kind, Advice = failure.Advice, Failed = 1, Failures = [item] });
    }

    /// <summary>The options with what their configuration says below them.</summary>
    internal static FolderSyncOptions WithConfig(FolderSyncOptions options)
    {
        if (options.Config is not { } config)
            return options;
        if (config.Aws?.HasKeys == true)
            options.Logger?.LogWarning("The configuration file holds AWS keys in plain text. Keep them in a profile ('aws configure') or use a role, and give -ProfileName; then take them out of the file and renew them.");
        // Relative paths in a file are relative to the file.
        var directory = Path.GetDirectoryName(config.File) ?? "";
        var isPlaced = options.Destination is not null || options.BucketPrefix is not null;
        return options with
        {
            Paths = [.. options.Paths, .. config.Backup.Folders.Select(folder => Path.GetFullPath(folder, directory))],
            Roots = [.. options.Roots, .. config.Backup.Roots.Select(root => Path.GetFullPath(root, directory))],
            Destination = isPlaced ? options.Destination : config.Backup.Destination is { } destination ? StoreLocation.Parse(destination, directory) : null,
            BucketPrefix = isPlaced ? options.BucketPrefix : config.Backup.BucketPrefix ?? (config.Backup.Destination is null ? DefaultBucketPrefix : null),
            Buckets = options.Buckets ?? config.Backup.Buckets,
            StorageClass = options.StorageClass ?? config.Backup.StorageClass,
            Include = options.Include ?? config.Backup.Include,
            Exclude = options.Exclude ?? config.Backup.Exclude,
            Webhook = options.Webhook ?? (config.Notification?.Webhook is { } webhook ? new(webhook) : null),
            Store = options.Store with { Aws = config.Aws?.Under(options.Store.Aws) ?? options.Store.Aws },
        };
    }
}
