using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Runs;

/// <summary>What every restore takes.</summary>
public abstract record RestoreOptions
{
    /// <summary>The store that holds the backup.</summary>
    public required StoreLocation From { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>Glob patterns over the paths within the run; null takes everything.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>How fast archived objects are wanted.</summary>
    public RestoreTier Tier { get; init; } = RestoreTier.Bulk;

    /// <summary>How many days restored copies of archived objects stay.</summary>
    public int Days { get; init; } = 7;

    /// <summary>Wait until archived objects are readable, instead of asking for them and reporting them as deferred.</summary>
    public bool Wait { get; init; }

    /// <summary>How long to wait for archived objects; the slowest tier of the coldest class takes up to 48 hours.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromDays(3);

    /// <summary>How often the state of archived objects is asked for while waiting.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Go on where an interrupted restore ended: files with the right size and time are taken as restored, without reading them.</summary>
    public bool Resume { get; init; }

    /// <summary>Overwrite files that are newer than the backup.</summary>
    public bool Force { get; init; }

    /// <summary>Say what would be done and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
