using System.Diagnostics;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>Publishes backed-up packages again, and proves that they are what they were.</summary>
public static class MavenRestore
{
    /// <summary>How long a readable copy of an archived asset stays.</summary>
    private const int RequestDays = 7;

    /// <summary>Restores what the options name: a result a version, then a summary. A bad version is a result; a bad option, run or credential ends it with an exception.</summary>
    public static IAsyncEnumerable<MavenOutput> RunAsync(MavenRestoreOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.RunId is null && (options.FromDomain is null || options.FromRepository is null))
            throw new BackupException(FailureKind.InvalidInput, "It is not said what to restore.", "Give a run from Get-BackupRun, or -Domain, -Repository and -Package.");
        if (options is { Directory: not null, Url: not null })
            throw new BackupException(FailureKind.InvalidInput, "Two places to restore to are given.", "Give one of them.");
        return Emission.RunAsync<MavenOutput>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static async Task RunAsync(MavenRestoreOptions options, Action<MavenOutput> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        await using var store = await ObjectStores.OpenAsync(options.From, options.Store, cancellationToken);
        await store.CheckAsync(forWriting: false, cancellationToken);
        var selection = new MavenSelection(store, options);
        var counts = new Counts();
        var packages = await selection.ReadAsync(
            result =>
            {
                counts.Add(result);
                emit(result);
            },
            cancellationToken);
        var home = packages is [[var any, ..], ..] ? any.Id : null;
        options = options with { Domain = options.Domain ?? home?.Domain, Repository = options.Repository ?? home?.Repository };
        var meter = new ProgressMeter(progress, "Restoring packages", null, packages.Sum(package => package.Count));
        using var source = !options.IsPlain ? new CodeArtifactSource(options.Aws, options.RequestRate, options.Store.Time, options.Logger) : null;
        using var target = Open(options, store, source);
        if (home is not null)
            await target.CheckAsync(home, cancellationToken);
        await Parallel.ForEachAsync(
            packages,
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (package, token) =>
            {
                var published = new List<RestoredVersion>();
                foreach (var version in package)
                {
                    var result = await RestoreAsync(store, target, version, options, token);
                    counts.Add(result);
                    emit(result);
                    if (result.Outcome is Outcome.Completed or Outcome.Unchanged)
                        published.Add(version);
                    meter.Finish(version.Id.ToString());
                }

                if (published.Count > 0 && !options.WhatIf)
                    await target.FinishPackageAsync(published, token);
            });
        emit(counts.Summary(options, home) with { Duration = clock.Elapsed });
    }

    private static IPackageTarget Open(MavenRestoreOptions options, IObjectStore store, CodeArtifactSource? source) => options switch
    {
        { Directory: { } directory } => new PlainTarget(store, new MavenDirectory(directory), options.Store.Time),
        { Url: { } url } => new PlainTarget(store, new MavenHttp(url, options.Credentials, options.Store.Time, options.Logger), options.Store.Time),
        _ => new CodeArtifactTarget(store, source!, options),
    };

    private static async Task<PackageVersionResult> RestoreAsync(IObjectStore store, IPackageTarget target, RestoredVersion version, MavenRestoreOptions options, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var result = MavenSelection.Result(options, version.Id, Outcome.Completed) with
        {
            Revision = version.Manifest.Revision,
            Status = version.Status,
            Assets = version.Manifest.Assets.Count,
        };
        try
        {
            var outcome = await target.PublishAsync(version, options.WhatIf, cancellationToken);
            return result with
            {
                Outcome = outcome,
                Bytes = outcome == Outcome.Unchanged ? 0 : version.Manifest.Assets.Sum(asset => asset.Size),
                Reason = outcome == Outcome.Skipped ? "WhatIf: nothing was written." : null,
                Duration = clock.Elapsed,
            };
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var failure = Find(exception);
            if (MavenBackup.EndsTheRun(failure))
                throw failure;
            if (failure.Kind == FailureKind.Archived)
            {
                if (!options.WhatIf)
                    await RequestAsync(store, version, cancellationToken);
                return result with { Outcome = Outcome.Deferred, Reason = "Its assets are in an archive class; readable copies were asked for, which takes hours.", Advice = "Run the same command again when they are readable." };
            }

            return result with { Outcome = Outcome.Failed, Reason = failure.Message, Kind = failure.Kind, Advice = failure.Advice, Duration = clock.Elapsed };
        }
    }

    // A body that fails as it is sent comes wrapped by what sent it.
    private static BackupException Find(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is BackupException { Kind: FailureKind.Archived or FailureKind.ChecksumMismatch or FailureKind.LengthMismatch or FailureKind.NotFound } cause)
                return cause;
        }

        return BackupException.From(exception);
    }

    private static async Task RequestAsync(IObjectStore store, RestoredVersion version, CancellationToken cancellationToken)
    {
        foreach (var asset in version.Manifest.Assets)
        {
            if (await store.HeadAsync(asset.Key, asset.VersionId, cancellationToken) is { } head && head.Archive != ArchiveState.Readable)
                await store.RequestRestoreAsync(asset.Key, new(RequestDays, VersionId: asset.VersionId), cancellationToken);
        }
    }

    private sealed class Counts
    {
        private readonly Lock _lock = new();
        private RepositoryResult _sum = new() { Domain = "", Repository = "", Outcome = Outcome.Completed };

        public void Add(PackageVersionResult result)
        {
            lock (_lock)
            {
                _sum = result.Outcome switch
                {
                    Outcome.Completed => _sum with { Stored = _sum.Stored + 1, Assets = _sum.Assets + result.Assets, Bytes = _sum.Bytes + result.Bytes },
                    Outcome.Skipped when result.WhatIf => _sum with { Stored = _sum.Stored + 1, Assets = _sum.Assets + result.Assets, Bytes = _sum.Bytes + result.Bytes },
                    Outcome.Unchanged => _sum with { Unchanged = _sum.Unchanged + 1 },
                    Outcome.Failed => _sum with { Failed = _sum.Failed + 1, Kind = _sum.Kind ?? result.Kind },
                    _ => _sum with { Skipped = _sum.Skipped + 1 },
                };
            }
        }

        public RepositoryResult Summary(MavenRestoreOptions options, PackageVersionId? home) => _sum with
        {
            Domain = options.IsPlain ? "" : options.Domain ?? home?.Domain ?? "",
            Repository = options.PlainName ?? options.Repository ?? home?.Repository ?? "",
            RunId = options.RunId,
            WhatIf = options.WhatIf,
            Outcome = options.WhatIf ? Outcome.Skipped : _sum.Failed > 0 ? Outcome.Failed : _sum.Skipped > 0 ? Outcome.Deferred : _sum.Stored == 0 ? Outcome.Unchanged : Outcome.Completed,
            Reason = options.WhatIf ? "WhatIf: nothing was written." : _sum.Failed > 0 ? $"{MavenRun.Versions(_sum.Failed)} could not be restored." : null,
        };
    }
}
