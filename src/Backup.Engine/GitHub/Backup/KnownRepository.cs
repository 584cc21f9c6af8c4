using System.Text.Json;
using System.Text.Json.Serialization;
using Backup.Engine.GitHub.Git;

namespace Backup.Engine.GitHub;

/// <summary>What a backup knows of a repository, from run to run: enough to see that nothing has changed. An account's own records have the id 0.</summary>
internal sealed record KnownRepository
{
    public required long Id { get; init; }

    /// <summary>Its name when it was last seen.</summary>
    public required string FullName { get; init; }

    /// <summary>Its names before.</summary>
    public IReadOnlyList<string> FormerNames { get; init => field = value ?? []; } = [];

    /// <summary>Its folder in the store, which no renaming changes.</summary>
    public required string Folder { get; init; }

    /// <summary>The list that named it.</summary>
    public string? ListedBy { get; init; }

    /// <summary>The listing's time of the last push, when the refs were last compared.</summary>
    public DateTimeOffset? PushedAt { get; init; }

    /// <summary>The listing's own time then.</summary>
    public DateTimeOffset? ListedAt { get; init; }

    /// <summary>The digest of the refs then.</summary>
    public string? RefsDigest { get; init; }

    /// <summary>When the refs were last compared whatever the listing said, by the clock here.</summary>
    public DateTimeOffset? ComparedAt { get; init; }

    public GitState? Git { get; init; }

    public GitState? Wiki { get; init; }

    /// <summary>The keys that the newest generations are restored from; LFS objects are not among them.</summary>
    public IReadOnlyList<string> GitKeys { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> WikiKeys { get; init => field = value ?? []; } = [];

    /// <summary>The archive of the default branch, and the digest of the refs it was made of.</summary>
    public string? ZipKey { get; init; }

    public string? ZipDigest { get; init; }

    /// <summary>Records by kind.</summary>
    public IReadOnlyDictionary<string, RecordState> Records { get; init => field = value ?? Empty; } = Empty;

    /// <summary>The keys of release assets by their ids.</summary>
    public IReadOnlyDictionary<long, string> Assets { get; init => field = value ?? NoAssets; } = NoAssets;

    /// <summary>When the last good copy was made.</summary>
    public DateTimeOffset? LastGood { get; init; }

    /// <summary>Since when it cannot be read any more, and why; null while it can.</summary>
    public Tombstone? Tombstone { get; init; }

    /// <summary>Why the newest attempt failed, where it may go better the next time; null where it did not fail.</summary>
    public string? Failing { get; init; }

    /// <summary>The keys of what is restored from, beside the LFS objects.</summary>
    public HashSet<string> Keys() => new(
        [.. GitKeys, .. WikiKeys, .. Records.Values.SelectMany(record => record.Files), .. Assets.Values, .. ZipKey is null ? [] : new[] { ZipKey }],
        StringComparer.Ordinal);

    private static readonly IReadOnlyDictionary<string, RecordState> Empty = new Dictionary<string, RecordState>(StringComparer.Ordinal);
    private static readonly IReadOnlyDictionary<long, string> NoAssets = new Dictionary<long, string>();
}

/// <summary>The mark of a repository that cannot be read any more. Its last good copy is kept.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="Since">Since when that is known, in UTC.</param>
/// <param name="Reason">In a sentence.</param>
internal sealed record Tombstone(RepositoryStatus Status, DateTimeOffset Since, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(KnownRepository))]
internal sealed partial class KnownRepositoryJson : JsonSerializerContext;
