using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Backup.Engine.Aws.CodeArtifact;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>
/// A whole repository, or a part of it. What the last run's inventory names with the same revision and status needs no request of its own,
/// so a run with nothing to do only lists. Of each version a few bytes are held, and nothing of its assets.
/// </summary>
internal sealed class RepositoryBackup(IObjectStore store, CodeArtifactSource source, MavenBackupOptions options, Action<MavenOutput> emit, IProgress<BackupProgress>? progress) : IDisposable
{
    private const int Listers = 8;
    private const int MaxWorkers = 8;
    private const int MaxSegments = 12;
    private const int MaxFailures = 100;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ProgressMeter _meter = new(progress, $"Backing up {options.Domain}/{options.Repository}");
    private readonly RunCatalog _catalog = new(store);
    private readonly RunWriter _run = new(store, MavenRun.System, MavenRun.SourceName(options.Domain!, options.Repository!, options.Shard), options.Store.Time);
    private readonly InventorySorter _entries = new();
    private readonly ConcurrentQueue<RunFailure> _failures = new();
    private readonly ConcurrentDictionary<string, byte> _proofs = new(StringComparer.Ordinal);
    private readonly Dictionary<UInt128, KnownVersion> _known = [];
    private readonly ConcurrentDictionary<UInt128, byte> _seen = [];
    private long _totalObjects;
    private long _totalBytes;
    private long _packages;
    private long _wanted;
    private long _stored;
    private long _unchanged;
    private long _skipped;
    private long _gone;
    private long _failed;
    private long _assets;
    private long _bytes;

    private bool IsWhole => options.Namespace is null && options.Since is null;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var last = await ReadLastAsync(cancellationToken);
        var backup = new VersionBackup(store, source, options, _meter) { IsFresh = last is null && await IsFreshAsync(cancellationToken) };
        var queue = Channel.CreateBounded<ListedVersion>(new BoundedChannelOptions(1024) { SingleWriter = false });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var listing = ListAsync(queue.Writer, stop.Token);
        try
        {
            await Parallel.ForEachAsync(
                queue.Reader.ReadAllAsync(stop.Token),
                new ParallelOptions { MaxDegreeOfParallelism = Math.Min(store.Abilities.Parallelism, MaxWorkers), CancellationToken = stop.Token },
                (version, token) => new(BackUpAsync(backup, version, token)));
            await listing;
        }
        catch
        {
            await stop.CancelAsync();
            await listing.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }

        if (_packages == 0 && _known.Count > 0 && IsWhole)
            throw new BackupException(FailureKind.DeletionRefused, $"{options.Domain}/{options.Repository} lists no package, and {_known.Count} versions of it were backed up before. Nothing was recorded as gone.", "Check domain, repository and permissions. If it is meant to be empty, there is nothing to back up any more.");
        if (_wanted == 0 && options is { Namespace: { } name, Shard: null })
            options.Logger?.LogWarning("{Domain}/{Repository} has no package in the namespace {Namespace}: case matters.", options.Domain, options.Repository, name);
        if (IsWhole)
            await NoteGoneAsync(backup, last, cancellationToken);
        var isUnchanged = _entries.Count == 0 && _failed == 0 && last?.Outcome is not Outcome.Failed;
        var runId = options.WhatIf || isUnchanged ? null : await CommitAsync(last, cancellationToken);
        if (isUnchanged && IsWhole && !options.WhatIf && last is not null)
            await new UnchangedMarks(store).WriteWhereDueAsync(last, _run.Started, cancellationToken);
        emit(new RepositoryResult
        {
            Domain = options.Domain!,
            Repository = options.Repository!,
            Outcome = options.WhatIf ? Outcome.Skipped : _failed > 0 ? Outcome.Failed : runId is null ? Outcome.Unchanged : Outcome.Completed,
            Reason = options.WhatIf ? "WhatIf: nothing was written." : _failed > 0 ? $"{MavenRun.Versions(_failed)} could not be backed up." : null,
            Kind = _failed > 0 && _failures.TryPeek(out var first) ? first.Kind : null,
            Stored = _stored,
            Unchanged = _unchanged,
            Skipped = _skipped,
            Gone = _gone,
            Failed = _failed,
            Assets = _assets,
            Bytes = _bytes,
            Duration = _clock.Elapsed,
            RunId = runId,
            WhatIf = options.WhatIf,
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _entries.Dispose();

    private async Task<RunManifest?> ReadLastAsync(CancellationToken cancellationToken)
    {
        var last = await _catalog.FindLatestAsync(MavenRun.System, _run.Source, null, cancellationToken);
        if (last is null)
            return null;
        // A version comes before its assets.
        UInt128 newest = default;
        await foreach (var entry in _catalog.ReadInventoryAsync(last, cancellationToken))
        {
            if (MavenRun.ReadVersion(entry) is { } version)
                _known[newest = Digest(entry.Path)] = new(State(version), version.Status == "Deleted", 0, 0);
            else if (_known.TryGetValue(newest, out var known))
                _known[newest] = known with { Objects = known.Objects + 1, Bytes = known.Bytes + entry.Size };
        }

        (_totalObjects, _totalBytes) = (last.TotalObjects, last.TotalBytes);
        return last;
    }

    private async Task<bool> IsFreshAsync(CancellationToken cancellationToken)
    {
        foreach (var format in options.Formats)
        {
            var prefix = $"{options.Domain}/{format}/{options.Repository}/";
            if (await AnyAsync(prefix, cancellationToken) || await AnyAsync(RevisionCatalog.Root + prefix, cancellationToken))
                return false;
        }

        return true;
    }

    private async Task<bool> AnyAsync(string prefix, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var _ in store.ListAsync(prefix, cancellationToken))
                return true;
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            // A directory that the first write makes.
        }

        return false;
    }

    private async Task ListAsync(ChannelWriter<ListedVersion> queue, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var format in options.Formats)
            {
                await Parallel.ForEachAsync(
                    source.Client.ListPackagesAsync(new() { Repository = new() { Domain = options.Domain!, DomainOwner = options.DomainOwner, Repository = options.Repository! }, Format = format, Namespace = options.Namespace }, cancellationToken),
                    new ParallelOptions { MaxDegreeOfParallelism = Listers, CancellationToken = cancellationToken },
                    async (package, token) =>
                    {
                        Interlocked.Increment(ref _packages);
                        if (!IsWanted(package))
                            return;
                        Interlocked.Increment(ref _wanted);
                        await ListAsync(package, format, queue, token);
                    });
            }

            queue.Complete();
        }
        catch (Exception exception)
        {
            queue.Complete(exception);
            throw;
        }
    }

    private async Task ListAsync(PackageSummary package, string format, ChannelWriter<ListedVersion> queue, CancellationToken cancellationToken)
    {
        var id = new PackageVersionId { Domain = options.Domain!, DomainOwner = options.DomainOwner, Repository = options.Repository!, Format = format, Namespace = package.Namespace, Package = package.Package!, Version = "" };
        await foreach (var version in source.VersionsAsync(id, cancellationToken))
        {
            var path = Digest(MavenRun.PathOf(version.Id));
            // Pages move while somebody publishes: one may come twice.
            if (!_seen.TryAdd(path, 0))
                continue;
            if (_known.TryGetValue(path, out var known) && known.State == State(version))
                Interlocked.Increment(ref _unchanged);
            else
                await queue.WriteAsync(version, cancellationToken);
        }
    }

    // The service takes the namespace as the beginning of one: com.example would also be com.examples.
    private bool IsWanted(PackageSummary package) =>
        (options.Namespace is not { } wanted || package.Namespace == wanted || package.Namespace?.StartsWith(wanted + ".", StringComparison.Ordinal) == true)
        && (options.Shard is not { } shard || Part($"{package.Namespace}:{package.Package}", shard.Count) == shard.Index - 1);

    // Of a version only this is held: a repository may have millions.
    private static UInt128 Digest(string text) => BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static UInt128 State(ListedVersion version) => Digest($"{version.Status} {version.Revision}");

    private static int Part(string name, int count) => (int)(BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(name))) % (uint)count);

    private async Task BackUpAsync(VersionBackup backup, ListedVersion version, CancellationToken cancellationToken)
    {
        try
        {
            if (options.Since is { } since && (await source.DescribeAsync(version.Id, cancellationToken))?.PublishedTime is { } published && published < since)
            {
                Interlocked.Increment(ref _skipped);
                return;
            }

            var outcome = await backup.RunAsync(version, cancellationToken);
            Note(version, outcome);
            if (outcome.Result.Outcome != Outcome.Unchanged)
                emit(outcome.Result);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var failure = BackupException.From(exception);
            if (MavenBackup.EndsTheRun(failure))
                throw failure;
            Interlocked.Increment(ref _failed);
            if (_failures.Count < MaxFailures)
                _failures.Enqueue(new(version.Id.ToString(), failure.Kind, failure.Message));
            emit(new PackageVersionResult
            {
                Domain = version.Id.Domain,
                Repository = version.Id.Repository,
                Format = version.Id.Format,
                Package = version.Id.PackageName,
                Version = version.Id.Version,
                Revision = version.Revision,
                Status = version.Status,
                Outcome = Outcome.Failed,
                Reason = failure.Message,
                Kind = failure.Kind,
                Advice = failure.Advice,
            });
        }

        _meter.Finish(version.Id.ToString());
    }

    private void Note(ListedVersion version, VersionOutcome outcome)
    {
        switch (outcome.Result.Outcome)
        {
            case Outcome.Completed or Outcome.Unchanged:
                Interlocked.Increment(ref outcome.Result.Outcome == Outcome.Completed ? ref _stored : ref _unchanged);
                break;
            case Outcome.Skipped when options.WhatIf && version.Status is "Published" or "Unlisted":
                Interlocked.Increment(ref _stored);
                break;
            default:
                Interlocked.Increment(ref _skipped);
                break;
        }

        if (outcome.Manifest is { } manifest)
        {
            _entries.Add(MavenRun.Entries(manifest));
            foreach (var proof in MavenRun.Proofs(manifest.Assets))
                _proofs.TryAdd(proof, 0);

            // What an earlier revision had is in the store still.
            var known = _known.GetValueOrDefault(Digest(MavenRun.PathOf(version.Id)));
            Interlocked.Add(ref _totalObjects, Math.Max(0, manifest.Assets.Count - known.Objects));
            Interlocked.Add(ref _totalBytes, Math.Max(0, manifest.Assets.Sum(asset => asset.Size) - known.Bytes));
        }
        else if (IsKnown(version) && version.Revision is { } revision && !options.WhatIf)
        {
            // It was stored once, and is archived or disposed of now.
            _entries.Add(MavenRun.VersionEntry(version.Id, revision, version.Status));
        }

        Interlocked.Add(ref _assets, options.WhatIf && outcome.Result.Bytes > 0 ? outcome.Result.Assets : outcome.Sent);
        Interlocked.Add(ref _bytes, outcome.Result.Bytes);
    }

    private bool IsKnown(ListedVersion version) => _known.ContainsKey(Digest(MavenRun.PathOf(version.Id)));

    private async Task NoteGoneAsync(VersionBackup backup, RunManifest? last, CancellationToken cancellationToken)
    {
        if (last is null || !_known.Any(known => !known.Value.IsGone && !_seen.ContainsKey(known.Key)))
            return;
        await foreach (var entry in _catalog.ReadInventoryAsync(last, cancellationToken))
        {
            if (MavenRun.ReadVersion(entry) is not { Status: not "Deleted" } version || _seen.ContainsKey(Digest(entry.Path)) || !options.Formats.Contains(version.Id.Format, StringComparer.Ordinal))
                continue;
            _gone++;
            emit((await backup.NoteGoneAsync(version.Id, version.Revision, "Deleted", cancellationToken)).Result);
            if (!options.WhatIf)
                _entries.Add(MavenRun.VersionEntry(version.Id, version.Revision!, "Deleted"));
        }
    }

    private async Task<string> CommitAsync(RunManifest? last, CancellationToken cancellationToken)
    {
        var segments = last?.Inventory ?? [];
        if (_entries.Count > 0)
        {
            var delta = _entries.ReadAsync(cancellationToken);
            var isFull = segments.Count >= MaxSegments;
            await using var writer = _run.StartInventory(cancellationToken);
            await foreach (var entry in isFull ? MergeAsync(_catalog.ReadInventoryAsync(last!, cancellationToken), delta, cancellationToken) : delta)
                await writer.AddAsync(entry, cancellationToken);
            var segment = await writer.CompleteAsync(cancellationToken);
            segments = isFull ? [segment] : [.. segments, segment];
        }

        var manifest = _run.Draft(_failed > 0 ? Outcome.Failed : Outcome.Completed, _failed > 0 ? $"{MavenRun.Versions(_failed)} could not be backed up." : null) with
        {
            Proofs = [.. _proofs.Keys.Order(StringComparer.Ordinal)],
            Counts = new() { Stored = _assets, Unchanged = _unchanged, Failed = _failed },
            BytesStored = _bytes,
            TotalObjects = _totalObjects,
            TotalBytes = _totalBytes,
            Inventory = segments,
            Failures = [.. _failures],
        };
        options.Logger?.LogDebug("{Entries} entries go into the inventory, which has {Segments} segments now.", _entries.Count, segments.Count);
        return (await _run.CommitAsync(manifest, cancellationToken)).RunId;
    }

    // Of one path the newer entry counts.
    private static async IAsyncEnumerable<InventoryEntry> MergeAsync(IAsyncEnumerable<InventoryEntry> old, IAsyncEnumerable<InventoryEntry> delta, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var olds = old.GetAsyncEnumerator(cancellationToken);
        await using var news = delta.GetAsyncEnumerator(cancellationToken);
        var (hasOld, hasNew) = (await olds.MoveNextAsync(), await news.MoveNextAsync());
        while (hasOld || hasNew)
        {
            var order = !hasOld ? 1 : !hasNew ? -1 : Utf8Order.Instance.Compare(olds.Current.Path, news.Current.Path);
            yield return order < 0 ? olds.Current : news.Current;
            if (order <= 0)
                hasOld = await olds.MoveNextAsync();
            if (order >= 0)
                hasNew = await news.MoveNextAsync();
        }
    }

    private readonly record struct KnownVersion(UInt128 State, bool IsGone, int Objects, long Bytes);
}
