using System.Text.Json.Serialization;

namespace Backup.Engine.Runs;

/// <summary>
/// The record of a run, and its commit: it is written last, and a run without one never happened. JSON, camel case, times in UTC (ISO 8601).
/// </summary>
/// <remarks>The JSON reader sets what is absent to null, whatever the initializer says; hence the initializers that hold against that.</remarks>
public sealed record RunManifest
{
    /// <summary>The format that this version writes, and the newest that it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The format of this document.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The run's id: 12 hexadecimal digits.</summary>
    public required string RunId { get; init; }

    /// <summary>Which of the five: <c>folders</c>, <c>confluence</c>, <c>jira</c>, <c>github</c>, <c>maven</c>, <c>ec2</c>.</summary>
    public required string System { get; init; }

    /// <summary>The source's name in keys, see <see cref="CatalogSource"/>.</summary>
    public required string Source { get; init; }

    /// <summary>The source as its owner calls it: the folder's path, the site, the account.</summary>
    public required string SourceName { get; init; }

    /// <summary>The machine that ran it.</summary>
    public required string Host { get; init; }

    /// <summary>The version of this product.</summary>
    public required string ModuleVersion { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it was committed.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it failed, in a sentence.</summary>
    public string? Reason { get; init; }

    /// <summary>How the store proved what it received: algorithms of <see cref="Stores.ObjectChecksum"/>.</summary>
    public IReadOnlyList<string> Proofs { get; init => field = value ?? []; } = [];

    /// <summary>What this run did.</summary>
    public RunCounts Counts { get; init => field = value ?? new(); } = new();

    /// <summary>Bytes that this run stored.</summary>
    public long BytesStored { get; init; }

    /// <summary>Objects in the backup after this run.</summary>
    public long TotalObjects { get; init; }

    /// <summary>Bytes in the backup after this run.</summary>
    public long TotalBytes { get; init; }

    /// <summary>The inventory after this run: segments to be laid over each other, the oldest first.</summary>
    public IReadOnlyList<InventorySegment> Inventory { get; init => field = value ?? []; } = [];

    /// <summary>The first 100 failures.</summary>
    public IReadOnlyList<RunFailure> Failures { get; init => field = value ?? []; } = [];

    /// <summary>Facts that belong to the system.</summary>
    public IReadOnlyDictionary<string, string>? Properties { get; init; }
}

/// <summary>What a run did, in items.</summary>
public sealed record RunCounts
{
    /// <summary>Stored: new or with new content.</summary>
    public long Stored { get; init; }

    /// <summary>Only their description changed.</summary>
    public long Updated { get; init; }

    /// <summary>As they were.</summary>
    public long Unchanged { get; init; }

    /// <summary>Deleted.</summary>
    public long Deleted { get; init; }

    /// <summary>Failed.</summary>
    public long Failed { get; init; }
}

/// <summary>One item that failed.</summary>
/// <param name="Item">The item.</param>
/// <param name="Kind">The stable word for it.</param>
/// <param name="Message">What is wrong, in a sentence.</param>
public sealed record RunFailure(string Item, FailureKind Kind, string Message);

/// <summary>One object of an inventory: gzip of JSON lines, in the order of the paths' UTF-8 bytes.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Sha256">Its SHA-256, in hexadecimal.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Entries">How many entries it holds.</param>
public sealed record InventorySegment(string Key, string Sha256, long Size, long Entries);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(RunManifest))]
[JsonSerializable(typeof(IReadOnlyList<InventorySegment>))]
internal sealed partial class ManifestJson : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(InventoryEntry))]
internal sealed partial class InventoryJson : JsonSerializerContext;
