using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>What a verification of one run found.</summary>
public sealed record RunVerification
{
    /// <summary>The destination that holds the run.</summary>
    public required string Destination { get; init; }

    /// <summary>The run's id.</summary>
    public required string RunId { get; init; }

    /// <summary>What was backed up.</summary>
    public required string SourceName { get; init; }

    /// <summary>Whether everything the run names is in the store, and whole. A deep verification that could not read archived objects has not passed.</summary>
    public bool Passed => Problems == 0 && Archived == 0;

    /// <summary>Why the run itself had failed, in a sentence; null where it had not. What such a run names may be whole, and is not all there should be.</summary>
    public string? RunFailure { get; init; }

    /// <summary>Whether every byte was read, or only existence, size and the store's checksum were compared.</summary>
    public required bool Deep { get; init; }

    /// <summary>Objects that were checked.</summary>
    public long Checked { get; init; }

    /// <summary>Bytes of the objects that were checked.</summary>
    public long Bytes { get; init; }

    /// <summary>Objects that are archived and could not be read by a deep verification.</summary>
    public long Archived { get; init; }

    /// <summary>Objects that are missing, damaged or not readable.</summary>
    public long Problems { get; init; }

    /// <summary>The first 100 problems.</summary>
    public IReadOnlyList<RunProblem> Details { get; init; } = [];

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }
}

/// <summary>An object of a run that is not as the run recorded it.</summary>
/// <param name="Path">The item, as the inventory names it.</param>
/// <param name="Key">The object's key.</param>
/// <param name="Kind">The stable word for it.</param>
/// <param name="Message">What is wrong, in a sentence.</param>
public sealed record RunProblem(string Path, string Key, FailureKind Kind, string Message);

/// <summary>Proves that a run's objects are in the store, and whole.</summary>
public static class RunVerifier
{
    /// <summary>Verifies the runs that <paramref name="query"/> selects, the newest of each source where it names none. One result a run.</summary>
    /// <param name="destination">The destination that holds them.</param>
    /// <param name="query">Which runs.</param>
    /// <param name="deep">Whether every byte is read.</param>
    /// <param name="store">How the destination is opened.</param>
    /// <param name="progress">Told of bytes and objects.</param>
    /// <param name="record">Whether the destination's catalog keeps what was found, for reports and <see cref="Reports.BackupReports"/>; nothing is written otherwise.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static IAsyncEnumerable<RunVerification> RunAsync(StoreLocation destination, RunQuery query, bool deep, StoreOptions? store = null, IProgress<BackupProgress>? progress = null, bool record = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.RunIds is null)
            query = query with { LatestOnly = true };
        return Emission.RunAsync<RunVerification>(
            async (emit, token) =>
            {
                await using var opened = await ObjectStores.OpenAsync(destination, store, token);
                await opened.CheckAsync(forWriting: record, token);
                var time = store?.Time ?? TimeProvider.System;
                var found = 0;
                await foreach (var manifest in new RunCatalog(opened).ListAsync(query, token))
                {
                    found++;
                    var verification = await new RunCheck(opened, manifest, deep, progress).RunAsync(token);
                    emit(verification);
                    if (record)
                        await new VerificationMarks(opened).WriteAsync(manifest, verification, time.GetUtcNow(), token);
                }

                if (found == 0)
                    throw new BackupException(FailureKind.NotFound, query.RunIds is { } ids ? $"There is no run '{string.Join("', '", ids)}' in '{destination}'." : $"There is no such run in '{destination}'.", "Get-BackupRun lists the runs of a destination.");
            },
            cancellationToken);
    }
}
