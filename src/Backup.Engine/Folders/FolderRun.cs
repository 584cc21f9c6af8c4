using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Backup.Engine.Files;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Folders;

/// <summary>One folder, once: scan, plan, upload, delete, commit.</summary>
internal sealed class FolderRun
{
    /// <summary>The name of this system in catalogs.</summary>
    public const string System = "folders";

    private static readonly PlanAction[] Uploads = [PlanAction.UploadNew, PlanAction.UploadChanged];

    private const int MaxFailures = 100;
    private const int ReadAttempts = 3;

    private readonly string _folder;
    private readonly IObjectStore _store;
    private readonly FolderSyncOptions _options;
    private readonly Action<FolderSyncOutput> _emit;
    private readonly IProgress<BackupProgress>? _progress;
    private readonly ILogger? _logger;
    private readonly ObjectKeys _keys;
    private readonly RunCatalog _catalog;
    private readonly RunWriter _run;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StoreHealth _health = new();
    private readonly Lock _lock = new();
    private readonly List<FileFailure> _failures = [];
    private readonly HashSet<string> _proofs = new(StringComparer.Ordinal);

    private long _failed;
    private long _new;
    private long _changed;
    private long _touched;
    private long _deleted;
    private long _unstored;
    private long _unstoredNew;
    private long _scanned;
    private long _scannedBytes;
    private long _problems;
    private long _bytes;
    private bool _adopting;
    private bool _storeIsUseless;
    private bool _keepsNoVersions;
    private string? _refusal;

    public FolderRun(string folder, IObjectStore store, FolderSyncOptions options, Action<FolderSyncOutput> emit, IProgress<BackupProgress>? progress)
    {
        (_folder, _store, _options, _emit, _progress, _logger) = (folder, store, options, emit, progress, options.Logger);
        _keys = new(folder, Encoding.UTF8.GetByteCount(store.Location.Prefix));
        _catalog = new(store);
        _run = new(store, System, folder, options.Store.Time);
    }

    /// <summary>Runs. What goes wrong with this folder is in what it emits; a store that no folder could use is thrown as well, behind the folder's result.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var tree = FileTree.Open(_folder, _options.FollowSymlink);
            using var cache = await OpenCacheAsync(cancellationToken);
            await SyncAsync(tree, cache.Cache, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var failure = BackupException.From(exception);
            if (!_storeIsUseless)
                Fail(_folder, failure);
            Finish(Outcome.Failed, failure.Message, null, failure);
            if (_storeIsUseless)
                throw;
        }
    }

    private async Task CheckStoreAsync(bool forWriting, CancellationToken cancellationToken)
    {
        _storeIsUseless = true;
        await _store.CheckAsync(forWriting, cancellationToken);
        _storeIsUseless = false;
    }

    /// <summary>
    /// Holds the store against the cache by one object. Where a drive is not mounted, or a bucket was emptied, a run would begin
    /// a new store with nothing but what changed, and the rest would count as stored for ever.
    /// </summary>
    private async Task CheckIsSameStoreAsync(FolderCache cache, CancellationToken cancellationToken)
    {
        // The cache has just been made from this very store.
        if (_adopting)
            return;
        var witness = cache.Meta(CacheNotes.LastManifest) ?? (cache.ReadAll().FirstOrDefault(row => row.Entry.Kind == FileEntryKind.File) is { } row ? _keys.Key(row.Path) : null);
        if (witness is null)
            return;
        if (!await StoreExistsAsync(cancellationToken) || await _store.HeadAsync(witness, null, cancellationToken) is null)
        {
            throw new BackupException(
                FailureKind.NotFound,
                $"'{_store.Location}' does not hold '{witness}', which an earlier run stored there. Nothing was written.",
                "Is the drive mounted, and is it the same store? If it was emptied on purpose, run with -Reset: everything that is not there is stored again.");
        }
    }

    private async Task SyncAsync(FileTree tree, FolderCache cache, CancellationToken cancellationToken)
    {
        Plan(tree, cache, cancellationToken);
        await CompareContentsAsync(tree, cache, cancellationToken);
        _refusal = _options.Force ? null : DeletionGuard.WhyNot(_folder, tree.Identity, cache.Meta(CacheNotes.Identity), _scanned, _problems, cache, _options.MaxDeletePercent);
        if (_options.WhatIf)
        {
            FinishWhatIf(cache);
            return;
        }

        var steps = Uploads.Sum(action => cache.Plan(action).Count) + cache.Plan(PlanAction.UpdateMetadata).Count + cache.Plan(PlanAction.Delete).Count;
        // The first run of a folder is committed whatever is in it: else nobody could tell an empty folder from one that was never backed up.
        if (steps == 0 && cache.JournalCount == 0 && _failed == 0 && cache.Meta(CacheNotes.LastManifest) is not null)
        {
            var isDue = IsMarkDue(cache);
            // S3 is asked once an hour: a run with nothing to do costs next to nothing. To look for a directory costs nothing at all.
            if (isDue || !_store.Location.IsS3)
                await CheckIsSameStoreAsync(cache, cancellationToken);
            if (isDue)
                await MarkUnchangedAsync(cache, cancellationToken);
            // Nothing is missing: whatever volume this is, it is the folder from here on.
            if (cache.Meta(CacheNotes.Identity) != tree.Identity.ToString())
                cache.SetMeta(CacheNotes.Identity, tree.Identity.ToString());
            cache.Flush();
            Finish(Outcome.Unchanged, null, null);
            return;
        }

        await CheckIsSameStoreAsync(cache, cancellationToken);
        await CheckStoreAsync(forWriting: true, cancellationToken);
        if (Uploads.Any(action => cache.Plan(action).Count > 0))
        {
            // Whoever finds this mark knows that the run did not end, and that the store may hold more than the cache says.
            cache.SetMeta(CacheNotes.Uploading, "yes");
            cache.Flush();
        }

        try
        {
            await UploadAsync(tree, cache, cancellationToken);
            var hasLeft = UpdateMetadata(cache);
            if (_unstoredNew > 0 && cache.Plan(PlanAction.Delete).Count > 0 && !_options.Force)
                _refusal ??= $"Nothing was deleted: {_unstoredNew} new files of '{_folder}' could not be stored, and what is gone may be what they were renamed from.";
            if (_refusal is null)
                await DeleteAsync(cache, cancellationToken);
            if (hasLeft)
                UpdateMetadata(cache);
        }
        finally
        {
            cache.Flush();
        }

        var refused = _refusal is null ? null : new BackupException(FailureKind.DeletionRefused, _refusal, "Look at the folder. If the files are meant to be gone, run once with -Force (Sync-FolderToS3 -Force, or the host's sync --force, for the folder of a plan).");
        if (refused is not null)
            Fail(_folder, refused);
        var isFirst = cache.Meta(CacheNotes.LastManifest) is null;
        await CommitAsync(tree, cache, cancellationToken);
        WarnOfLostVersions(isFirst);
        await ExpireVersionsAsync(cache, cancellationToken);
        var reason = _refusal ?? (_failed > 0 ? $"{_failed} of {_scanned} files could not be backed up." : null);
        Finish(reason is null ? Outcome.Completed : Outcome.Failed, reason, _run.RunId, refused);
    }

    private bool IsMarkDue(FolderCache cache) =>
        !DateTimeOffset.TryParse(cache.Meta(CacheNotes.Seen), CultureInfo.InvariantCulture, out var seen) || (_run.Started - seen).Duration() >= UnchangedMarks.Interval;

    private async Task MarkUnchangedAsync(FolderCache cache, CancellationToken cancellationToken)
    {
        _storeIsUseless = true;
        await new UnchangedMarks(_store).WriteAsync(cache.Meta(CacheNotes.LastManifest)!, _run.Started, cancellationToken);
        _storeIsUseless = false;
        cache.SetMeta(CacheNotes.Seen, _run.Started.ToString("O", CultureInfo.InvariantCulture));
    }

    // The cache, and the directory that held it where it was made for a WhatIf alone.
    private sealed record OpenedCache(FolderCache Cache, string? Temporary) : IDisposable
    {
        public void Dispose()
        {
            Cache.Dispose();
            if (Temporary is not null)
                Directory.Delete(Temporary, recursive: true);
        }
    }

    private async Task<OpenedCache> OpenCacheAsync(CancellationToken cancellationToken)
    {
        var destination = _store.Location.ToString();
        var file = FolderPaths.CacheFile(_options.CachePath, _folder, destination);
        string? temporary = null;
        if (_options.WhatIf && (_options.Reset || !IsWhole(file, destination)))
        {
            // What a real run would rebuild from the store is rebuilt elsewhere and thrown away.
            temporary = Directory.CreateTempSubdirectory("AtlassianBackup-").FullName;
            file = Path.Combine(temporary, Path.GetFileName(file));
        }
        else if (_options.Reset)
        {
            FolderCache.Delete(file);
        }

        FolderCache? cache = null;
        try
        {
            cache = FolderCache.Open(file, destination, _folder, readOnly: _options.WhatIf && temporary is null);
            _logger?.LogDebug("Cache: {File}, {Files} files known.", file, cache.Files.Count);
            // Not whether it is new: a run that was killed while it rebuilt the cache left half of one.
            if (cache.Meta(CacheNotes.Whole) is null && !cache.IsReadOnly)
            {
                _adopting = await StoreExistsAsync(cancellationToken) && await new FolderAdoption(_store, _catalog, _keys, _options).RunAsync(cache, _run.Source, cancellationToken);
                cache.SetMeta(CacheNotes.Whole, "yes");
                cache.Flush();
            }
            else if (cache.Meta(CacheNotes.Uploading) is not null && !cache.IsReadOnly)
            {
                await CheckStoreAsync(forWriting: false, cancellationToken);
                _adopting = await new FolderAdoption(_store, _catalog, _keys, _options).AdoptNewerAsync(cache, cancellationToken);
            }

            return new(cache, temporary);
        }
        catch
        {
            cache?.Dispose();
            if (temporary is not null)
                Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    /// <summary>Whether a cache is there and says what the store holds: not while a run rebuilds it or sends, nor after one was killed at that.</summary>
    private bool IsWhole(string file, string destination)
    {
        if (!File.Exists(file))
            return false;
        using var cache = FolderCache.Open(file, destination, _folder, readOnly: true);
        return cache.Meta(CacheNotes.Whole) is not null && cache.Meta(CacheNotes.Uploading) is null;
    }

    private async Task<bool> StoreExistsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CheckStoreAsync(forWriting: false, cancellationToken);
            return true;
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound && (!_store.Location.IsS3 || _options.Store.CreateBucket))
        {
            // A directory store, and a folder's own bucket, begin with the first write.
            _storeIsUseless = false;
            return false;
        }
    }

    private void Plan(FileTree tree, FolderCache cache, CancellationToken cancellationToken)
    {
        var filter = PathFilter.Create(_options.Include, _options.Exclude);
        var caches = Within(FolderPaths.CacheDirectory(_options.CachePath)) + "/";
        var config = _options.Config?.File is { } file ? Within(file) : null;
        var meter = new ProgressMeter(_progress, $"Scanning {_folder}");
        var scan = tree.Scan(filter, OnProblem, cancellationToken)
            .Where(entry => entry.Kind != FileEntryKind.Other && !FileTree.IsTemporary(entry.Path) && !entry.Path.StartsWith(caches, StringComparison.Ordinal) && entry.Path != config);
        foreach (var (entry, row, change) in FolderChanges.Compare(scan, cache.ReadAll()))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (entry?.Kind == FileEntryKind.File)
            {
                _scanned++;
                _scannedBytes += entry.Size;
                if (_scanned % 1000 == 0)
                    meter.Finish(entry.Path);
            }

            switch (change)
            {
                case Change.New when entry!.Kind == FileEntryKind.File:
                    cache.AddPlan(new(PlanAction.UploadNew, entry));
                    break;
                case Change.Changed when entry!.Kind == FileEntryKind.File:
                    cache.AddPlan(new(PlanAction.UploadChanged, entry));
                    break;
                case Change.Touched:
                    cache.AddPlan(new(PlanAction.Rehash, entry!));
                    break;
                case Change.Missing:
                    // What the patterns no longer take is left alone: leaving out is not deleting.
                    if (filter is null || filter.Includes(row!.Path))
                        cache.AddPlan(new(PlanAction.Delete, row!.Entry));
                    break;
                case Change.New or Change.Changed or Change.MetadataOnly:
                    cache.AddPlan(new(PlanAction.UpdateMetadata, entry!));
                    // A file that became a link leaves its object behind.
                    if (row?.Entry.Kind == FileEntryKind.File && entry!.Kind != FileEntryKind.File)
                        cache.AddPlan(new(PlanAction.Delete, row.Entry));
                    break;
                default:
                    break;
            }
        }

        if (filter is not null && _scanned == 0)
            _logger?.LogWarning("-Include and -Exclude leave no file of '{Folder}'. Patterns are relative to the folder: **/*.jpg, not *.jpg, takes files below it too.", _folder);
        else if (_scanned + cache.Files.Count == 0)
            _logger?.LogWarning("'{Folder}' has no files.", _folder);
        _logger?.LogInformation(
            "{Folder}: {Files} files; {New} new, {Changed} changed, {Touched} to be hashed, {Deleted} gone.",
            _folder, _scanned, cache.Plan(PlanAction.UploadNew).Count, cache.Plan(PlanAction.UploadChanged).Count, cache.Plan(PlanAction.Rehash).Count, cache.Plan(PlanAction.Delete).Count);
    }

    /// <summary>The encoded path of something that lies within the folder, or null.</summary>
    private string? Within(string path) => FolderPaths.RelativeTo(FolderPaths.Real(path), FolderPaths.Real(_folder));

    private void OnProblem(string path, BackupException exception)
    {
        // A link that leads to a directory above itself is kept as a link: nothing is hidden by it.
        if (exception.Kind == FailureKind.NotSupported)
        {
            _logger?.LogWarning("{Reason}", exception.Message);
            return;
        }

        _problems++;
        Fail(path, exception);
    }

    /// <summary>Hashes files of which only a time or an id differs. What holds what is stored is renewed in the cache; the rest joins the uploads.</summary>
    private async Task CompareContentsAsync(FileTree tree, FolderCache cache, CancellationToken cancellationToken)
    {
        var total = cache.Plan(PlanAction.Rehash);
        var meter = new ProgressMeter(_progress, $"Comparing {_folder}", total.Bytes, total.Count);
        await ForEachAsync(cache, [PlanAction.Rehash], Environment.ProcessorCount, tree, meter, async (item, token) =>
        {
            if (!await IsSameContentAsync(tree, cache, item.Entry.Path, token))
                cache.AddPlan(item with { Action = PlanAction.UploadChanged });
            meter.Report(item.Entry.Size);
        }, cancellationToken);
    }

    private async Task UploadAsync(FileTree tree, FolderCache cache, CancellationToken cancellationToken)
    {
        var meter = new ProgressMeter(_progress, $"Backing up {_folder}", Uploads.Sum(action => cache.Plan(action).Bytes), Uploads.Sum(action => cache.Plan(action).Count));
        await ForEachAsync(cache, Uploads, _store.Abilities.Parallelism, tree, meter, async (item, token) =>
        {
            await using var file = tree.OpenRead(item.Entry.Path);
            await WriteAsync(cache, file, meter, token);
            Interlocked.Increment(ref item.Action == PlanAction.UploadNew ? ref _new : ref _changed);
            _health.Success();
        }, cancellationToken);
    }

    /// <summary>Works through a part of the plan side by side. A file that fails is told and the rest goes on; a store that has become useless ends the run.</summary>
    private async Task ForEachAsync(FolderCache cache, PlanAction[] actions, int parallelism, FileTree tree, ProgressMeter meter, Func<PlanItem, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await Parallel.ForEachAsync(
                cache.ReadPlan(actions),
                new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = stop.Token },
                async (item, token) =>
                {
                    try
                    {
                        await RetryAsync(item, work, token);
                    }
                    catch (BackupException exception) when (exception.Kind == FailureKind.NotFound && tree.TryStat(item.Entry.Path) is null)
                    {
                        _logger?.LogDebug("'{Path}' vanished before it was read.", item.Entry.Path);
                    }
                    catch (Exception) when (cache.Failure is not null)
                    {
                        // Nothing that is stored could be noted any more; the next run finds it by the mark that this one leaves.
                        await stop.CancelAsync();
                    }
                    catch (Exception exception) when (exception is not OperationCanceledException)
                    {
                        var failure = BackupException.From(exception);
                        Fail(item.Entry.Path, failure);
                        Interlocked.Increment(ref _unstored);
                        if (item.Action == PlanAction.UploadNew)
                            Interlocked.Increment(ref _unstoredNew);
                        if (_health.Failure(failure))
                            await stop.CancelAsync();
                    }

                    meter.Finish(item.Entry.Path);
                });
        }
        catch (OperationCanceledException) when (cache.Failure is not null && !cancellationToken.IsCancellationRequested)
        {
            throw cache.Failure;
        }
        catch (OperationCanceledException) when (_health.Fatal is not null && !cancellationToken.IsCancellationRequested)
        {
            var fatal = _health.Fatal;
            _storeIsUseless = true;
            throw new BackupException(fatal.Kind, $"The run ended early. {fatal.Message}", fatal.Advice, fatal);
        }
    }

    private async Task RetryAsync(PlanItem item, Func<PlanItem, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await work(item, cancellationToken);
                return;
            }
            catch (BackupException exception) when (exception.Kind is FailureKind.ChangedWhileRead or FailureKind.LengthMismatch && attempt < ReadAttempts)
            {
                _logger?.LogDebug("Attempt {Attempt}: {Reason}", attempt, exception.Message);
            }
        }
    }

    private async Task WriteAsync(FolderCache cache, SourceFile file, ProgressMeter meter, CancellationToken cancellationToken)
    {
        var entry = file.Entry;
        var key = _keys.Key(entry.Path);
        if (ObjectKeys.IsShortened(key))
            await LongNames.WriteAsync(_store, key, _keys.Root + entry.Path, cancellationToken);
        var stored = await _store.WriteAsync(
            key,
            file,
            new()
            {
                Length = entry.Size,
                StorageClass = _store.Abilities.StorageClasses ? _options.StorageClass : null,
                Metadata = FolderInventory.Metadata(entry),
                Progress = meter,
            },
            cancellationToken);
        cache.Put(new(file.CacheEntry)
        {
            Sha256 = Convert.FromHexString(stored.Sha256!),
            Checksum = stored.Checksum?.ToString(),
            Version = stored.VersionId,
            StorageClass = stored.StorageClass,
            StoredAtTicks = stored.LastModified.UtcTicks,
        });
        Interlocked.Add(ref _bytes, stored.Size);
        lock (_lock)
        {
            if (stored.Checksum is { } checksum)
                _proofs.Add(checksum.Algorithm);
            _keepsNoVersions |= stored.VersionId is null && _store.Location.IsS3;
        }
    }

    /// <summary>
    /// After -Reset: whether the store still holds what it once confirmed. S3 says its checksum; a directory's record may outlive the bytes
    /// that it was made for, so those are read.
    /// </summary>
    private async Task<bool> IsStoredWholeAsync(CacheRow row, CancellationToken cancellationToken)
    {
        var key = _keys.Key(row.Path);
        var entry = FolderInventory.ToEntry(row, _keys);
        if (_store.Location.IsS3)
        {
            var head = await _store.HeadAsync(key, null, cancellationToken);
            return head is not null && head.Size == entry.Size && (head.Checksum is null || ObjectChecksum.Parse(row.Checksum) is not { } known || head.Checksum.Algorithm != known.Algorithm || head.Checksum == known);
        }

        try
        {
            await using var content = await _store.ReadAsync(key, null, cancellationToken);
            return (await ContentHash.ComputeAsync(content.Stream, cancellationToken)).Matches(entry);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.Corrupt)
        {
            return false;
        }
    }

    /// <summary>Whether a file whose time or id differs holds what is stored: then only its description is renewed.</summary>
    private async Task<bool> IsSameContentAsync(FileTree tree, FolderCache cache, string path, CancellationToken cancellationToken)
    {
        if (cache.Find(path) is not { } row || (row.Sha256 is null && row.Checksum is null))
            return false;
        await using var file = tree.OpenRead(path);
        if (file.Entry.Size != row.Entry.Size)
            return false;
        // An object that another tool stored has neither our hash nor our checksum, but its entity tag.
        var known = ObjectChecksum.Parse(row.Checksum);
        using var tag = row.Sha256 is null && known?.Algorithm == ObjectChecksum.Md5 ? ETagHash.Like(known.Value, file.Entry.Size) : null;
        var hash = await ContentHash.ComputeAsync(file, cancellationToken, tag is null ? null : bytes =>
        {
            tag.Append(bytes.Span);
            return ValueTask.CompletedTask;
        });
        var same = row.Sha256 is { } sha256 ? hash.Sha256.AsSpan().SequenceEqual(sha256)
            : tag is not null ? tag.Finish().Equals(known!.Value, StringComparison.OrdinalIgnoreCase)
            : known == new ObjectChecksum(ObjectChecksum.Crc64Nvme, hash.Crc64Nvme);
        if (!same || (_options.Reset && !await IsStoredWholeAsync(row, cancellationToken)))
            return false;
        var (before, now) = (row.Entry, file.CacheEntry);
        var isNews = row.Sha256 is null || before.ModifiedTicks != now.ModifiedTicks || before.Mode != now.Mode;
        if (!_options.WhatIf)
            cache.Put(row with { Entry = now, Sha256 = hash.Sha256 }, isNews);
        if (isNews || _adopting)
            Interlocked.Increment(ref _touched);
        return true;
    }

    /// <summary>Records what has no content. True where a link has to wait until the object of the file in whose place it is has been deleted: else nobody would remember that object.</summary>
    private static bool UpdateMetadata(FolderCache cache)
    {
        var hasLeft = false;
        foreach (var item in cache.ReadPlan(PlanAction.UpdateMetadata))
        {
            var row = cache.Find(item.Entry.Path);
            if (row?.Entry.Kind == FileEntryKind.File && item.Entry.Kind != FileEntryKind.File)
            {
                hasLeft = true;
                continue;
            }

            cache.Put(row is not null && row.Entry.Kind == item.Entry.Kind ? row with { Entry = item.Entry } : new(item.Entry));
        }

        return hasLeft;
    }

    private async Task DeleteAsync(FolderCache cache, CancellationToken cancellationToken)
    {
        // Directories and links have no object: they are gone from the inventory alone.
        foreach (var item in cache.ReadPlan(PlanAction.Delete))
        {
            if (item.Entry.Kind != FileEntryKind.File)
                cache.Remove(item.Entry.Path);
        }

        var files = cache.ReadPlan(PlanAction.Delete).Where(item => item.Entry.Kind == FileEntryKind.File).Select(item => item.Entry.Path);
        foreach (var batch in files.Chunk(1000))
        {
            var paths = batch.ToDictionary(_keys.Key, StringComparer.Ordinal);
            await foreach (var result in _store.DeleteAsync(paths.Keys.ToAsyncEnumerable(), cancellationToken))
            {
                var path = paths[result.Key];
                if (result.Failure is { } failure)
                {
                    Fail(path, failure);
                    continue;
                }

                _deleted++;
                cache.Remove(path);
            }
        }
    }

    private async Task CommitAsync(FileTree tree, FolderCache cache, CancellationToken cancellationToken)
    {
        var manifest = _run.Draft(_failed == 0 ? Outcome.Completed : Outcome.Failed, _refusal ?? (_failed > 0 ? $"{_failed} items failed." : null)) with
        {
            Proofs = [.. _proofs.Order(StringComparer.Ordinal)],
            Counts = new() { Stored = _new + _changed, Updated = _touched, Unchanged = Unchanged, Deleted = _deleted, Failed = _failed },
            BytesStored = _bytes,
            Failures = [.. _failures.Select(failure => new RunFailure(failure.Item, failure.Kind, failure.Message))],
        };
        await new FolderCommit(_run, cache, _keys).RunAsync(manifest, _refusal is null ? tree.Identity.ToString() : cache.Meta(CacheNotes.Identity), cancellationToken);
    }

    /// <summary>Says once what an admin would otherwise learn at the restore.</summary>
    private void WarnOfLostVersions(bool isFirst)
    {
        if (_keepsNoVersions && (isFirst || _changed + _deleted > 0))
            _logger?.LogWarning("'{Store}' keeps no versions: what is overwritten or deleted there cannot be restored, and -At reaches only as far back as the last change. Turn on versioning in the bucket.", _store.Location);
    }

    // Once a day: it goes through all that was ever replaced.
    private async Task ExpireVersionsAsync(FolderCache cache, CancellationToken cancellationToken)
    {
        var today = _run.Started.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (cache.Meta(CacheNotes.Expired) == today)
            return;
        await _store.ExpireVersionsAsync(TimeSpan.FromDays(_options.Store.KeepVersionDays), cancellationToken);
        cache.SetMeta(CacheNotes.Expired, today);
    }

    private long Unchanged => Math.Max(0, _scanned - _new - _changed - _touched - _unstored);

    private void FinishWhatIf(FolderCache cache)
    {
        var (added, changed) = (cache.Plan(PlanAction.UploadNew), cache.Plan(PlanAction.UploadChanged));
        (_new, _changed, _bytes) = (added.Count, changed.Count, added.Bytes + changed.Bytes);
        foreach (var item in cache.ReadPlan(PlanAction.Delete).Where(item => item.Entry.Kind == FileEntryKind.File).Take(MaxFailures))
            _logger?.LogInformation("Gone from the folder: {Path}", item.Entry.Path);
        if (_refusal is null)
            _deleted = cache.ReadPlan(PlanAction.Delete).LongCount(item => item.Entry.Kind == FileEntryKind.File);
        else
            _logger?.LogWarning("A run would say: {Refusal}", _refusal);
        _emit(Result(Outcome.Skipped, _refusal is null ? "WhatIf: nothing was written." : $"WhatIf: nothing was written. A run would say: {_refusal}", null) with { WhatIf = true, Estimate = Estimate(cache) });
    }

    private CostEstimate? Estimate(FolderCache cache)
    {
        if (!_store.Location.IsS3 || StorageCosts.For(_options.StorageClass, _options.Store.PartSize, _run.Started) is not { } costs)
            return null;
        foreach (var item in cache.ReadPlan(Uploads))
            costs.Store(item.Entry.Size);
        foreach (var item in cache.ReadPlan(PlanAction.UploadChanged, PlanAction.Delete))
        {
            if (cache.Find(item.Entry.Path) is { Entry.Kind: FileEntryKind.File } row)
                costs.Remove(row.Entry.Size, row.StorageClass, row.StoredAtTicks);
        }

        return costs.Total();
    }

    private void Finish(Outcome outcome, string? reason, string? runId, BackupException? failure = null) =>
        _emit(Result(outcome, reason, runId) with { Kind = failure?.Kind, Advice = failure?.Advice });

    private FolderSyncResult Result(Outcome outcome, string? reason, string? runId) => new()
    {
        Path = _folder,
        Destination = _store.Location.ToString(),
        Outcome = outcome,
        Reason = reason,
        RunId = runId,
        New = _new,
        Changed = _changed,
        Touched = _adopting ? 0 : _touched,
        Adopted = _adopting ? _touched : 0,
        Deleted = _deleted,
        Unchanged = Unchanged,
        Failed = _failed,
        Bytes = _bytes,
        TotalFiles = _scanned,
        TotalBytes = _scannedBytes,
        Duration = _clock.Elapsed,
        Failures = [.. _failures],
    };

    private void Fail(string item, BackupException exception)
    {
        var failure = new FileFailure { Path = _folder, Item = item, Kind = exception.Kind, Message = exception.Message, Advice = exception.Advice };
        lock (_lock)
        {
            _failed++;
            if (_failures.Count < MaxFailures)
                _failures.Add(failure);
        }

        _emit(failure);
    }
}
