using System.Diagnostics;
using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>The verification of one run.</summary>
internal sealed class RunCheck(IObjectStore store, RunManifest manifest, bool deep, IProgress<BackupProgress>? progress)
{
    private const int MaxDetails = 100;
    private const int MaxParallelism = 64;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ProgressMeter _meter = new(progress, $"Verifying {manifest.SourceName}", manifest.TotalBytes, manifest.TotalObjects);
    private readonly RunReader _reader = new(store);
    private readonly StoreHealth _health = new();
    private readonly Lock _lock = new();
    private readonly List<RunProblem> _details = [];
    private long _checked;
    private long _bytes;
    private long _archived;
    private long _problems;

    /// <summary>Checks every object that the run's inventory names.</summary>
    public async Task<RunVerification> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Parallel.ForEachAsync(
                new RunCatalog(store).ReadInventoryAsync(manifest, cancellationToken).Where(entry => entry.Type == InventoryEntryType.File),
                new ParallelOptions { MaxDegreeOfParallelism = Math.Min(store.Abilities.Parallelism, MaxParallelism), CancellationToken = cancellationToken },
                async (entry, token) =>
                {
                    try
                    {
                        await CheckAsync(entry, token);
                        _health.Success();
                    }
                    catch (Exception exception) when (exception is not OperationCanceledException)
                    {
                        var failure = BackupException.From(exception);
                        // A store that cannot be asked is not a million damaged objects.
                        if (_health.Failure(failure))
                            throw failure;
                        Problem(entry, failure.Kind, failure.Message);
                    }

                    Interlocked.Increment(ref _checked);
                    _meter.Finish(entry.Path);
                });
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.Corrupt or FailureKind.NotFound)
        {
            // The inventory itself: what it named cannot be known any more.
            Problem(new() { Path = "inventory", Type = InventoryEntryType.File, Key = RunCatalog.ManifestKey(manifest) }, exception.Kind, exception.Message);
        }

        return new()
        {
            Destination = store.Location.ToString(),
            RunId = manifest.RunId,
            SourceName = manifest.SourceName,
            RunFailure = manifest.Outcome == Outcome.Failed ? manifest.Reason ?? "It says no reason." : null,
            Deep = deep,
            Checked = _checked,
            Bytes = _bytes,
            Archived = _archived,
            Problems = _problems,
            Details = _details,
            Duration = _clock.Elapsed,
        };
    }

    private async Task CheckAsync(InventoryEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Damage is { } damage)
        {
            Problem(entry, FailureKind.Corrupt, $"It was damaged when it was stored, and is kept aside: {damage}");
            return;
        }

        var head = await store.HeadAsync(entry.Key!, entry.Version, cancellationToken);
        if (head is null)
        {
            Problem(entry, FailureKind.NotFound, "It is not in the store.");
            return;
        }

        if (head.Size != entry.Size)
        {
            Problem(entry, FailureKind.LengthMismatch, $"It has {head.Size} bytes instead of {entry.Size}.");
            return;
        }

        if (ObjectChecksum.Parse(entry.Checksum) is { } expected && StoreChecksum(head, expected.Algorithm) is { } actual && !actual.Equals(expected.Value, StringComparison.OrdinalIgnoreCase))
        {
            Problem(entry, FailureKind.ChecksumMismatch, $"The store's {expected.Algorithm} is '{actual}' instead of '{expected.Value}'.");
            return;
        }

        if (deep && head.Archive != ArchiveState.Readable)
        {
            Interlocked.Increment(ref _archived);
            return;
        }

        if (deep)
            await ReadAsync(entry, cancellationToken);
        Interlocked.Add(ref _bytes, entry.Size);
    }

    private async Task ReadAsync(InventoryEntry entry, CancellationToken cancellationToken)
    {
        await using var content = await _reader.OpenAsync(entry, cancellationToken);
        var hash = await ContentHash.ComputeAsync(
            content,
            cancellationToken,
            bytes =>
            {
                _meter.Report(bytes.Length);
                return ValueTask.CompletedTask;
            });
        if (!hash.Matches(entry))
            Problem(entry, FailureKind.ChecksumMismatch, $"Its SHA-256 is {Convert.ToHexStringLower(hash.Sha256)} instead of {entry.Sha256}.");
    }

    private static string? StoreChecksum(StoredObject head, string algorithm) => algorithm switch
    {
        _ when head.Checksum?.Algorithm == algorithm => head.Checksum.Value,
        ObjectChecksum.Md5 => head.ETag,
        _ => null,
    };

    private void Problem(InventoryEntry entry, FailureKind kind, string message)
    {
        lock (_lock)
        {
            _problems++;
            if (_details.Count < MaxDetails)
                _details.Add(new(entry.Path, entry.Key ?? "", kind, message));
        }
    }
}
