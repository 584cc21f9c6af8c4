using System.Diagnostics;
using System.Globalization;
using Backup.Engine.Atlassian.Exports;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Atlassian;

/// <summary>What is known of an export before its first byte.</summary>
internal sealed record ExportOrigin
{
    /// <summary>The product.</summary>
    public required AtlassianProduct Product { get; init; }

    /// <summary>The site.</summary>
    public required AtlassianSite Site { get; init; }

    /// <summary>How it came about: <c>requested</c>, <c>adopted</c> or <c>saved</c>.</summary>
    public required string Trigger { get; init; }

    /// <summary>The time in its key.</summary>
    public required DateTimeOffset Stamp { get; init; }

    /// <summary>Its name in the store, with its ending.</summary>
    public required string FileName { get; init; }

    /// <summary>What tells it from other exports of the site.</summary>
    public required string ExportId { get; init; }

    /// <summary>When it was made, or null.</summary>
    public DateTimeOffset? ExportedAt { get; init; }

    /// <summary>The name of the system in catalogs and keys.</summary>
    public string System => SystemOf(Product);

    /// <summary>Where it goes: <c>confluence/{site}/{yyyyMMddTHHmmssZ}/{file}</c>.</summary>
    public string Key => $"{System}/{Site.KeyName}/{RunCatalog.Stamp(Stamp)}/{FileName}";

    /// <summary>Where it is kept aside if it is not whole.</summary>
    public string QuarantineKey => "_quarantine/" + Key;

    /// <summary>The name of a product in catalogs and keys.</summary>
    public static string SystemOf(AtlassianProduct product) => product == AtlassianProduct.Jira ? "jira" : "confluence";
}

/// <summary>
/// Takes an export in: its bytes go to the store and past the verifier in one pass. What is whole gets a manifest; what is not is moved to a quarantine key,
/// and its manifest says what is wrong with it.
/// </summary>
internal sealed class ExportIntake(IObjectStore store, ExportOrigin origin, string? storageClass, TimeProvider time, ILogger? logger, IProgress<BackupProgress>? progress)
{
    private const int MaxPropertyNames = 50;

    private readonly RunWriter _run = new(store, origin.System, origin.Site.Name, time);

    /// <summary>Stores and verifies.</summary>
    /// <param name="content">The export.</param>
    /// <param name="length">Its length, or null where that is not known.</param>
    /// <param name="facts">More for the manifest, asked for when everything was read.</param>
    /// <param name="cancellationToken">Cancels it; then nothing is stored.</param>
    /// <returns>A result with <see cref="SiteStatus.Completed"/> or <see cref="SiteStatus.Failed"/>.</returns>
    public async Task<ExportResult> RunAsync(Stream content, long? length, Func<IEnumerable<KeyValuePair<string, string>>>? facts, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var meter = new ProgressMeter(progress, $"Storing {origin.Product} of {origin.Site}", length);
        await using var verifier = new ExportVerifier();
        var stored = await store.WriteAsync(
            origin.Key,
            verifier.Watch(content),
            new()
            {
                Length = length,
                StorageClass = store.Abilities.StorageClasses ? storageClass : null,
                ContentType = "application/zip",
                // The same at every attempt: an interrupted upload keeps what it was begun with.
                Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["site"] = origin.Site.Name, ["product"] = origin.System, ["export-id"] = origin.ExportId },
                Progress = meter,
            },
            cancellationToken);
        var report = await verifier.CompleteAsync(cancellationToken);
        var transfer = clock.Elapsed;
        if (report.IsWhole && report.Length != stored.Size)
            throw new BackupException(FailureKind.LengthMismatch, $"'{origin.Key}' has {stored.Size} bytes, and {report.Length} were verified.");

        var problem = report.Problem?.ToException();
        string? quarantineKey = null;
        if (problem is not null)
        {
            logger?.LogInformation("The export of {Site} is not whole: {Problem}", origin.Site, problem.Message);
            (stored, quarantineKey) = await SetAsideAsync(stored, cancellationToken);
        }
        else
        {
            if (report.Kind == ExportKind.Unknown)
                logger?.LogWarning("'{File}' is a whole zip file, and has none of the files that an export of {Product} is known by. It is stored as it is: look whether it is the right one.", origin.FileName, origin.Product);
            logger?.LogInformation("The export of {Site} is whole: {Kind}, {Entries} entries, {Entities} entities, {Bytes} bytes.", origin.Site, report.Kind, report.EntryCount, EntitiesOf(report), report.Length);
        }

        var manifest = await CommitAsync(stored, report, problem, facts?.Invoke() ?? [], transfer, cancellationToken);
        return new()
        {
            Site = origin.Site.Name,
            Product = origin.Product,
            Destination = store.Location.ToString(),
            Status = problem is null ? SiteStatus.Completed : SiteStatus.Failed,
            Reason = problem is null ? null : $"The export is not whole. {problem.Message} Its bytes are kept aside as '{quarantineKey}'.",
            Kind = problem?.Kind,
            Advice = problem?.Advice,
            RunId = manifest.RunId,
            Key = problem is null ? stored.Key : null,
            QuarantineKey = quarantineKey,
            Bytes = stored.Size,
            Sha256 = stored.Sha256,
            ExportKind = report.Kind,
            Entries = report.EntryCount,
            Entities = EntitiesOf(report),
            ExportedAt = origin.ExportedAt,
            TransferDuration = transfer,
        };
    }

    private static long EntitiesOf(ExportReport report) => report.Entities.Values.Sum();

    /// <summary>Moves what is not whole out of the way. What lies in an archive class cannot be read back at once, and stays where it is.</summary>
    private async Task<(StoredObject Stored, string Key)> SetAsideAsync(StoredObject stored, CancellationToken cancellationToken)
    {
        if (stored.StorageClass is "GLACIER" or "DEEP_ARCHIVE")
        {
            logger?.LogWarning("'{Key}' is not whole, and stays where it is: the storage class {Class} does not let it be moved. No good run names it.", stored.Key, stored.StorageClass);
            return (stored, stored.Key);
        }

        StoredObject aside;
        await using (var content = await store.ReadAsync(stored.Key, new() { VersionId = stored.VersionId }, cancellationToken))
        {
            aside = await store.WriteAsync(
                origin.QuarantineKey,
                content.Stream,
                new() { Length = stored.Size, ExpectedSha256 = stored.Sha256, StorageClass = store.Abilities.StorageClasses ? storageClass : null, ContentType = "application/zip" },
                cancellationToken);
        }

        await foreach (var result in store.DeleteAsync(new[] { stored.Key }.ToAsyncEnumerable(), cancellationToken))
        {
            if (result.Failure is { } failure)
                throw new BackupException(failure.Kind, $"'{stored.Key}' is not whole and could not be removed: {failure.Message}", "Remove it by hand: no good run names it.", failure);
        }

        return (aside, aside.Key);
    }

    private async Task<RunManifest> CommitAsync(StoredObject stored, ExportReport report, BackupException? problem, IEnumerable<KeyValuePair<string, string>> facts, TimeSpan transfer, CancellationToken cancellationToken)
    {
        var segment = await _run.WriteInventoryAsync(
            [
                new()
                {
                    Path = origin.FileName,
                    Type = InventoryEntryType.File,
                    Key = stored.Key,
                    Size = stored.Size,
                    Sha256 = stored.Sha256,
                    Checksum = stored.Checksum?.ToString(),
                    Version = stored.VersionId,
                    StorageClass = stored.StorageClass,
                    Mtime = origin.ExportedAt?.UtcDateTime,
                    Damage = problem?.Message,
                },
            ],
            cancellationToken);
        var outcome = problem is not null ? Outcome.Failed : origin.Trigger == "adopted" ? Outcome.Adopted : Outcome.Completed;
        return await _run.CommitAsync(
            _run.Draft(outcome, problem?.Message) with
            {
                Proofs = stored.Checksum is { } checksum ? [checksum.Algorithm] : [],
                Counts = new() { Stored = 1, Failed = problem is null ? 0 : 1 },
                BytesStored = stored.Size,
                TotalObjects = 1,
                TotalBytes = stored.Size,
                Inventory = [segment],
                Failures = problem is null ? [] : [new(origin.FileName, problem.Kind, problem.Message)],
                Properties = Properties(stored, report, facts, transfer),
            },
            cancellationToken);
    }

    private Dictionary<string, string> Properties(StoredObject stored, ExportReport report, IEnumerable<KeyValuePair<string, string>> facts, TimeSpan transfer)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["product"] = $"{origin.Product}",
            ["site"] = origin.Site.Address.AbsoluteUri,
            ["trigger"] = origin.Trigger,
            ["exportId"] = origin.ExportId,
            ["key"] = stored.Key,
            ["sha256"] = stored.Sha256 ?? "",
            ["transferSeconds"] = transfer.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture),
            ["verification"] = report.Problem is { } problem ? $"{problem.Kind} at byte {problem.Offset}" : "whole",
            ["kind"] = $"{report.Kind}",
            ["entries"] = $"{report.EntryCount}",
            ["attachments"] = $"{report.AttachmentCount}",
            ["documents"] = $"{report.DocumentCount}",
            ["uncompressedBytes"] = $"{report.UncompressedBytes}",
            ["entities"] = $"{EntitiesOf(report)}",
        };
        if (origin.ExportedAt is { } exported)
            properties["exportedAt"] = exported.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        foreach (var (name, count) in report.Entities.OrderByDescending(pair => pair.Value).Take(MaxPropertyNames))
            properties["entities." + name] = $"{count}";
        foreach (var (name, value) in report.Descriptor)
            properties["descriptor." + name] = value;
        foreach (var (name, value) in facts)
            properties[name] = value;
        return properties;
    }
}
