using System.Diagnostics;
using Backup.Engine.Files;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Runs;

/// <summary>How a run is restored.</summary>
internal sealed record RestoreSettings
{
    public PathFilter? Filter { get; init; }

    public RestoreTier Tier { get; init; } = RestoreTier.Bulk;

    public int Days { get; init; } = 7;

    public bool Wait { get; init; }

    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMinutes(15);

    public bool Force { get; init; }

    public bool WhatIf { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger? Logger { get; init; }
}

/// <summary>
/// Writes a run's items below a directory, each verified by its hash before it gets its name. It can be interrupted and run again:
/// what is there and identical is left alone. Nothing is held but the list of directories.
/// </summary>
internal sealed class RunRestorer(IObjectStore store, RunManifest manifest, string target, RestoreSettings settings, Action<RestoreOutput> emit, IProgress<BackupProgress>? progress)
{
    private readonly RunCatalog _catalog = new(store);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ProgressMeter _meter = new(progress, $"Restoring {manifest.SourceName}", settings.Filter is null ? manifest.TotalBytes : null, settings.Filter is null ? manifest.TotalObjects : null);

    private long _restored;
    private long _unchanged;
    private long _skipped;
    private long _failed;
    private long _waiting;
    private long _bytes;

    /// <summary>Restores everything that can be read, and with <see cref="RestoreSettings.Wait"/> the rest as it becomes readable. What ends the run early is thrown, behind its summary.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RestoreAsync(cancellationToken);
        }
        catch (BackupException exception)
        {
            emit(Summary(Outcome.Failed, exception.Message) with { Kind = exception.Kind, Advice = exception.Advice });
            throw;
        }
    }

    private async Task RestoreAsync(CancellationToken cancellationToken)
    {
        if (!settings.WhatIf)
            Directory.CreateDirectory(target);
        using var tree = Directory.Exists(target) || Path.Exists(target) ? FileTree.Open(target) : null;
        await PassAsync(tree, isFirst: true, cancellationToken);
        while (_waiting > 0 && settings.Wait && !settings.WhatIf)
        {
            settings.Logger?.LogInformation("{Count} archived objects are not readable yet; looking again in {Interval}.", _waiting, settings.PollInterval);
            await Task.Delay(settings.PollInterval, settings.Time, cancellationToken);
            _waiting = 0;
            await PassAsync(tree, isFirst: false, cancellationToken);
        }

        if (tree is not null && !settings.WhatIf)
            await SetDirectoryTimesAsync(tree, cancellationToken);
        emit(Summary(
            settings.WhatIf ? Outcome.Skipped : _failed > 0 ? Outcome.Failed : _waiting > 0 ? Outcome.Deferred : Outcome.Completed,
            settings.WhatIf ? "WhatIf: nothing was written."
                : _failed > 0 ? $"{_failed} files could not be restored."
                : _waiting > 0 ? $"{_waiting} files are archived: they were asked for, and can be restored by the same command within hours, or with -Wait."
                : null));
    }

    private RestoreSummary Summary(Outcome outcome, string? reason) => new()
    {
        RunId = manifest.RunId,
        SourceName = manifest.SourceName,
        Destination = target,
        Outcome = outcome,
        Reason = reason,
        Restored = _restored,
        Unchanged = _unchanged,
        Skipped = _skipped,
        Deferred = _waiting,
        Failed = _failed,
        Bytes = _bytes,
        Duration = _clock.Elapsed,
        WhatIf = settings.WhatIf,
    };

    private Task PassAsync(FileTree? tree, bool isFirst, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        Entries(cancellationToken).Where(entry => isFirst || entry.Type == InventoryEntryType.File),
        new ParallelOptions { MaxDegreeOfParallelism = Math.Min(store.Abilities.Parallelism, 64), CancellationToken = cancellationToken },
        async (entry, token) =>
        {
            try
            {
                await RestoreAsync(tree, entry, isFirst, token);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                var failure = BackupException.From(exception);
                Interlocked.Increment(ref _failed);
                Tell(entry, Outcome.Failed, failure.Message, failure);
                // A full disk takes nothing more.
                if (failure.Kind == FailureKind.NoSpace)
                    throw failure;
            }
        });

    private async Task RestoreAsync(FileTree? tree, InventoryEntry entry, bool isFirst, CancellationToken cancellationToken)
    {
        switch (entry.Type)
        {
            case InventoryEntryType.Directory when !settings.WhatIf:
                tree!.CreateDirectory(entry.Path);
                break;
            case InventoryEntryType.Symlink when !settings.WhatIf:
                if (tree!.TryStat(entry.Path) is not { } link || (link.Kind == FileEntryKind.Symlink && link.LinkTarget != entry.Target) || settings.Force)
                    tree.CreateSymlink(entry.Path, entry.Target ?? "", entry.Mtime?.Ticks);
                break;
            case InventoryEntryType.File:
                await RestoreFileAsync(tree, entry, isFirst, cancellationToken);
                break;
            default:
                break;
        }
    }

    private async Task RestoreFileAsync(FileTree? tree, InventoryEntry entry, bool isFirst, CancellationToken cancellationToken)
    {
        if (tree?.TryStat(entry.Path) is { } existing)
        {
            if (existing.Kind == FileEntryKind.Directory)
                throw new BackupException(FailureKind.AlreadyExists, $"'{tree.Display(entry.Path)}' is a directory, and was a file.", "Move it away, or restore to another place.");
            // On a later pass what has the right size and time was restored by an earlier one.
            if (!isFirst && existing.Size == entry.Size && existing.ModifiedTicks == entry.Mtime?.Ticks)
                return;
            if (await IsIdenticalAsync(tree, existing, entry, cancellationToken))
            {
                Interlocked.Increment(ref _unchanged);
                _meter.Report(entry.Size);
                _meter.Finish(entry.Path);
                if (!settings.WhatIf)
                    Describe(tree, existing, entry);
                return;
            }

            if (!settings.Force && existing.ModifiedTicks > (entry.Mtime?.Ticks ?? 0))
            {
                if (isFirst)
                {
                    Interlocked.Increment(ref _skipped);
                    Tell(entry, Outcome.Skipped, "The file on disk is newer than the backup.", null, "Give -Force to overwrite it, or restore to another place.");
                }

                return;
            }
        }

        if (!await IsReadableAsync(entry, cancellationToken))
        {
            Interlocked.Increment(ref _waiting);
            return;
        }

        if (!settings.WhatIf)
            await DownloadAsync(tree!, entry, cancellationToken);
        Interlocked.Increment(ref _restored);
        Interlocked.Add(ref _bytes, entry.Size);
        _meter.Finish(entry.Path);
    }

    private static async Task<bool> IsIdenticalAsync(FileTree tree, FileEntry existing, InventoryEntry entry, CancellationToken cancellationToken)
    {
        if (existing.Kind != FileEntryKind.File || existing.Size != entry.Size)
            return false;
        await using var file = tree.OpenRead(entry.Path);
        return (await ContentHash.ComputeAsync(file, cancellationToken)).Matches(entry);
    }

    private static void Describe(FileTree tree, FileEntry existing, InventoryEntry entry)
    {
        if (InventoryEntry.ParseMode(entry.Mode) is { } mode && existing.Mode is { } now && now != mode)
            tree.SetMode(entry.Path, mode);
        if (entry.Mtime is { } time && existing.ModifiedTicks != time.Ticks)
            tree.SetTimes(entry.Path, time.Ticks);
    }

    /// <summary>Whether the object can be read; an archived one is asked for, and asked for again where the copy expired while it was waited for.</summary>
    private async Task<bool> IsReadableAsync(InventoryEntry entry, CancellationToken cancellationToken)
    {
        if (entry.StorageClass is not ("GLACIER" or "DEEP_ARCHIVE"))
            return true;
        var head = await store.HeadAsync(entry.Key!, entry.Version, cancellationToken) ?? throw Missing(entry);
        if (head.Archive != ArchiveState.Archived || settings.WhatIf)
            return head.Archive == ArchiveState.Readable;
        return await store.RequestRestoreAsync(entry.Key!, new(settings.Days, settings.Tier, entry.Version), cancellationToken) == ArchiveState.Readable;
    }

    private async Task DownloadAsync(FileTree tree, InventoryEntry entry, CancellationToken cancellationToken)
    {
        using var file = tree.CreateFile(entry.Path);
        await using (var content = await store.ReadAsync(entry.Key!, new() { VersionId = entry.Version }, cancellationToken))
        {
            var hash = await ContentHash.ComputeAsync(
                content.Stream,
                cancellationToken,
                async bytes =>
                {
                    await file.Stream.WriteAsync(bytes, cancellationToken);
                    _meter.Report(bytes.Length);
                });
            if (!hash.Matches(entry))
                throw new BackupException(FailureKind.ChecksumMismatch, $"'{entry.Key}' is not what this run stored: it was overwritten since in a store without versions, or it is damaged.", "Nothing was written in its place. Restore a newer run, or check the run with Test-BackupRun -Deep.");
        }

        file.Commit(entry.Mtime?.Ticks, InventoryEntry.ParseMode(entry.Mode));
    }

    // What a file's arrival did to its directory's time is undone last; deepest first, because a directory may be read-only.
    private async Task SetDirectoryTimesAsync(FileTree tree, CancellationToken cancellationToken)
    {
        var directories = new List<InventoryEntry>();
        await foreach (var entry in Entries(cancellationToken))
        {
            if (entry.Type == InventoryEntryType.Directory)
                directories.Add(entry);
        }

        for (var i = directories.Count - 1; i >= 0; i--)
        {
            var entry = directories[i];
            try
            {
                if (tree.TryStat(entry.Path) is { } existing)
                    Describe(tree, existing, entry);
            }
            catch (BackupException exception)
            {
                Interlocked.Increment(ref _failed);
                Tell(entry, Outcome.Failed, exception.Message, exception);
            }
        }
    }

    private IAsyncEnumerable<InventoryEntry> Entries(CancellationToken cancellationToken) =>
        _catalog.ReadInventoryAsync(manifest, cancellationToken).Where(entry => settings.Filter is null || settings.Filter.Includes(entry.Path));

    private static BackupException Missing(InventoryEntry entry) =>
        new(FailureKind.NotFound, $"'{entry.Key}' is not in the store any more.", "Restore another run. Test-BackupRun lists what this one lacks.");

    private void Tell(InventoryEntry entry, Outcome outcome, string reason, BackupException? failure, string? advice = null) => emit(new RestoredItem
    {
        RunId = manifest.RunId,
        Path = Path.Join(target, entry.Path),
        Outcome = outcome,
        Reason = reason,
        Kind = failure?.Kind,
        Advice = advice ?? failure?.Advice,
    });
}
