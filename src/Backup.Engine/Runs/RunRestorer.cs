using System.Collections;
using System.Diagnostics;
using Backup.Engine.Files;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Runs;

/// <summary>
/// Writes a run's items below a directory, each verified by its hash before it gets its name. It can be interrupted and run again:
/// what is there and identical is left alone. Nothing is held but the list of directories.
/// </summary>
internal sealed class RunRestorer(IObjectStore store, RunManifest manifest, string target, RestoreOptions options, Action<RestoreOutput> emit, IProgress<BackupProgress>? progress)
{
    private readonly RunCatalog _catalog = new(store);
    private readonly PathFilter? _filter = PathFilter.Create(options.Include, null);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ProgressMeter _meter = new(progress, $"Restoring {manifest.SourceName}", options.Include is null ? manifest.TotalBytes : null, options.Include is null ? manifest.TotalObjects : null);

    private readonly RunReader _reader = new(store);
    private readonly StoreHealth _health = new();
    private readonly Lock _lock = new();

    // A bit an entry, in the inventory's order: a million archived files wait in 125 KB.
    private readonly BitArray _waits = new(1024);

    private long _restored;
    private long _unchanged;
    private long _skipped;
    private long _failed;
    private long _waiting;
    private long _bytes;

    /// <summary>Restores everything that can be read, and with <see cref="RestoreOptions.Wait"/> the rest as it becomes readable. What ends the run early is thrown, behind its summary.</summary>
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
        using var tree = OpenTarget();
        var deadline = options.Store.Time.GetUtcNow() + options.Timeout;
        await PassAsync(tree, isFirst: true, cancellationToken);
        while (_waiting > 0 && options.Wait && !options.WhatIf)
        {
            var left = deadline - options.Store.Time.GetUtcNow();
            if (left <= TimeSpan.Zero)
                throw new BackupException(FailureKind.TimedOut, $"{_waiting} archived files were still not readable after {options.Timeout}; {_restored} were restored.", "They stay asked for. Run the same command again with -Resume, and a longer -Timeout.");
            var pause = left < options.PollInterval ? left : options.PollInterval;
            options.Logger?.LogInformation("{Count} archived objects are not readable yet; looking again in {Interval}.", _waiting, pause);
            await Task.Delay(pause, options.Store.Time, cancellationToken);
            _waiting = 0;
            await PassAsync(tree, isFirst: false, cancellationToken);
        }

        if (tree is not null && !options.WhatIf)
            await SetDirectoryTimesAsync(tree, cancellationToken);
        emit(Summary(
            options.WhatIf ? Outcome.Skipped : _failed > 0 ? Outcome.Failed : _waiting > 0 ? Outcome.Deferred : Outcome.Completed,
            options.WhatIf ? "WhatIf: nothing was written."
                : _failed > 0 ? $"{_failed} files could not be restored."
                : _waiting > 0 ? $"{_waiting} files are archived: they were asked for, and can be restored by the same command within hours, or with -Wait."
                : manifest.Outcome == Outcome.Failed ? $"The run itself had failed: {manifest.Reason ?? "something is missing from it."}"
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
        WhatIf = options.WhatIf,
    };

    /// <summary>The tree to write into; null where it is not there and nothing is to be written. What makes all of it impossible is one failure.</summary>
    private FileTree? OpenTarget()
    {
        if (options.WhatIf)
            return Path.Exists(target) ? FileTree.Open(target) : null;
        FileTree? tree = null;
        try
        {
            if (!Path.Exists(target))
                Directory.CreateDirectory(target);
            tree = FileTree.Open(target);
            tree.CreateFile("probe").Dispose();
            CheckRoom();
            return tree;
        }
        catch (Exception exception) when (exception is BackupException or IOException or UnauthorizedAccessException)
        {
            tree?.Dispose();
            var failure = BackupException.From(exception);
            throw new BackupException(failure.Kind, $"Nothing can be restored to '{target}': {failure.Message}", failure.Advice ?? "Restore to another place.", exception);
        }
    }

    // Only where everything is still to come: what is there already may be most of it.
    private void CheckRoom()
    {
        if (_filter is not null || Directory.EnumerateFileSystemEntries(target).Any())
            return;
        var free = new DriveInfo(target).AvailableFreeSpace;
        if (free < manifest.TotalBytes)
            throw new BackupException(FailureKind.NoSpace, $"{manifest.TotalBytes} bytes are to be restored, and {free} are free.", "Free space, restore to another volume, or restore a part with -Include.");
    }

    private Task PassAsync(FileTree? tree, bool isFirst, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        _catalog.ReadInventoryAsync(manifest, cancellationToken).Index().Where(item => isFirst ? IsWanted(item.Item) : TakeTurn(item.Index)),
        new ParallelOptions { MaxDegreeOfParallelism = Math.Min(store.Abilities.Parallelism, 64), CancellationToken = cancellationToken },
        async (item, token) =>
        {
            var (index, entry) = item;
            try
            {
                await RestoreAsync(tree, index, entry, isFirst, token);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                var failure = BackupException.From(exception);
                // A full disk takes nothing more, and a store that has become useless gives nothing more. What this system cannot make is a matter of one file.
                if (failure.Kind != FailureKind.NotSupported && _health.Failure(failure))
                    throw failure;
                Interlocked.Increment(ref _failed);
                Tell(entry, Outcome.Failed, failure.Message, failure);
            }
        });

    private async Task RestoreAsync(FileTree? tree, int index, InventoryEntry entry, bool isFirst, CancellationToken cancellationToken)
    {
        switch (entry.Type)
        {
            case InventoryEntryType.Directory when !options.WhatIf:
                tree!.CreateDirectory(entry.Path);
                break;
            case InventoryEntryType.Symlink when !options.WhatIf:
                RestoreLink(tree!, entry);
                break;
            case InventoryEntryType.File:
                await RestoreFileAsync(tree, index, entry, isFirst, cancellationToken);
                break;
            default:
                break;
        }
    }

    private void RestoreLink(FileTree tree, InventoryEntry entry)
    {
        if (tree.TryStat(entry.Path) is { } existing)
        {
            if (existing.Kind == FileEntryKind.Symlink && existing.LinkTarget == entry.Target)
            {
                if (entry.Mtime is { } time && time.Ticks != existing.ModifiedTicks)
                    tree.SetTimes(entry.Path, time.Ticks);
                return;
            }

            if (IsNewer(existing, entry))
                return;
        }

        tree.CreateSymlink(entry.Path, entry.Target ?? "", entry.Mtime?.Ticks);
    }

    private async Task RestoreFileAsync(FileTree? tree, int index, InventoryEntry entry, bool isFirst, CancellationToken cancellationToken)
    {
        // What waits is asked about before anything on disk is read again.
        if (!isFirst && !await IsReadableAsync(entry, cancellationToken))
        {
            Wait(index);
            return;
        }

        if (tree?.TryStat(entry.Path) is { } existing && await IsLeftAloneAsync(tree, existing, entry, cancellationToken))
            return;
        if (isFirst && !await IsReadableAsync(entry, cancellationToken))
        {
            Wait(index);
            return;
        }

        try
        {
            if (!options.WhatIf)
                await DownloadAsync(tree!, entry, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            throw Missing(entry);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.Archived)
        {
            // It was moved into an archive after it was stored, or its copy expired just now.
            await store.RequestRestoreAsync(entry.Key!, new(options.Days, options.Tier, entry.Version), cancellationToken);
            Wait(index);
            return;
        }

        Interlocked.Increment(ref _restored);
        Interlocked.Add(ref _bytes, entry.Size);
        _meter.Finish(entry.Path);
    }

    /// <summary>Whether what is there stays: it is identical, or newer.</summary>
    private async Task<bool> IsLeftAloneAsync(FileTree tree, FileEntry existing, InventoryEntry entry, CancellationToken cancellationToken)
    {
        if (existing.Kind == FileEntryKind.Directory)
            throw new BackupException(FailureKind.AlreadyExists, $"'{tree.Display(entry.Path)}' is a directory, and was a file.", "Move it away, or restore to another place.");
        if (!await IsIdenticalAsync(tree, existing, entry, cancellationToken))
            return IsNewer(existing, entry);

        Interlocked.Increment(ref _unchanged);
        _meter.Report(entry.Size);
        _meter.Finish(entry.Path);
        if (!options.WhatIf)
            Describe(tree, existing, entry);
        return true;
    }

    /// <summary>Whether what is there is newer and so is kept, which is told.</summary>
    private bool IsNewer(FileEntry existing, InventoryEntry entry)
    {
        if (options.Force || existing.ModifiedTicks <= (entry.Mtime?.Ticks ?? 0))
            return false;
        Interlocked.Increment(ref _skipped);
        Tell(entry, Outcome.Skipped, "What is on disk is newer than the backup.", null, "Give -Force to overwrite it, or restore to another place.");
        return true;
    }

    private void Wait(int index)
    {
        lock (_lock)
        {
            if (index >= _waits.Length)
                _waits.Length = Math.Max(index + 1, _waits.Length * 2);
            _waits[index] = true;
            _waiting++;
        }
    }

    private bool TakeTurn(int index)
    {
        lock (_lock)
        {
            var waits = index < _waits.Length && _waits[index];
            if (waits)
                _waits[index] = false;
            return waits;
        }
    }

    private async Task<bool> IsIdenticalAsync(FileTree tree, FileEntry existing, InventoryEntry entry, CancellationToken cancellationToken)
    {
        if (existing.Kind != FileEntryKind.File || existing.Size != entry.Size)
            return false;
        if (options.Resume && existing.ModifiedTicks == entry.Mtime?.Ticks)
            return true;
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
        if (head.Archive != ArchiveState.Archived || options.WhatIf)
            return head.Archive == ArchiveState.Readable;
        return await store.RequestRestoreAsync(entry.Key!, new(options.Days, options.Tier, entry.Version), cancellationToken) == ArchiveState.Readable;
    }

    private async Task DownloadAsync(FileTree tree, InventoryEntry entry, CancellationToken cancellationToken)
    {
        using var file = tree.CreateFile(entry.Path);
        await using (var content = await _reader.OpenAsync(entry, cancellationToken))
        {
            var hash = await ContentHash.ComputeAsync(
                content,
                cancellationToken,
                async bytes =>
                {
                    await file.Stream.WriteAsync(bytes, cancellationToken);
                    _meter.Report(bytes.Length);
                });
            if (!hash.Matches(entry))
                throw new BackupException(FailureKind.ChecksumMismatch, $"'{entry.Key}' is not what this run stored: it was overwritten since in a store without versions, or it is damaged.", "Nothing was written in its place. Restore a newer run, or check the run with Test-BackupRun -Deep.");
        }

        _health.Success();
        file.Commit(entry.Mtime?.Ticks, InventoryEntry.ParseMode(entry.Mode));
    }

    // What a file's arrival did to its directory's time is undone last; deepest first, because a directory may be read-only.
    private async Task SetDirectoryTimesAsync(FileTree tree, CancellationToken cancellationToken)
    {
        var directories = new List<InventoryEntry>();
        await foreach (var entry in _catalog.ReadInventoryAsync(manifest, cancellationToken))
        {
            if (entry.Type == InventoryEntryType.Directory && IsWanted(entry))
                directories.Add(entry);
        }

        for (var i = directories.Count - 1; i >= 0; i--)
        {
            var entry = directories[i];
            try
            {
                if (tree.TryStat(entry.Path) is { Kind: FileEntryKind.Directory } existing)
                    Describe(tree, existing, entry);
            }
            catch (BackupException exception)
            {
                Interlocked.Increment(ref _failed);
                Tell(entry, Outcome.Failed, exception.Message, exception);
            }
        }
    }

    private bool IsWanted(InventoryEntry entry) => _filter is null || _filter.Includes(entry.Path);

    private static BackupException Missing(InventoryEntry entry) =>
        new(FailureKind.NotFound, $"'{entry.Key}' is not in the store any more.", "It was overwritten or deleted later, and that version is not kept: S3 keeps versions only in a versioned bucket. Restore a newer run.");

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
