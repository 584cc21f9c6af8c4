using System.Text.Json;
using System.Text.Json.Serialization;
using Backup.Engine.Aws;

namespace Backup.Engine.Folders;

/// <summary>
/// A <c>config.json</c> as Matricula Backup reads it (<c>backup.folders</c>, <c>backup.roots</c>, <c>notification.webhook</c>, <c>aws.access_key</c>,
/// <c>aws.secret_access_key</c>, <c>aws.region</c>), and what this product adds. Comments and trailing commas are allowed; a field that is not known is an error.
/// </summary>
/// <remarks>The JSON reader sets what is absent to null, whatever the initializer says; hence the initializers that hold against that.</remarks>
public sealed record SyncConfig
{
    /// <summary>What is backed up, and where to.</summary>
    public SyncConfigBackup Backup { get; init => field = value ?? new(); } = new();

    /// <summary>Who is told of errors.</summary>
    public SyncConfigNotification? Notification { get; init; }

    /// <summary>How AWS is reached.</summary>
    public SyncConfigAws? Aws { get; init; }

    /// <summary>The file it was read from: it is never backed up, because it may hold secrets.</summary>
    [JsonIgnore]
    public string? File { get; private init; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/>; <see cref="FailureKind.InvalidInput"/> with line and column of what is wrong.</exception>
    public static SyncConfig Read(string file)
    {
        byte[] bytes;
        try
        {
            bytes = System.IO.File.ReadAllBytes(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupException.From(exception).Kind, $"The configuration '{file}' cannot be read: {exception.Message}", "Give the path of a config.json.", exception);
        }

        try
        {
            var config = JsonSerializer.Deserialize(bytes, SyncConfigJson.Default.SyncConfig)
                ?? throw Invalid(file, "it is null");
            return config.Backup.Folders.Count + config.Backup.Roots.Count > 0 ? config with { File = Path.GetFullPath(file) } : throw Invalid(file, "'backup' names neither 'folders' nor 'roots'");
        }
        catch (JsonException exception)
        {
            // The reader's own message may quote what stands there, a secret included: only the place and the field are told.
            var place = $"line {(exception.LineNumber ?? 0) + 1}, column {(exception.BytePositionInLine ?? 0) + 1}";
            var isUnknown = exception.Message.Contains("could not be mapped", StringComparison.Ordinal);
            throw Invalid(file, isUnknown ? $"the field '{exception.Path?.TrimStart('$', '.')}' is not known ({place})" : $"{place}{(exception.Path is { Length: > 1 } path ? $", at '{path.TrimStart('$', '.')}'" : "")}: this is not the JSON that is expected", exception);
        }
    }

    private static BackupException Invalid(string file, string how, Exception? inner = null) =>
        new(FailureKind.InvalidInput, $"The configuration '{file}' cannot be used: {how}.", "docs/cmdlets/Sync-FolderToS3.md has a whole example.", inner);
}

/// <summary>The <c>backup</c> section.</summary>
public sealed record SyncConfigBackup
{
    /// <summary>Folders, each an independent backup.</summary>
    public IReadOnlyList<string> Folders { get; init => field = value ?? []; } = [];

    /// <summary>Folders whose direct children are each an independent backup.</summary>
    public IReadOnlyList<string> Roots { get; init => field = value ?? []; } = [];

    /// <summary>One destination for all: <c>s3://bucket/prefix</c> or a directory. Not in the sample.</summary>
    public string? Destination { get; init; }

    /// <summary>What the name of each folder's own bucket begins with. Not in the sample.</summary>
    public string? BucketPrefix { get; init; }

    /// <summary>Existing buckets of folders, by the folder's path: they are adopted, and nothing in them is sent again. Not in the sample.</summary>
    public IReadOnlyDictionary<string, string>? Buckets { get; init; }

    /// <summary>The storage class. Not in the sample.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Glob patterns of what is taken. Not in the sample.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>Glob patterns of what is left out. Not in the sample.</summary>
    public IReadOnlyList<string>? Exclude { get; init; }
}

/// <summary>The <c>notification</c> section. Not a record: a webhook's address is a secret, and must never be printed.</summary>
public sealed class SyncConfigNotification
{
    /// <summary>The URL of a Microsoft Teams Workflows webhook.</summary>
    public Uri? Webhook { get; init; }
}

/// <summary>The <c>aws</c> section. Not a record: what it holds must never be printed.</summary>
public sealed class SyncConfigAws
{
    /// <summary>The access key id.</summary>
    public string? AccessKey { get; init; }

    /// <summary>The secret access key.</summary>
    public string? SecretAccessKey { get; init; }

    /// <summary>The region; the sample has it without telling.</summary>
    public string? Region { get; init; }

    /// <summary>A profile, instead of keys. Not in the sample.</summary>
    public string? Profile { get; init; }

    /// <summary>The endpoint of an S3-compatible store. Not in the sample.</summary>
    public Uri? EndpointUrl { get; init; }

    /// <summary>Whether it holds keys, which a file should not.</summary>
    [JsonIgnore]
    public bool HasKeys => !string.IsNullOrEmpty(AccessKey) && !string.IsNullOrEmpty(SecretAccessKey);

    /// <summary>What it says, below what was given otherwise.</summary>
    public AwsOptions Under(AwsOptions given)
    {
        ArgumentNullException.ThrowIfNull(given);
        // A profile or keys that were given replace the file's whole identity, never half of it.
        var hasIdentity = given.ProfileName is not null || given.Keys is not null;
        return given with
        {
            Region = given.Region ?? Region,
            EndpointUrl = given.EndpointUrl ?? EndpointUrl,
            ProfileName = hasIdentity ? given.ProfileName : Profile,
            Keys = hasIdentity ? given.Keys : HasKeys ? new(AccessKey!, SecretAccessKey!) : null,
        };
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(SyncConfig))]
internal sealed partial class SyncConfigJson : JsonSerializerContext;
