using System.Runtime.CompilerServices;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>All wanted repositories of one account, once. Each is a result as it finishes; the manifest, written last, is the commit.</summary>
internal sealed class AccountRun
{
    /// <summary>The name of this system in catalogs.</summary>
    public const string System = "github";

    private const int MaxFailures = 100;

    private readonly RunContext _context;
    private readonly AccountListing _listing;
    private readonly AccountMemory _memory;
    private readonly Action<GitHubBackupResult> _emit;
    private readonly ProgressMeter _meter;
    private readonly Lock _lock = new();
    private readonly List<RepositoryOutcome> _changed = [];
    private readonly List<RunFailure> _failures = [];
    private long _completed;
    private long _unchanged;
    private long _failed;

    public AccountRun(RunContext context, AccountListing listing, AccountMemory memory, Action<GitHubBackupResult> emit, ProgressMeter meter) =>
        (_context, _listing, _memory, _emit, _meter) = (context, listing, memory, emit, meter);

    /// <summary>Runs.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _context.Options.ThrottleLimit, CancellationToken = cancellationToken };
        try
        {
            await Parallel.ForEachAsync(_listing.Wanted, parallel, async (repository, token) =>
                Note(await new RepositoryRun(_context, repository, _memory.Repositories.GetValueOrDefault(repository.Id)).RunAsync(token)));
            foreach (var lost in Lost().Concat(_listing.Missing.Select(Missing)))
                Note(lost);
            if (_listing.Account is { } account && await new AccountRecords(_context, account, _listing.IsSelf, _memory.Repositories.GetValueOrDefault(0)).RunAsync(cancellationToken) is { } records)
                Note(records);
        }
        catch (BackupException exception)
        {
            // What is through is committed, and the run says that it is not whole.
            _failed++;
            _failures.Add(new(_listing.Login, exception.Kind, exception.Message));
            await CommitAsync(exception.Message, cancellationToken);
            throw;
        }

        await CommitAsync(null, cancellationToken);
        if (_context.Options is { WhatIf: true, Keep: { } keep })
            await Cleaning().TellAsync(_context.Writer.Draft(Outcome.Completed) with { Finished = _context.Time.GetUtcNow() }, keep, cancellationToken);
    }

    private RunCleaning Cleaning() => new(_context.Store, _context.Time, _context.Options.Logger);

    /// <summary>A repository that was asked for by its name, and cannot be had.</summary>
    private RepositoryOutcome Missing(MissingRepository missing)
    {
        var known = _memory.Repositories.Values.FirstOrDefault(one => one.Id != 0 && one.FullName.Equals(missing.FullName, StringComparison.OrdinalIgnoreCase));
        var status = missing.Failure is RepositoryUnavailableException unavailable ? unavailable.Status
            : missing.Failure.Kind switch
            {
                FailureKind.PermissionDenied => RepositoryStatus.AccessLost,
                FailureKind.NotFound => RepositoryStatus.Vanished,
                _ => RepositoryStatus.Unknown,
            };
        return new(
            new()
            {
                FullName = missing.FullName,
                Id = known?.Id ?? 0,
                Destination = _context.Store.Location.ToString(),
                Folder = known?.Folder ?? "",
                RunId = _context.Writer.RunId,
                Outcome = known?.Tombstone?.Status == status ? Outcome.Skipped : Outcome.Failed,
                Status = status,
                Reason = missing.Failure.Message,
                Kind = missing.Failure.Kind,
                Advice = missing.Failure.Advice,
                LastGood = known?.LastGood,
                Failures = [new(missing.FullName, missing.Failure.Kind, missing.Failure.Message)],
                WhatIf = _context.Options.WhatIf,
            },
            (known ?? new() { Id = 0, FullName = missing.FullName, Folder = "" }) with { Tombstone = new(status, _context.Time.GetUtcNow(), missing.Failure.Message), Failing = null },
            [],
            known is not null && known.Tombstone?.Status != status);
    }

    /// <summary>Repositories that an earlier run had from a list that does not name them any more.</summary>
    private IEnumerable<RepositoryOutcome> Lost()
    {
        foreach (var known in _memory.Repositories.Values)
        {
            if (known.Id == 0 || known.Tombstone is not null || known.ListedBy is not { } list || !_listing.CompleteLists.Contains(list) || _listing.Seen.Contains(known.Id) || _context.Options.List.Shard?.Contains(known.Id) == false)
                continue;
            var reason = $"'{known.FullName}' is not listed any more: it was deleted, moved to another account, or hidden from this token. Its last backup is kept.";
            var now = _context.Time.GetUtcNow();
            yield return new(
                new()
                {
                    FullName = known.FullName,
                    Id = known.Id,
                    Destination = _context.Store.Location.ToString(),
                    Folder = known.Folder,
                    RunId = _context.Writer.RunId,
                    Outcome = Outcome.Failed,
                    Status = RepositoryStatus.NotListed,
                    Reason = reason,
                    Kind = FailureKind.NotFound,
                    Advice = "If that was meant, there is nothing to do: this is told once.",
                    LastGood = known.LastGood,
                    Failures = [new(known.FullName, FailureKind.NotFound, reason)],
                    WhatIf = _context.Options.WhatIf,
                },
                known with { Tombstone = new(RepositoryStatus.NotListed, now, reason), Failing = null },
                [],
                true);
        }
    }

    private void Note(RepositoryOutcome outcome)
    {
        lock (_lock)
        {
            if (outcome.HasChanged)
                _changed.Add(outcome);
            switch (outcome.Result.Outcome)
            {
                case Outcome.Failed:
                    _failed++;
                    _failures.AddRange(outcome.Result.Failures.Take(MaxFailures - _failures.Count));
                    break;
                case Outcome.Completed:
                    _completed++;
                    break;
                default:
                    _unchanged++;
                    break;
            }
        }

        _emit(outcome.Result);
        _meter.Finish(outcome.Result.FullName);
    }

    private async Task CommitAsync(string? reason, CancellationToken cancellationToken)
    {
        // An account of which nothing is known, and nothing was found, is a name that was mistyped.
        if (_context.Options.WhatIf || (_memory.Run is null && _changed.Count == 0 && _listing.Wanted.Count == 0))
            return;
        foreach (var outcome in _changed)
            _memory.Repositories[outcome.Known.Id] = outcome.Known;
        var leftOut = LeftOut();
        // What failed and stored nothing is worth a manifest too: whoever looks at the catalog has to see it. So is the first run after it that is whole.
        if (_changed.Count == 0 && _failed == 0 && (leftOut.Count > 0 || _memory.Run?.Outcome != Outcome.Failed))
        {
            if (leftOut.Count == 0)
                await MarkUnchangedAsync(cancellationToken);
            return;
        }

        var (writer, store) = (_context.Writer, _context.Store);
        var state = await AccountMemory.WriteAsync(store, writer, _memory.Repositories.Values.OrderBy(known => known.Id), cancellationToken);
        var totals = new Totals();
        InventorySegment segment;
        await using (var inventory = writer.StartInventory(cancellationToken))
        {
            await foreach (var entry in EntriesAsync(state, cancellationToken))
            {
                await inventory.AddAsync(entry, cancellationToken);
                totals.Add(entry);
            }

            segment = await inventory.CompleteAsync(cancellationToken);
        }

        var stored = _changed.SelectMany(outcome => outcome.Stored).ToList();
        // A run of chosen repositories does not hide that an earlier one could not back up others.
        var failing = leftOut.Where(known => known.Failing is not null).ToList();
        reason ??= _failed > 0 ? $"{_failed} of {_completed + _unchanged + _failed} repositories failed."
            : failing.Count > 0 ? $"'{failing[0].FullName}'{(failing.Count > 1 ? $" and {failing.Count - 1} more" : "")} failed in an earlier run, and was not tried again."
            : null;
        var run = await writer.CommitAsync(
            writer.Draft(reason is not null ? Outcome.Failed : Outcome.Completed, reason) with
            {
                Counts = new() { Stored = _completed, Unchanged = _unchanged, Failed = _failed },
                Proofs = [.. stored.Append(state).Select(item => item.Checksum?.Algorithm).OfType<string>().Distinct(StringComparer.Ordinal)],
                BytesStored = stored.Sum(item => item.Size) + state.Size,
                TotalObjects = totals.Objects,
                TotalBytes = totals.Bytes,
                Inventory = [segment],
                Failures = [.. _failures.Take(MaxFailures)],
                Properties = new Dictionary<string, string>(StringComparer.Ordinal) { [AccountMemory.Property] = state.Key },
            },
            cancellationToken);
        if (reason is null && _context.Options.Keep is { } keep)
            await Cleaning().RunAsync(run.SourceName, _memory.Repositories.Values.Select(known => known.Folder), keep, cancellationToken);
        _context.Options.Logger?.LogInformation("{Account}: {Completed} stored, {Unchanged} unchanged, {Failed} failed; run {RunId}.", _listing.Login, _completed, _unchanged, _failed, writer.RunId);
    }

    /// <summary>What an earlier run has backed up and this one was not asked for: chosen repositories say nothing of the others.</summary>
    private List<KnownRepository> LeftOut()
    {
        var wanted = _listing.Wanted.Select(repository => repository.Id).ToHashSet();
        return [.. _memory.Repositories.Values.Where(known => known.Id != 0 && known.Tombstone is null && !wanted.Contains(known.Id) && !_listing.Seen.Contains(known.Id))];
    }

    private async Task MarkUnchangedAsync(CancellationToken cancellationToken)
    {
        if (_memory.Run is { } newest && _context.Writer.Started - newest.Finished >= UnchangedMarks.Interval)
            await new UnchangedMarks(_context.Store).WriteAsync(RunCatalog.ManifestKey(newest), _context.Writer.Started, cancellationToken);
    }

    /// <summary>The inventory: what the run before had, without what a changed repository no longer needs, and with what it has stored.</summary>
    private async IAsyncEnumerable<InventoryEntry> EntriesAsync(StoredObject state, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var changed = _changed.Select(outcome => (Prefix: outcome.Known.Folder + "/", Lfs: Git.RepositoryKeys.LfsRoot(outcome.Known.Folder), Keys: outcome.Known.Keys())).ToDictionary(item => item.Prefix, StringComparer.Ordinal);
        var fresh = new SortedDictionary<string, InventoryEntry>(Utf8Order.Instance) { [PathOf(state.Key)] = Entry(state) };
        foreach (var item in _changed.SelectMany(outcome => outcome.Stored))
            fresh[PathOf(item.Key)] = Entry(item);
        foreach (var (_, _, keys) in changed.Values)
            keys.RemoveWhere(key => fresh.ContainsKey(PathOf(key)));

        var kept = new List<InventoryEntry>();
        if (_memory.Run is { } before)
        {
            await foreach (var entry in InventoryReader.ReadAsync(_context.Store, before.Inventory, cancellationToken))
            {
                if (entry.Key is not { } key || fresh.ContainsKey(entry.Path) || key.StartsWith("_catalog/", StringComparison.Ordinal))
                    continue;
                // Not what belongs to a changed repository and is needed no more.
                if (FolderOf(key) is { } folder && changed.TryGetValue(folder, out var needs) && !needs.Keys.Remove(key) && !key.StartsWith(needs.Lfs, StringComparison.Ordinal))
                    continue;
                kept.Add(entry);
            }
        }

        // What a run stored that was killed before its manifest, and this one took over.
        foreach (var item in changed.Values.Where(item => item.Keys.Count > 0))
        {
            var keys = item.Keys.ToAsyncEnumerable();
            // Which of the LFS objects it stored is in its list; all that are there are its own or older.
            if (item.Keys.Any(key => key.EndsWith(".jsonl", StringComparison.Ordinal)))
                keys = keys.Concat(_context.Store.ListAsync(item.Lfs, cancellationToken).Select(found => found.Key));
            await foreach (var key in keys)
            {
                if (!fresh.ContainsKey(PathOf(key)) && await _context.Store.HeadAsync(key, null, cancellationToken) is { } head)
                    fresh[PathOf(key)] = Entry(head);
            }
        }

        foreach (var entry in kept)
            fresh.TryAdd(entry.Path, entry);
        foreach (var entry in fresh.Values)
            yield return entry;
    }

    private static string PathOf(string key) => key.StartsWith(System + "/", StringComparison.Ordinal) ? key[(System.Length + 1)..] : key;

    // github/owner/name.id/
    private static string? FolderOf(string key)
    {
        var end = -1;
        for (var i = 0; i < 3; i++)
        {
            end = key.IndexOf('/', end + 1);
            if (end < 0)
                return null;
        }

        return key[..(end + 1)];
    }

    private static InventoryEntry Entry(StoredObject item) => new()
    {
        Path = PathOf(item.Key),
        Type = InventoryEntryType.File,
        Key = item.Key,
        Size = item.Size,
        Sha256 = item.Sha256,
        Checksum = item.Checksum?.ToString(),
        Version = item.VersionId,
        StorageClass = item.StorageClass,
        Mtime = item.LastModified.UtcDateTime,
    };

    private sealed class Totals
    {
        public long Objects { get; private set; }

        public long Bytes { get; private set; }

        public void Add(InventoryEntry entry)
        {
            Objects++;
            Bytes += entry.Size;
        }
    }
}

/// <summary>What was listed of one account.</summary>
/// <param name="Login">Its name.</param>
/// <param name="Wanted">The repositories to back up.</param>
/// <param name="Seen">The ids of all that were listed, wanted or not.</param>
/// <param name="CompleteLists">The lists that were read to their end.</param>
/// <param name="Missing">Repositories that were asked for by their names, and cannot be had.</param>
/// <param name="Account">The account, where its own records are wanted.</param>
/// <param name="IsSelf">Whether it is the token's own user.</param>
internal sealed record AccountListing(string Login, IReadOnlyList<GitHubRepository> Wanted, IReadOnlySet<long> Seen, IReadOnlySet<string> CompleteLists, IReadOnlyList<MissingRepository> Missing, SimpleUser? Account, bool IsSelf);

/// <summary>A repository that was asked for by its name, and cannot be had.</summary>
/// <param name="FullName">Its name.</param>
/// <param name="Failure">Why.</param>
internal sealed record MissingRepository(string FullName, BackupException Failure);
