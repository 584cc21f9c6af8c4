using System.Diagnostics;
using System.Globalization;
using Backup.Engine.Notifications;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Atlassian;

/// <summary>Stores exports that a person made in the browser: verified, and in the same layout as those that <see cref="SiteBackup"/> makes.</summary>
public static class ExportSave
{
    /// <summary>Saves each file. A bad option and a store that cannot be used end the run with an exception; a bad file is a result.</summary>
    public static IAsyncEnumerable<ExportResult> RunAsync(ExportSaveOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<ExportResult>(
            async (emit, token) =>
            {
                if (options.PollInterval <= TimeSpan.Zero || options.Timeout <= TimeSpan.Zero)
                    throw new BackupException(FailureKind.InvalidInput, "PollInterval and Timeout have to be longer than nothing.", "Give a time, such as 00:00:30 or 12:00:00.");
                if (options.StorageClass is { } name)
                    options = options with { StorageClass = StorageClasses.Parse(name) };
                await new ExportSaving(options, emit, progress).RunAsync(token);
            },
            cancellationToken);
    }
}

/// <summary>The files of one call, one after the other.</summary>
internal sealed class ExportSaving(ExportSaveOptions options, Action<ExportResult> emit, IProgress<BackupProgress>? progress)
{
    private IObjectStore _store = null!;
    private FailureReport _report = new("Exports");
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private Dictionary<string, ExportFile> _seen = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var began = options.Store.Time.GetTimestamp();
        await using var store = await ObjectStores.OpenAsync(options.Destination, SiteBackup.Sparing(options.Store), cancellationToken);
        _store = store;
        await ReportAsync(
            async () =>
            {
                await SiteBackup.CheckStoreAsync(_store, options.WhatIf, cancellationToken);
                foreach (var path in options.Paths)
                {
                    if (!Directory.Exists(path))
                        await SaveAsync(path, cancellationToken);
                    else if (!options.Watch)
                        await SaveFolderAsync(path, cancellationToken);
                }
            },
            cancellationToken);

        var folders = options.Paths.Where(Directory.Exists).ToList();
        while (options.Watch && folders.Count > 0)
        {
            foreach (var file in Settled(folders))
                await ReportAsync(() => SaveAsync(file.Path, cancellationToken), cancellationToken);
            if (options.Timeout is { } timeout && options.Store.Time.GetElapsedTime(began) >= timeout)
                return;
            await Task.Delay(options.PollInterval, options.Store.Time, cancellationToken);
        }
    }

    /// <summary>One notice for what goes wrong in this: of all files that were given, and of each one that a watch finds.</summary>
    private Task ReportAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        _report = new("Exports");
        return _report.WatchAsync(options.Webhook, options.WhatIf, options.Store, work, cancellationToken);
    }

    private void Emit(ExportResult result)
    {
        _report.AddItem(result.Outcome, result.Bytes);
        if (result.Outcome == Outcome.Failed)
            _report.AddFailure($"{result.Site}, {result.Product}: {result.Status}. {result.Reason}");
        emit(result);
    }

    private async Task SaveFolderAsync(string folder, CancellationToken cancellationToken)
    {
        var files = Exports(folder);
        if (files.Count == 0)
            Emit(Failed(folder, new BackupException(FailureKind.NotFound, $"The folder '{folder}' has no zip file.", "Check the path, or give -Watch to wait for one.")));
        foreach (var file in files)
            await SaveAsync(file, cancellationToken);
    }

    private static List<string> Exports(string folder) => [.. Directory.EnumerateFiles(folder, "*.zip", new EnumerationOptions { MatchCasing = MatchCasing.CaseInsensitive, IgnoreInaccessible = false }).Order(StringComparer.Ordinal)];

    /// <summary>The new files that have not changed since the last look: a browser, or a copy, may still be writing the others.</summary>
    private List<ExportFile> Settled(List<string> folders)
    {
        var now = new Dictionary<string, ExportFile>(StringComparer.Ordinal);
        var settled = new List<ExportFile>();
        foreach (var path in folders.Where(Directory.Exists).SelectMany(Exports))
        {
            try
            {
                var file = ExportFile.Of(path);
                if (_done.Contains(file.Id))
                    continue;
                if (_seen.GetValueOrDefault(path) == file)
                    settled.Add(file);
                now[path] = file;
            }
            catch (BackupException)
            {
                // Gone between the list and the look.
            }
        }

        _seen = now;
        return settled;
    }

    private async Task SaveAsync(string path, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        ExportResult result;
        try
        {
            result = await StoreAsync(ExportFile.Of(path), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            result = Failed(path, BackupException.From(exception));
        }

        Emit(result with { Duration = clock.Elapsed });
    }

    private async Task<ExportResult> StoreAsync(ExportFile file, CancellationToken cancellationToken)
    {
        _done.Add(file.Id);
        var found = file.DetectProduct();
        if (options.Product is { } said && found is { } other && said != other)
            throw new BackupException(FailureKind.InvalidInput, $"'{file.Path}' is an export of {other}, not of {said}.", "Leave -Product out: the file tells it.");
        var product = options.Product ?? found
            ?? throw new BackupException(FailureKind.InvalidInput, $"'{file.Path}' does not tell whether it is an export of Confluence or of Jira.", "Give -Product, if it is an export.");
        var origin = new ExportOrigin
        {
            Product = product,
            Site = options.Site,
            Trigger = "saved",
            Stamp = new(file.Modified),
            FileName = Path.GetFileName(file.Path),
            ExportId = file.Id,
            ExportedAt = new(file.Modified),
        };
        var (run, isTaken) = await FindStoredAsync(origin, file, cancellationToken);
        if (run is not null)
            return Result(origin, SiteStatus.Unchanged, $"'{file.Path}' is stored already, by run {run.RunId}.") with { RunId = run.RunId };
        // Another file of that name and time is a good backup already: it is not to be overwritten.
        if (isTaken)
            origin = origin with { Stamp = options.Store.Time.GetUtcNow() };
        if (options.WhatIf)
            return Result(origin, SiteStatus.Planned, $"'{file.Path}' would be verified, and stored as '{origin.Key}'.") with { WhatIf = true, Bytes = file.Length };

        ExportResult result;
        await using (var content = new FileStream(file.Path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, Share = FileShare.Read, BufferSize = 0 }))
        {
            result = await new ExportIntake(_store, origin, options.StorageClass, options.Store.Time, options.Logger, progress)
                .RunAsync(content, file.Length, () => [new("file", file.Path), new("length", file.Length.ToString(CultureInfo.InvariantCulture))], cancellationToken);
        }

        return result.Outcome == Outcome.Failed
            ? result
            : result with { Removed = await new RunPruner(_store, options.Store.Time, options.Logger).PruneAfterAsync(origin.System, origin.Site.Name, options.Keep, cancellationToken) };
    }

    /// <summary>The run that stored this very file, if its object is still there; and whether a good run has the key already.</summary>
    private async Task<(RunManifest? Run, bool IsTaken)> FindStoredAsync(ExportOrigin origin, ExportFile file, CancellationToken cancellationToken)
    {
        var isTaken = false;
        await foreach (var run in new RunCatalog(_store).ListSourceAsync(origin.System, CatalogSource.FromName(origin.Site.Name), cancellationToken))
        {
            if (run.Outcome == Outcome.Failed || run.Properties is not { } properties || properties.GetValueOrDefault("key") is not { } key)
                continue;
            if (properties.GetValueOrDefault("exportId") == file.Id && (await _store.HeadAsync(key, null, cancellationToken))?.Size == file.Length)
                return (run, true);
            isTaken |= key == origin.Key;
        }

        return (null, isTaken);
    }

    private ExportResult Failed(string path, BackupException failure) => new()
    {
        Site = options.Site.Name,
        Product = options.Product ?? AtlassianProduct.Confluence,
        Destination = _store.Location.ToString(),
        Status = SiteStatus.Failed,
        Reason = failure.Message.Contains(path, StringComparison.Ordinal) ? failure.Message : $"'{path}': {failure.Message}",
        Kind = failure.Kind,
        Advice = failure.Advice,
    };

    private ExportResult Result(ExportOrigin origin, SiteStatus status, string reason) => new()
    {
        Site = origin.Site.Name,
        Product = origin.Product,
        Destination = _store.Location.ToString(),
        Status = status,
        Reason = reason,
        Key = origin.Key,
        ExportedAt = origin.ExportedAt,
    };
}
