using System.Diagnostics;
using System.Globalization;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Atlassian;

/// <summary>One site, once: look, ask, follow, download, verify, commit.</summary>
internal sealed class SiteRun
{
    // An answer that says nothing is normal just after an export was asked for; this many in a row are not.
    private const int MaxUnclear = 6;

    private readonly AtlassianClient _client;
    private readonly AtlassianSite _site;
    private readonly IExportApi _api;
    private readonly IObjectStore _store;
    private readonly SiteBackupOptions _options;
    private readonly IProgress<BackupProgress>? _progress;
    private readonly ILogger? _logger;
    private readonly TimeProvider _time;
    private readonly PendingExports _pending;
    private readonly string _system;
    private readonly string _source;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public SiteRun(AtlassianClient client, IObjectStore store, SiteBackupOptions options, IProgress<BackupProgress>? progress)
    {
        (_client, _site, _store, _options, _progress, _logger, _time) = (client, client.Site, store, options, progress, options.Logger, options.Store.Time);
        _api = options.Product == AtlassianProduct.Jira ? new JiraExports(client) : new ConfluenceExports(client);
        _system = ExportOrigin.SystemOf(options.Product);
        _source = CatalogSource.FromName(_site.Name);
        _pending = new(store, _system, _source, _logger);
    }

    /// <summary>Runs. Whatever goes wrong with this site is in the result.</summary>
    public async Task<ExportResult> RunAsync(CancellationToken cancellationToken)
    {
        ExportResult result;
        try
        {
            result = await BackUpAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var failure = BackupException.From(exception);
            result = Result(SiteException.StatusOf(failure), failure.Message) with
            {
                Kind = failure.Kind,
                Advice = failure.Advice,
                AllowedAt = (failure as SiteException)?.AllowedAt,
            };
        }

        _logger?.LogInformation("{Site}: {Status}.{Reason}", _site, result.Status, result.Reason is null ? "" : " " + result.Reason);
        return result with { Duration = _clock.Elapsed };
    }

    private async Task<ExportResult> BackUpAsync(CancellationToken cancellationToken)
    {
        Say("Asking", null);
        await _api.CheckAsync(cancellationToken);
        _logger?.LogInformation("{Site} knows {User}.", _site, _client.User);
        var state = await ReadStateAsync(cancellationToken);
        _logger?.LogInformation("{Site}: {State}", _site, Describe(state));

        if (await FindPendingAsync(state, cancellationToken) is { } pending)
        {
            _logger?.LogInformation("An earlier run has begun with an export of {Site} at {Started:u}: this one goes on with it.", _site, pending.Started);
            return _options.WhatIf ? Plan("An earlier run did not end: its export would be waited for and stored.") : await FollowAsync(pending, cancellationToken);
        }

        if (_options.MaxAge is { } limit && IsYoung(state, limit))
        {
            if (await FindStoredAsync(state, cancellationToken) is { } run)
                return Unchanged(state, run);
            return _options.WhatIf ? Plan($"The export of {state.Time:u} is young enough and would be stored.") : await AdoptAsync(state, cancellationToken);
        }

        if (_options.WhatIf)
            return Plan(state.Phase == ExportPhase.Running ? "An export is being made: it would be waited for and stored." : "A new export would be asked for, waited for and stored.");
        return await RequestAsync(state, cancellationToken);
    }

    /// <summary>Asks for an export, and does what the answer allows.</summary>
    private async Task<ExportResult> RequestAsync(ExportState before, CancellationToken cancellationToken)
    {
        var started = _time.GetUtcNow();
        var pending = new PendingExport
        {
            Started = started,
            Trigger = "requested",
            FormerFileId = before.FileId,
            FormerTime = before.Time,
            FormerTaskId = before.TaskId,
            FormerFailed = before.Phase == ExportPhase.Failed,
            IncludeAttachments = _options.IncludeAttachments,
        };
        if (before.Phase == ExportPhase.Running)
        {
            _logger?.LogInformation("An export of {Site} is being made already: it is waited for.", _site);
            return await BeginAsync(pending with { Trigger = "adopted", TaskId = before.TaskId, FormerFileId = null, FormerTime = null, FormerTaskId = null }, cancellationToken);
        }

        ExportRequest answer;
        try
        {
            answer = await _api.RequestAsync(_options.IncludeAttachments, cancellationToken);
        }
        catch (BackupException exception) when (exception is not SiteException && exception.Kind is FailureKind.Unavailable or FailureKind.TimedOut)
        {
            // The answer may be lost, and the export under way all the same.
            var now = await ReadStateAsync(cancellationToken);
            if (now.Phase != ExportPhase.Running && (now.Phase != ExportPhase.Ready || now.IsSameAs(before)))
                throw;
            _logger?.LogInformation("{Site} gave no answer, and makes an export all the same.", _site);
            return await BeginAsync(pending with { TaskId = now.TaskId }, cancellationToken);
        }

        if (answer.Cooldown is not { } cooldown)
        {
            _logger?.LogInformation("{Site} was asked for an export{Attachments}.", _site, _options.IncludeAttachments ? " with attachments" : " without attachments");
            return await BeginAsync(pending with { TaskId = answer.TaskId }, cancellationToken);
        }

        _logger?.LogInformation("{Site} allows no new export yet; the next one in {Remaining}.", _site, cooldown.Remaining?.ToString() ?? "a time that it does not tell");
        return await MakeDoAsync(before, pending, cooldown, cancellationToken);
    }

    /// <summary>No new export is allowed: takes the newest one if it is young enough. Confluence has been seen to say so and to begin all the same.</summary>
    private async Task<ExportResult> MakeDoAsync(ExportState before, PendingExport pending, Cooldown cooldown, CancellationToken cancellationToken)
    {
        DateTimeOffset? allowedAt = cooldown.Remaining is { } remaining ? _time.GetUtcNow() + remaining : null;
        var state = await ReadStateAsync(cancellationToken);
        if (state.Phase == ExportPhase.Running || (state.Phase == ExportPhase.Ready && !state.IsSameAs(before)))
            return await BeginAsync(pending with { TaskId = state.TaskId }, cancellationToken) with { AllowedAt = allowedAt };

        string reason;
        if (state.Phase != ExportPhase.Ready)
        {
            reason = "There is no export to take instead.";
        }
        else if (await FindStoredAsync(state, cancellationToken) is { } run)
        {
            if (_options.MaxAge is { } limit && IsYoung(state, limit))
                return Unchanged(state, run) with { AllowedAt = allowedAt };
            reason = $"The newest export is stored already, by run {run.RunId}.";
        }
        else if (IsYoung(state, AdoptionLimit))
        {
            return await AdoptAsync(state, cancellationToken) with { AllowedAt = allowedAt };
        }
        else
        {
            reason = $"The newest export, of {state.Time:u}, is older than {AdoptionLimit}.";
        }

        throw new SiteException(
            SiteStatus.Deferred,
            FailureKind.Throttled,
            $"{_site} allows no new {_options.Product} export {(allowedAt is { } at ? $"before {at:u}" : "yet")}. {reason}",
            allowedAt is { } time ? $"Run again after {time:u}." : "Run again later.") { AllowedAt = allowedAt };
    }

    // A cooldown means that the newest export is no older than the interval: that much is always young enough.
    private TimeSpan AdoptionLimit => _options.MaxAge > _api.Interval ? _options.MaxAge.Value : _api.Interval;

    private async Task<ExportResult> BeginAsync(PendingExport pending, CancellationToken cancellationToken)
    {
        await _pending.WriteAsync(pending, cancellationToken);
        return await FollowAsync(pending, cancellationToken);
    }

    private async Task<ExportResult> AdoptAsync(ExportState state, CancellationToken cancellationToken)
    {
        _logger?.LogInformation("The export of {Site} of {Time:u} is taken.", _site, state.Time);
        return await BeginAsync(new() { Started = _time.GetUtcNow(), Trigger = "adopted", TaskId = state.TaskId, FileId = state.FileId, IncludeAttachments = _options.IncludeAttachments }, cancellationToken);
    }

    /// <summary>Waits until the export is there, and stores it.</summary>
    private async Task<ExportResult> FollowAsync(PendingExport pending, CancellationToken cancellationToken)
    {
        try
        {
            var state = await WaitAsync(pending, cancellationToken);
            if (pending.FileId is null)
            {
                pending = pending with { FileId = state.FileId };
                await _pending.WriteAsync(pending, cancellationToken);
            }

            var result = await TransferAsync(pending, state, cancellationToken);
            await _pending.RemoveAsync(cancellationToken);
            return result.Outcome == Outcome.Failed ? result : result with { Removed = await new RunPruner(_store, _time, _logger).PruneAfterAsync(_system, _site.Name, _options.Keep, cancellationToken) };
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.ChangedWhileRead)
        {
            // It will not come back; the next run asks for another.
            await _pending.RemoveAsync(cancellationToken);
            throw;
        }
    }

    private async Task<ExportState> WaitAsync(PendingExport pending, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        var unclear = 0;
        while (true)
        {
            BackupException? trouble = null;
            var state = new ExportState(ExportPhase.Unclear);
            try
            {
                state = await _api.StateAsync(pending.TaskId, cancellationToken);
            }
            catch (BackupException exception) when (exception is not SiteException && exception.Kind is FailureKind.Unavailable or FailureKind.TimedOut or FailureKind.Throttled)
            {
                _logger?.LogInformation("{Site} did not say how far it is: {Reason}", _site, exception.Message);
                trouble = exception;
            }

            unclear = state.Phase == ExportPhase.Unclear ? unclear + 1 : 0;
            if (unclear > MaxUnclear)
                throw trouble ?? SiteFailures.Strange(_site, _options.Product);
            // Just after it was asked for, a site may still describe the export before.
            var isOurs = pending.FileId is not null ? state.FileId == pending.FileId : !state.IsSameAs(pending.Former) || (state.TaskId is not null && state.TaskId == pending.TaskId);
            if (isOurs && state.Phase == ExportPhase.Ready)
                return state;
            if (state.Phase == ExportPhase.Failed && (isOurs || !pending.FormerFailed))
            {
                await _pending.RemoveAsync(cancellationToken);
                throw new BackupException(FailureKind.Unavailable, $"{_site} did not make the {_options.Product} export: {state.Message?.TrimEnd('.') ?? "it says no reason"}.", "Try it in the browser; Atlassian's support has to help where it fails there too.");
            }

            if (pending.FileId is not null && state.Phase is ExportPhase.Ready or ExportPhase.Running)
                throw new BackupException(FailureKind.ChangedWhileRead, $"The {_options.Product} export of {_site} that was to be stored was replaced by a newer one.", "Run again: the newer one is then waited for and stored.");

            var elapsed = _time.GetElapsedTime(began);
            if (elapsed >= _options.Timeout)
                throw new SiteException(SiteStatus.TimedOut, FailureKind.TimedOut, $"The {_options.Product} export of {_site} was not ready in {_options.Timeout:g}{(state.Percent is { } percent && isOurs ? $"; it is at {percent} %" : "")}.", "Run again: the same export is then waited for, and no new one asked for.");
            if (state.Phase == ExportPhase.Running)
            {
                Say(state.Message, state.Percent);
                _logger?.LogInformation("{Site}: {State}{Left}", _site, Describe(state), TimeLeft(elapsed, state.Percent));
            }

            var wait = _options.Timeout - elapsed;
            await Task.Delay(wait < _options.PollInterval ? wait : _options.PollInterval, _time, cancellationToken);
        }
    }

    private string Describe(ExportState state)
    {
        var time = state.Time is { } made ? $" of {made:u}" : "";
        return state.Phase switch
        {
            ExportPhase.None => $"there is no {_options.Product} export yet.",
            ExportPhase.Ready => $"the newest {_options.Product} export{time} is '{state.FileId}'.",
            ExportPhase.Failed => $"the newest {_options.Product} export{time} failed: {state.Message}",
            _ => $"the {_options.Product} export is at {state.Percent ?? 0} %: {state.Message ?? "no word about it"}",
        };
    }

    private static string TimeLeft(TimeSpan elapsed, int? percent) =>
        percent is > 0 and < 100 ? string.Create(CultureInfo.InvariantCulture, $", about {elapsed.TotalMinutes * (100 - percent.Value) / percent.Value:0} min left") : "";

    private async Task<ExportResult> TransferAsync(PendingExport pending, ExportState state, CancellationToken cancellationToken)
    {
        await using var download = await ExportDownload.OpenAsync(_client, _api.DownloadPath(state.FileId!), _options, cancellationToken);
        _logger?.LogInformation("Storing the export of {Site}: {Bytes} bytes.", _site, download.Total?.ToString(CultureInfo.InvariantCulture) ?? "an unknown number of");
        var origin = new ExportOrigin
        {
            Product = _options.Product,
            Site = _site,
            Trigger = pending.Trigger,
            Stamp = pending.Started,
            FileName = FileName(state.FileId!),
            ExportId = state.FileId!,
            ExportedAt = state.Time,
        };
        var intake = new ExportIntake(_store, origin, _options.StorageClass, _time, _logger, _progress);
        var result = await intake.RunAsync(
            download,
            download.Total,
            () => [new("resumed", $"{download.Resumed}"), new("includeAttachments", pending.Trigger == "adopted" ? "unknown" : pending.IncludeAttachments ? "true" : "false")],
            cancellationToken);
        return result with
        {
            Status = result.Status == SiteStatus.Completed && pending.Trigger == "adopted" ? SiteStatus.Adopted : result.Status,
            Resumed = download.Resumed,
        };
    }

    /// <summary>The last part of the site's own name for the file.</summary>
    private static string FileName(string fileId)
    {
        var name = fileId.TrimEnd('/');
        name = name[(name.LastIndexOf('/') + 1)..];
        name = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_')).TrimStart('.');
        return name.Length == 0 ? "export.zip" : name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) ? name : name + ".zip";
    }

    private async Task<PendingExport?> FindPendingAsync(ExportState state, CancellationToken cancellationToken)
    {
        // A run that goes on weeks later would store old data as new.
        if (await _pending.ReadAsync(cancellationToken) is not { } pending || _time.GetUtcNow() - pending.Started > _api.Interval + _options.Timeout)
            return null;
        var isGone = pending.FileId is not null
            ? state.FileId != pending.FileId
            : state.Phase == ExportPhase.None || (pending.TaskId is not null && state.TaskId != pending.TaskId) || (pending.TaskId is null && state.Phase != ExportPhase.Running && state.IsSameAs(pending.Former));
        if (isGone)
            _logger?.LogInformation("The export of {Site} that an earlier run waited for is gone.", _site);
        return isGone ? null : pending;
    }

    /// <summary>The run that stored this export, whole, if its object is still there.</summary>
    private async Task<RunManifest?> FindStoredAsync(ExportState state, CancellationToken cancellationToken)
    {
        await foreach (var run in new RunCatalog(_store).ListSourceAsync(_system, _source, cancellationToken))
        {
            if (run.Outcome is Outcome.Completed or Outcome.Adopted && run.Properties is { } properties && properties.GetValueOrDefault("exportId") == state.FileId
                && properties.GetValueOrDefault("key") is { } key && (await _store.HeadAsync(key, null, cancellationToken))?.Size == run.TotalBytes)
            {
                return run;
            }
        }

        return null;
    }

    private async Task<ExportState> ReadStateAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            var state = await _api.StateAsync(null, cancellationToken);
            if (state.Phase != ExportPhase.Unclear)
                return state;
            if (i == MaxUnclear)
                throw SiteFailures.Strange(_site, _options.Product);
            _logger?.LogInformation("{Site} said nothing about its exports that can be used; it is asked again.", _site);
            await Task.Delay(_options.PollInterval < TimeSpan.FromSeconds(5) ? _options.PollInterval : TimeSpan.FromSeconds(5), _time, cancellationToken);
        }
    }

    // Of unknown age is the export of a site that does not tell: only a cooldown says that it cannot be older than the interval.
    private bool IsYoung(ExportState state, TimeSpan limit) =>
        state.Phase == ExportPhase.Ready && (state.Time is { } time ? _time.GetUtcNow() - time : _api.Interval) <= limit;

    private void Say(string? phase, int? percent) =>
        _progress?.Report(new($"Waiting for the {_options.Product} export of {_site}", phase, 0, null, percent ?? 0, 100));

    private ExportResult Unchanged(ExportState state, RunManifest run) => Result(SiteStatus.Unchanged, $"The newest export is stored already, by run {run.RunId}.") with { RunId = run.RunId, ExportedAt = state.Time, WhatIf = _options.WhatIf };

    private ExportResult Plan(string reason) => Result(SiteStatus.Planned, reason) with { WhatIf = true };

    private ExportResult Result(SiteStatus status, string? reason) => new()
    {
        Site = _site.Name,
        Product = _options.Product,
        Destination = _store.Location.ToString(),
        Status = status,
        Reason = reason,
    };
}
