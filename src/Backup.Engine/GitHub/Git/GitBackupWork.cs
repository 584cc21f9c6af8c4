using System.Globalization;
using Backup.Engine.GitHub.Git.Lfs;
using Backup.Engine.Http;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub.Git;

/// <summary>One generation in the making.</summary>
internal sealed class GitBackupWork(
    IObjectStore store,
    HttpSender http,
    GitBackupOptions options,
    GitBackupRequest request,
    RefAdvertisement advertised,
    GitGeneration? previous,
    string? previousKey,
    PackCheck check,
    IReadOnlyList<string> findings)
{
    // Below that a chain costs nothing, however it is made up.
    private const long MinRewrite = 16L << 20;

    private readonly List<StoredObject> _stored = [];
    private readonly List<RunFailure> _problems = [];
    private readonly GitRef[] _before = [.. previous?.ReadRefs() ?? []];
    private IReadOnlyList<RefChange> _changes = [];
    private IReadOnlyList<string> _findings = findings;
    private LfsSummary? _lfs = previous?.Lfs;
    private long _objects;
    private bool _lfsIsDone;

    /// <summary>Makes it.</summary>
    public async Task<GitBackupResult> RunAsync(CancellationToken cancellationToken)
    {
        var isSame = previous is not null && previous.Digest == advertised.Digest && !request.Full && (previous.Lfs is not null || !request.Lfs);
        if (isSame && !(request.Lfs && previous!.Lfs is { Missing: > 0 }))
            return new() { Outcome = Outcome.Unchanged, State = State(previous!, previousKey!), Generation = previous! };

        _changes = RefChanges.Between(_before, advertised.Refs);
        var known = _before.Select(item => item.ObjectId).ToHashSet(StringComparer.Ordinal);
        var full = WhyFull(isSame);
        IReadOnlyList<GitBundle> bundles = previous?.Bundles ?? [];
        if (advertised.IsEmpty)
            (full, bundles) = (null, []);
        else if (full is not null || advertised.Refs.Any(item => !known.Contains(item.ObjectId)))
            (full, bundles) = await FetchAsync(full, known, cancellationToken);
        else
            full = null;

        if (request.Lfs)
            await FetchLfsAsync([], cancellationToken);
        var generation = new GitGeneration
        {
            Name = request.Name,
            Id = request.Id,
            Generation = request.Generation,
            Part = request.Part,
            Created = options.Time.GetUtcNow(),
            ObjectFormat = advertised.Format.Name,
            Head = advertised.Head,
            Digest = advertised.Digest,
            Previous = previousKey,
            Full = full,
            Bundles = bundles,
            Changes = _changes,
            Lfs = _lfs,
            Refused = advertised.Refused,
            Findings = _findings,
            Refs = [.. advertised.Refs.Select(item => item.ToString())],
        };
        var key = RepositoryKeys.Manifest(request.Folder, request.Generation, request.Part);
        _stored.Add(await GitGenerations.WriteAsync(store, key, generation, cancellationToken));
        return new() { Outcome = Outcome.Completed, State = State(generation, key), Generation = generation, Stored = _stored, Problems = _problems, Objects = _objects };
    }

    private static GitState State(GitGeneration generation, string key) => new(generation.Digest, generation.Generation, key, generation.Lfs?.Missing);

    /// <summary>Why all of it has to be stored, or null.</summary>
    private string? WhyFull(bool isSame)
    {
        if (request.Full)
            return "asked for";
        if (previous is null)
            return "first generation";
        if (isSame)
            return null;
        if (previous.ObjectFormat != advertised.Format.Name)
            return "its hash changed";
        if (previous.Bundles.Count == 0)
            return "nothing was stored before";
        if (request.Lfs && previous.Lfs is null)
            return "LFS objects were not looked for before";
        if (previous.Bundles.Count >= options.MaxChain)
            return $"the chain has {previous.Bundles.Count.ToString(CultureInfo.InvariantCulture)} bundles";
        var later = previous.Bundles.Skip(1).Sum(bundle => bundle.Size);
        return later > Math.Max(previous.Bundles[0].Size, MinRewrite) ? "its chain has outgrown the full bundle" : null;
    }

    private async Task<(string? Full, IReadOnlyList<GitBundle> Bundles)> FetchAsync(string? full, HashSet<string> known, CancellationToken cancellationToken)
    {
        var git = await GitProgram.FindAsync(options.GitPath);
        await using var pool = OpenPool(git);
        if (full is null)
        {
            try
            {
                await pool.EnsureAsync(store, previous!.Bundles, null, cancellationToken);
            }
            catch (BackupException exception) when (exception.Kind is FailureKind.Archived or FailureKind.NotFound or FailureKind.Corrupt or FailureKind.ChecksumMismatch)
            {
                full = $"the chain cannot be read: {exception.Message.TrimEnd('.')}";
                options.Logger?.LogWarning("{Name}: all of it is stored again, because {Reason}.", request.Name, full);
            }
        }

        var bundle = await StoreBundleAsync(git, pool, full, full is null ? known : [], cancellationToken);
        IReadOnlyList<GitBundle> bundles = full is not null ? [] : previous!.Bundles;
        if (bundle is not null)
            bundles = [.. bundles, bundle];
        if (options.MirrorPath is not null)
            pool.WriteRefs(advertised.Refs, advertised.Head);
        return (full, bundles);
    }

    private async Task<GitBundle?> StoreBundleAsync(GitProgram git, PackPool pool, string? full, HashSet<string> known, CancellationToken cancellationToken)
    {
        var quarantine = pool.OpenQuarantine(seesOthers: full is null);
        var inQuarantine = pool.Command([]) with { ObjectDirectory = quarantine };
        var wants = advertised.Refs.Select(item => item.ObjectId).Where(id => !known.Contains(id)).Distinct(StringComparer.Ordinal).ToArray();
        await using var fetch = await PackFetch.StartAsync(http, advertised, wants, known, options.Stall, cancellationToken);
        if (fetch.ObjectCount == 0)
        {
            // All refs went back to what older bundles hold.
            using var lookup = pool.Lookup();
            Prove(lookup);
            _changes = await RefChanges.FindForcedAsync(_changes, inQuarantine, lookup.Contains, cancellationToken);
            return null;
        }

        await using var ingest = PackIngest.Start(git, pool.Path, quarantine, check, $"'{request.Name}'", !pool.IsTemporary, cancellationToken);
        var prerequisites = full is null ? _before.Where(item => item.Name.StartsWith(RefName.Heads, StringComparison.Ordinal)).Select(item => item.ObjectId).Distinct(StringComparer.Ordinal) : [];
        IngestedPack? pack = null;
        await using var bundle = new BundleStream(
            BundleHeader.Write(advertised.Format, prerequisites, advertised.Refs, advertised.Head),
            fetch,
            ingest,
            accepted =>
            {
                using var lookup = Lookup(pool, accepted, full);
                Prove(lookup);
                pack = accepted;
            });
        var stored = await store.WriteAsync(
            RepositoryKeys.Bundle(request.Folder, request.Generation, request.Part),
            bundle,
            new() { StorageClass = store.Abilities.StorageClasses ? options.StorageClass : null, ContentType = "application/x-git-bundle", Progress = request.Progress },
            cancellationToken);
        _stored.Add(stored);
        (_objects, _findings) = (fetch.ObjectCount, [.. _findings, .. pack!.Findings]);

        using (var lookup = Lookup(pool, pack, full))
            _changes = await RefChanges.FindForcedAsync(_changes, inQuarantine, lookup.Contains, cancellationToken);
        if (request.Lfs)
            await FetchLfsAsync(await LfsScan.FindAsync(inQuarantine, pack.Index, advertised.Format, cancellationToken), cancellationToken);
        var described = new GitBundle
        {
            Key = stored.Key,
            Size = stored.Size,
            Sha256 = stored.Sha256 ?? throw new BackupException(FailureKind.Unknown, $"The store does not say the SHA-256 of '{stored.Key}'."),
            Checksum = stored.Checksum?.ToString(),
            Version = stored.VersionId,
            StorageClass = stored.StorageClass,
            Objects = fetch.ObjectCount,
        };
        if (options.MirrorPath is not null)
            pool.Accept(described, pack, replace: full is not null);
        return described;
    }

    private static ObjectLookup Lookup(PackPool pool, IngestedPack pack, string? full) =>
        full is null ? pool.Lookup([pack.Index]) : ObjectLookup.Open([pack.Index], pool.Format);

    /// <summary>What index-pack has accepted is complete in itself or leans on what is there; so where the refs' own objects are there, everything is.</summary>
    private void Prove(ObjectLookup lookup)
    {
        if (lookup.Missing(advertised.Refs).FirstOrDefault() is { } missing)
            throw new BackupException(FailureKind.Corrupt, $"The pack of '{request.Name}' lacks '{missing.ObjectId}', which '{missing.Name}' names.", "Run again.");
    }

    private PackPool OpenPool(GitProgram git)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{request.Id}{(request.Part == GitPart.Wiki ? ".wiki" : "")}");
        return options.MirrorPath is { } mirrors
            ? PackPool.Open(git, Path.Combine(mirrors, name + ".git"), advertised.Format, isTemporary: false, options.Logger)
            : PackPool.Open(git, Path.Combine(options.WorkPath, $"{name}-{Guid.NewGuid().ToString("N")[..8]}.git"), advertised.Format, isTemporary: true, options.Logger);
    }

    /// <summary>Fetches the LFS objects that are new, and those that were missing before.</summary>
    private async Task FetchLfsAsync(IReadOnlyCollection<LfsPointer> found, CancellationToken cancellationToken)
    {
        if (_lfsIsDone)
            return;
        _lfsIsDone = true;
        var entries = previous?.Lfs?.Key is { } list ? await LfsList.ReadAsync(store, list, cancellationToken) : [];
        var wanted = found.Where(pointer => !entries.ContainsKey(pointer.Oid))
            .Concat(entries.Values.Where(entry => entry.Key is null).Select(entry => new LfsPointer(entry.Oid, entry.Size)))
            .ToArray();
        if (wanted.Length == 0)
        {
            _lfs ??= new();
            return;
        }

        var backup = new LfsBackup(store, new(http, advertised.Remote, options.Stall), request.Folder, options.StorageClass, request.Progress);
        foreach (var entry in await backup.FetchAsync(wanted, cancellationToken))
            entries[entry.Oid] = entry;
        var key = RepositoryKeys.LfsList(request.Folder, request.Generation, request.Part);
        _stored.AddRange(backup.Stored);
        _stored.Add(await LfsList.WriteAsync(store, key, entries.Values, cancellationToken));
        _problems.AddRange(backup.Problems);
        _lfs = new() { Key = key, Objects = entries.Count, Bytes = entries.Values.Sum(entry => entry.Size), Missing = entries.Values.LongCount(entry => entry.Key is null) };
    }
}
