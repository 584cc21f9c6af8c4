using Backup.Engine.Notifications;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>Backs packages of CodeArtifact up: by event, by coordinates, or a whole repository. One engine does all three.</summary>
public static class MavenBackup
{
    private static readonly string[] KnownFormats = [PackageVersionId.Maven, "npm", "nuget", "pypi", "generic"];

    /// <summary>
    /// Backs up what the options name. A result a version as it finishes; of a whole repository only of those that were not there already, and a summary.
    /// A bad option, a repository that cannot be listed, and a store that cannot be used end it with an exception; a bad version is a result.
    /// </summary>
    public static IAsyncEnumerable<MavenOutput> RunAsync(MavenBackupOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        return Emission.RunAsync<MavenOutput>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static void Check(MavenBackupOptions options)
    {
        if (options.Formats.FirstOrDefault(format => !KnownFormats.Contains(format, StringComparer.Ordinal)) is { } unknown)
            throw Invalid($"'{unknown}' is not a format that is backed up.", $"Give {string.Join(", ", KnownFormats)}.");
        if (options.Events.Count > 0)
            return;
        if (options.Domain is null || options.Repository is null)
            throw Invalid("It is not said which repository.", "Give -Domain and -Repository, or an event.");
        if (options.DomainOwner is { } owner && (owner.Length != 12 || !owner.All(char.IsAsciiDigit)))
            throw Invalid($"'{owner}' is not an account.", "Give the 12 digits of the account that owns the domain.");
        if (options.All == (options.Packages.Count > 0))
            throw Invalid("It is not said which packages.", "Give -Package group:artifact, or -All.");
        if (options.Shard is { } shard && (shard.Count < 1 || shard.Index < 1 || shard.Index > shard.Count))
            throw Invalid($"There is no part {shard.Index} of {shard.Count}.", "Give -Shard 1/4 to 4/4, for example.");
        if (!options.All && options.Formats.Count != 1)
            throw Invalid("A package has one format.", "Give one -Format, or -All.");
    }

    private static async Task RunAsync(MavenBackupOptions options, Action<MavenOutput> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var report = new FailureReport("Versions");
        await report.WatchAsync(
            options.Webhook,
            options.WhatIf,
            options.Store,
            async () =>
            {
                await using var store = await ObjectStores.OpenAsync(options.Destination, options.Store, cancellationToken);
                using var source = new CodeArtifactSource(options.Aws, options.RequestRate, options.Store.Time, options.Logger);
                if (!options.WhatIf)
                    await store.CheckAsync(forWriting: true, cancellationToken);
                void Tell(MavenOutput output)
                {
                    if (output.Outcome == Outcome.Failed)
                        report.AddFailure($"{(output is PackageVersionResult version ? $"{version.Package}:{version.Version}" : output.Repository)}: {output.Reason}");
                    report.AddItem(output.Outcome, output is RepositoryResult ? 0 : output.Bytes);
                    emit(output);
                }

                if (options.All)
                {
                    using var repository = new RepositoryBackup(store, source, options, Tell, progress);
                    await repository.RunAsync(cancellationToken);
                }
                else
                {
                    await RunVersionsAsync(store, source, options, Tell, progress, cancellationToken);
                }
            },
            cancellationToken);
    }

    private static async Task RunVersionsAsync(IObjectStore store, CodeArtifactSource source, MavenBackupOptions options, Action<MavenOutput> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new ProgressMeter(progress, "Backing up packages");
        var backup = new VersionBackup(store, source, options, meter) { Repairs = true };
        await Parallel.ForEachAsync(
            SelectAsync(source, options, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Min(store.Abilities.Parallelism, 8), CancellationToken = cancellationToken },
            async (wanted, token) =>
            {
                emit(await RunVersionAsync(store, source, backup, wanted, options, token));
                meter.Finish(wanted[0].Id.ToString());
            });
    }

    private static async Task<PackageVersionResult> RunVersionAsync(IObjectStore store, CodeArtifactSource source, VersionBackup backup, IReadOnlyList<CodeArtifactEvent> events, MavenBackupOptions options, CancellationToken cancellationToken)
    {
        var wanted = events[^1];
        var id = wanted.Id;
        try
        {
            if (!options.Formats.Contains(id.Format, StringComparer.Ordinal))
                return Result(wanted, Outcome.Skipped, $"Its format is {id.Format}, which is not asked for.") with { Advice = $"Give -Format {id.Format}." };
            // A version that was deleted may be there again by now: the tombstone belongs to the revision that is gone.
            foreach (var gone in events.Where(gone => gone.State is "Deleted" or "Disposed"))
                await backup.NoteGoneAsync(id, gone.Revision, gone.State!, cancellationToken);
            var now = await source.DescribeAsync(id, cancellationToken);
            if (now is null)
            {
                return wanted.State is null
                    ? throw new BackupException(FailureKind.NotFound, $"There is no {id} in {id.Domain}/{id.Repository}.", "Check package and version. What only an upstream repository has is not in this one.")
                    : (await backup.NoteGoneAsync(id, wanted.Revision, wanted.State is "Disposed" ? "Disposed" : "Deleted", cancellationToken)).Result;
            }

            var outcome = await backup.RunAsync(new(id, now.Status ?? "Published", now.Revision), cancellationToken);
            // A run that was killed between the revision and its run left the run to be written by the next one.
            if (outcome.Manifest is { } manifest && (outcome.Result.Outcome == Outcome.Completed || !await HasRunAsync(store, manifest, cancellationToken)))
                return outcome.Result with { RunId = await CommitAsync(store, manifest, outcome, options, cancellationToken) };
            return outcome.Result;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var failure = BackupException.From(exception);
            if (EndsTheRun(failure))
                throw failure;
            return Result(wanted, Outcome.Failed, failure.Message) with { Kind = failure.Kind, Advice = failure.Advice };
        }
    }

    /// <summary>Whether every other version would fail the same way.</summary>
    internal static bool EndsTheRun(BackupException failure) =>
        failure.Kind is FailureKind.AuthenticationFailed or FailureKind.CredentialsExpired or FailureKind.NoSpace && failure is not Aws.AwsServiceException { ErrorCode: "ServiceQuotaExceededException" };

    // The run that stored a revision ended after it; one of the whole repository that ended before does not know it.
    private static async Task<bool> HasRunAsync(IObjectStore store, RevisionManifest manifest, CancellationToken cancellationToken)
    {
        var catalog = new RunCatalog(store);
        foreach (var name in (string[])[MavenRun.SourceName(manifest.Id), MavenRun.SourceName(manifest.Domain, manifest.Repository, null)])
        {
            if (await catalog.FindLatestAsync(MavenRun.System, CatalogSource.FromName(name), null, cancellationToken) is { Outcome: not Outcome.Failed } run && run.Finished >= manifest.Stored)
                return true;
        }

        return false;
    }

    private static async Task<string> CommitAsync(IObjectStore store, RevisionManifest manifest, VersionOutcome outcome, MavenBackupOptions options, CancellationToken cancellationToken)
    {
        var source = MavenRun.SourceName(manifest.Id);
        // The same event may come twice at once: the run that says that a revision is stored is one, whoever writes it.
        (DateTimeOffset, string)? identity = outcome.Result.Reason is null ? (manifest.Stored, RunCatalog.RunIdOf(manifest.Stored, $"{source} {manifest.Revision}")) : null;
        var run = new RunWriter(store, MavenRun.System, source, options.Store.Time, identity);
        var segment = await run.WriteInventoryAsync(MavenRun.Entries(manifest), cancellationToken);
        var draft = run.Draft(Outcome.Completed) with
        {
            Proofs = MavenRun.Proofs(manifest.Assets),
            Counts = new() { Stored = outcome.Sent, Updated = outcome.Sent == 0 ? 1 : 0, Unchanged = manifest.Assets.Count - outcome.Sent },
            BytesStored = outcome.Result.Bytes,
            TotalObjects = manifest.Assets.Count,
            TotalBytes = manifest.Assets.Sum(asset => asset.Size),
            Inventory = [segment],
        };
        try
        {
            return (await run.CommitAsync(draft, cancellationToken)).RunId;
        }
        catch (BackupException exception) when (identity is not null && exception.Kind == FailureKind.AlreadyExists)
        {
            return draft.RunId;
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<CodeArtifactEvent>> SelectAsync(CodeArtifactSource source, MavenBackupOptions options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Several events of a version are one piece of work: the repository is asked how it is now in any case.
        foreach (var given in options.Events.SelectMany(CodeArtifactEvent.Parse).Select(given => options.DomainOwner is { } owner ? given with { Id = given.Id with { DomainOwner = owner } } : given).GroupBy(given => given.Id))
            yield return [.. given];
        foreach (var text in options.Packages)
        {
            var (name, package) = PackageVersionId.ParsePackage(text, options.Formats[0]);
            var id = new PackageVersionId
            {
                Domain = options.Domain!,
                DomainOwner = options.DomainOwner,
                Repository = options.Repository!,
                Format = options.Formats[0],
                Namespace = name,
                Package = package,
                Version = "",
            };
            foreach (var version in options.Versions)
                yield return [new(id with { Version = version }, null, null)];
            if (options.Versions.Count > 0)
                continue;
            await foreach (var version in source.VersionsAsync(id, cancellationToken))
                yield return [new(version.Id, version.Status, version.Revision)];
        }
    }

    private static PackageVersionResult Result(CodeArtifactEvent wanted, Outcome outcome, string reason) => new()
    {
        Domain = wanted.Id.Domain,
        Repository = wanted.Id.Repository,
        Format = wanted.Id.Format,
        Package = wanted.Id.PackageName,
        Version = wanted.Id.Version,
        Revision = wanted.Revision,
        Status = wanted.State,
        Outcome = outcome,
        Reason = reason,
    };

    private static BackupException Invalid(string message, string advice) => new(FailureKind.InvalidInput, message, advice);
}
