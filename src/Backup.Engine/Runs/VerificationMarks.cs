using System.Text.Json.Serialization;
using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>What a verification found, as the catalog keeps it.</summary>
internal sealed record VerificationMark
{
    /// <summary>The format of this document.</summary>
    public int Format { get; init; } = 1;

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Whether every byte was read.</summary>
    public required bool Deep { get; init; }

    /// <summary>Objects that were checked.</summary>
    public long Checked { get; init; }

    /// <summary>Objects that are missing, damaged or not readable.</summary>
    public long Problems { get; init; }
}

/// <summary>
/// The verifications of a destination's runs: <c>_catalog/verified/{system}/{source}/{yyyyMMddTHHmmssZ}-{runId}.quick.json</c> and <c>.deep.json</c>.
/// Two, because a quick look that finds nothing says nothing about the bytes that a deep one found damaged.
/// </summary>
internal sealed class VerificationMarks(IObjectStore store)
{
    /// <summary>Where they are.</summary>
    public const string Root = "_catalog/verified/";

    private const string Quick = ".quick.json";
    private const string DeepEnding = ".deep.json";

    /// <summary>The keys that a run's verifications may have.</summary>
    public static IEnumerable<string> Keys(RunManifest manifest) => [Key(manifest, Quick), Key(manifest, DeepEnding)];

    /// <summary>The name that a run's marks share, from either's key or the manifest's: <c>{stamp}-{runId}</c>.</summary>
    public static string NameOf(string key)
    {
        var name = key[(key.LastIndexOf('/') + 1)..];
        return name.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? name[..dot] : name;
    }

    /// <summary>Keeps what was found. One that could not read archived objects is a quick one, whatever was wanted.</summary>
    public async Task WriteAsync(RunManifest manifest, RunVerification verification, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var deep = verification.Deep && (verification.Archived == 0 || verification.Problems > 0);
        var mark = new VerificationMark { RunId = manifest.RunId, At = at, Deep = deep, Checked = verification.Checked, Problems = verification.Problems };
        await CatalogDocument.WriteAsync(store, Key(manifest, deep ? DeepEnding : Quick), mark, MarkJson.Default.VerificationMark, onlyIfAbsent: false, cancellationToken);
    }

    /// <summary>The newest marks of a source, newest run first.</summary>
    public async Task<IReadOnlyList<VerificationMark>> ReadAsync(SourceRuns runs, int most, CancellationToken cancellationToken)
    {
        var known = runs.Keys.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        var keys = new Queue<string>();
        await foreach (var item in store.ListAsync($"{Root}{runs.System}/{runs.Source}/", cancellationToken))
        {
            if (!known.Contains(NameOf(item.Key)))
                continue;
            keys.Enqueue(item.Key);
            if (keys.Count > most)
                keys.Dequeue();
        }

        var marks = new List<VerificationMark>();
        foreach (var key in keys.Reverse())
        {
            if (await CatalogMark.ReadAsync(store, key, MarkJson.Default.VerificationMark, cancellationToken) is { } mark)
                marks.Add(mark);
        }

        return marks;
    }

    private static string Key(RunManifest manifest, string ending) => $"{Root}{manifest.System}/{manifest.Source}/{RunCatalog.Stamp(manifest.Started)}-{manifest.RunId}{ending}";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(VerificationMark))]
[JsonSerializable(typeof(UnchangedMark))]
internal sealed partial class MarkJson : JsonSerializerContext;
