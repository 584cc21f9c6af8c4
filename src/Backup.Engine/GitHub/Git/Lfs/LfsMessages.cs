using System.Text.Json.Serialization;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>A request of the batch API (git-lfs, docs/api/batch.md).</summary>
internal sealed record LfsBatchRequest(string Operation, IReadOnlyList<LfsObject> Objects)
{
    /// <summary>How objects travel: one request each.</summary>
    public IReadOnlyList<string> Transfers { get; } = ["basic"];

    /// <summary>The hash that names objects.</summary>
    [JsonPropertyName("hash_algo")]
    public string HashAlgorithm => "sha256";
}

/// <summary>An object by its name.</summary>
internal sealed record LfsObject(string Oid, long Size);

/// <summary>What the batch API answers.</summary>
internal sealed record LfsBatchResponse(IReadOnlyList<LfsAnswer>? Objects);

/// <summary>What it answers for one object.</summary>
internal sealed record LfsAnswer(string Oid, long Size, LfsActions? Actions, LfsError? Error);

/// <summary>What to do with it; nothing, where an upload finds it there already.</summary>
internal sealed record LfsActions(LfsAction? Download, LfsAction? Upload, LfsAction? Verify);

/// <summary>A request to make. Its address and headers are secrets for a while.</summary>
internal sealed record LfsAction(string Href, IReadOnlyDictionary<string, string>? Header)
{
    /// <inheritdoc/>
    public override string ToString() => "***";
}

/// <summary>Why there is nothing to do.</summary>
internal sealed record LfsError(int Code, string? Message);

/// <summary>A line of a generation's list.</summary>
/// <param name="Oid">SHA-256 of the object.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Key">Its key, or null where the server did not give it.</param>
/// <param name="Missing">Why it is missing.</param>
/// <param name="Version">The store's version id.</param>
internal sealed record LfsEntry(string Oid, long Size, string? Key, string? Missing, string? Version = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LfsBatchRequest))]
[JsonSerializable(typeof(LfsBatchResponse))]
[JsonSerializable(typeof(LfsObject))]
[JsonSerializable(typeof(LfsEntry))]
internal sealed partial class LfsJson : JsonSerializerContext;
