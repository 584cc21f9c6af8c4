using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Notifications;

/// <summary>What goes wrong in a run of several items, and the one notice that tells of it at the end.</summary>
/// <param name="items">What the items are: "Folders".</param>
internal sealed class FailureReport(string items)
{
    private const int MaxLines = 50;

    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private int _items;
    private int _failedItems;
    private long _failures;
    private long _bytes;

    /// <summary>Whether there is anything to tell.</summary>
    public bool HasFailures => _failures > 0 || _failedItems > 0;

    /// <summary>Takes note of an item that is through.</summary>
    public void AddItem(Outcome outcome, long bytes)
    {
        lock (_lock)
        {
            _items++;
            _bytes += bytes;
            if (outcome == Outcome.Failed)
                _failedItems++;
        }
    }

    /// <summary>Takes note of something that went wrong.</summary>
    public void AddFailure(string line)
    {
        lock (_lock)
        {
            _failures++;
            if (_lines.Count < MaxLines)
                _lines.Add(line);
        }
    }

    /// <summary>Runs what is reported on; what ends it is a failure too. Afterwards the notice goes out, where there is something to tell and somewhere to tell it.</summary>
    /// <param name="webhook">Where to, or null.</param>
    /// <param name="isPlan">Whether this is a WhatIf, which tells nobody.</param>
    /// <param name="store">Clock and logger.</param>
    /// <param name="run">The run.</param>
    /// <param name="cancellationToken">Whoever cancels knows of it, and gets no notice.</param>
    /// <exception cref="BackupException">What the run threw, or <see cref="FailureKind.InvalidInput"/> for an address that is none.</exception>
    public async Task WatchAsync(SecretUri? webhook, bool isPlan, StoreOptions store, Func<Task> run, CancellationToken cancellationToken)
    {
        using var teams = webhook is null ? null : new TeamsWebhook(webhook.Address, store.Time, store.Logger);
        try
        {
            await run();
        }
        catch (BackupException exception)
        {
            AddFailure(exception.Message);
            throw;
        }
        finally
        {
            if (teams is not null && !isPlan && HasFailures && !cancellationToken.IsCancellationRequested && await teams.SendAsync(ToNotice(), cancellationToken) is { } reason)
                store.Logger?.LogWarning("The notice of this run's errors was not sent: {Reason}.", reason);
        }
    }

    /// <summary>The notice: counts first, then the first errors.</summary>
    public Notice ToNotice() => new(
        $"Backup on {Environment.MachineName}: {_failures} errors",
        [
            new(items, $"{_items}, {_failedItems} of them failed"),
            new("Errors", $"{_failures}"),
            new("Sent", $"{_bytes / (1024.0 * 1024):0.#} MiB"),
        ],
        _failures > _lines.Count ? [.. _lines, $"… {_failures - _lines.Count} more errors are in the run's own output."] : _lines);
}
