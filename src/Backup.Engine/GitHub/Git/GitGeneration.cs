using System.Text.Json.Serialization;

namespace Backup.Engine.GitHub.Git;

/// <summary>Which of a repository's two histories.</summary>
public enum GitPart
{
    /// <summary>The repository.</summary>
    Repository,

    /// <summary>Its wiki.</summary>
    Wiki,
}

/// <summary>What happened to a ref since the generation before.</summary>
public enum RefChangeKind
{
    /// <summary>It is new.</summary>
    Created,

    /// <summary>It names another object; a branch went forward.</summary>
    Moved,

    /// <summary>A branch was pushed by force: what it named before is not in its history any more.</summary>
    Forced,

    /// <summary>It is gone.</summary>
    Deleted,
}

/// <summary>A ref that is not what it was.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Old">The object it named before, or null.</param>
/// <param name="New">The object it names now, or null.</param>
public sealed record RefChange(string Name, RefChangeKind Kind, string? Old, string? New);

/// <summary>A bundle in the store: a header and one pack that is complete in itself.</summary>
public sealed record GitBundle
{
    /// <summary>Its key.</summary>
    public required string Key { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>SHA-256 of its bytes, in lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The checksum that the store confirmed.</summary>
    public string? Checksum { get; init; }

    /// <summary>The store's version id.</summary>
    public string? Version { get; init; }

    /// <summary>The storage class.</summary>
    public string? StorageClass { get; init; }

    /// <summary>How many objects its pack has.</summary>
    public long Objects { get; init; }
}

/// <summary>The LFS objects that a repository's whole history refers to.</summary>
public sealed record LfsSummary
{
    /// <summary>The key of their list: JSON lines of <c>oid</c>, <c>size</c>, <c>key</c> or, where it is missing, why. Null where there are none.</summary>
    public string? Key { get; init; }

    /// <summary>How many there are.</summary>
    public long Objects { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>How many the server did not give.</summary>
    public long Missing { get; init; }
}

/// <summary>
/// A generation: the refs of a repository at one time, and the chain of bundles that hold all their objects, the full one first.
/// It is written last: a generation without it never happened. Older generations stay as they are.
/// </summary>
public sealed record GitGeneration
{
    /// <summary>The format that this version writes, and the newest that it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The format of this document.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The repository's name at the time: <c>owner/name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The repository's id, which stays when it is renamed.</summary>
    public long Id { get; init; }

    /// <summary>The generation's name: its time, <c>yyyyMMddTHHmmssZ</c>, and whatever follows it.</summary>
    public required string Generation { get; init; }

    /// <summary>Which history.</summary>
    public GitPart Part { get; init; }

    /// <summary>When it was taken, in UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The hash that objects are named by.</summary>
    public string ObjectFormat { get; init => field = value ?? "sha1"; } = "sha1";

    /// <summary>The ref that HEAD stands for, or null.</summary>
    public string? Head { get; init; }

    /// <summary>SHA-256 over HEAD and all refs.</summary>
    public required string Digest { get; init; }

    /// <summary>The key of the generation before, or null.</summary>
    public string? Previous { get; init; }

    /// <summary>Whether its bundle holds all, and why.</summary>
    public string? Full { get; init; }

    /// <summary>The bundles that it is restored from, in order. Some are older generations'.</summary>
    public IReadOnlyList<GitBundle> Bundles { get; init => field = value ?? []; } = [];

    /// <summary>What changed since the generation before.</summary>
    public IReadOnlyList<RefChange> Changes { get; init => field = value ?? []; } = [];

    /// <summary>LFS objects, or null where they were not asked for.</summary>
    public LfsSummary? Lfs { get; init; }

    /// <summary>Refs that were not taken because git refuses their names.</summary>
    public IReadOnlyList<string> Refused { get; init => field = value ?? []; } = [];

    /// <summary>What fsck found in the new objects and let pass.</summary>
    public IReadOnlyList<string> Findings { get; init => field = value ?? []; } = [];

    /// <summary>The refs: <c>id name</c>, in the order of their names.</summary>
    public IReadOnlyList<string> Refs { get; init => field = value ?? []; } = [];

    /// <summary>The refs.</summary>
    internal IEnumerable<GitRef> ReadRefs() => Refs.Select(line => line.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space
        ? new GitRef(line[(space + 1)..], line[..space])
        : throw new BackupException(FailureKind.Corrupt, $"The generation '{Generation}' of '{Name}' has a damaged list of refs."));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(GitGeneration))]
internal sealed partial class GitGenerationJson : JsonSerializerContext;
