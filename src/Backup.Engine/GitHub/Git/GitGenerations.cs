using System.Runtime.CompilerServices;
using System.Text.Json;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub.Git;

/// <summary>A generation that the store has.</summary>
/// <param name="Key">The key of its description.</param>
/// <param name="Generation">Its name.</param>
/// <param name="Time">When it was taken, in UTC.</param>
internal sealed record GenerationKey(string Key, string Generation, DateTimeOffset Time);

/// <summary>The generations of a repository in a store.</summary>
internal static class GitGenerations
{
    private const long MaxManifest = 256L << 20;
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";
    private const int TimeLength = 16;

    /// <summary>All generations, the oldest first. A repository that was renamed has more than one folder.</summary>
    public static async IAsyncEnumerable<GenerationKey> ListAsync(IObjectStore store, IEnumerable<string> folders, GitPart part, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var found = new List<GenerationKey>();
        foreach (var folder in folders.Distinct(StringComparer.Ordinal))
        {
            var ending = $"/{RepositoryKeys.Word(part)}.json";
            // Generations begin with their year: LFS objects, which may be many, do not.
            await foreach (var item in store.ListAsync($"{folder}/2", cancellationToken))
            {
                if (!item.Key.EndsWith(ending, StringComparison.Ordinal))
                    continue;
                var name = item.Key[(folder.Length + 1)..^ending.Length];
                if (TryParseTime(name, out var time))
                    found.Add(new(item.Key, name, time));
            }
        }

        foreach (var item in found.OrderBy(item => item.Generation, StringComparer.Ordinal))
            yield return item;
    }

    /// <summary>The newest generation, or the newest that is not younger than a time; null where there is none.</summary>
    public static async Task<GenerationKey?> FindAsync(IObjectStore store, IEnumerable<string> folders, GitPart part, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        GenerationKey? newest = null;
        await foreach (var item in ListAsync(store, folders, part, cancellationToken))
        {
            // A time read off a table has no fractions: what was taken within that second counts.
            if (at is null || item.Time <= at)
                newest = item;
        }

        return newest;
    }

    /// <summary>Reads a generation.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/>; <see cref="FailureKind.Corrupt"/>; <see cref="FailureKind.NotSupported"/> for one that a newer version wrote.</exception>
    public static async Task<GitGeneration> ReadAsync(IObjectStore store, string key, CancellationToken cancellationToken = default)
    {
        await using var content = await store.ReadAsync(key, null, cancellationToken);
        if (content.Object.Size > MaxManifest)
            throw new BackupException(FailureKind.Corrupt, $"'{key}' is too large to be the description of a generation.");
        try
        {
            var generation = await JsonSerializer.DeserializeAsync(content.Stream, GitGenerationJson.Default.GitGeneration, cancellationToken);
            if (generation is { Format: > GitGeneration.CurrentFormat })
                throw new BackupException(FailureKind.NotSupported, $"'{key}' was written by a newer version.", "Update the module.");
            return generation ?? throw new JsonException("null");
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.Corrupt, $"'{key}' is damaged: {exception.Message.TrimEnd('.')}.", "Use another generation.", exception);
        }
    }

    /// <summary>Stores a generation. It is small, read at each further run, and so never archived.</summary>
    public static async Task<StoredObject> WriteAsync(IObjectStore store, string key, GitGeneration generation, CancellationToken cancellationToken = default)
    {
        using var json = new MemoryStream();
        await JsonSerializer.SerializeAsync(json, generation, GitGenerationJson.Default.GitGeneration, cancellationToken);
        json.Position = 0;
        return await store.WriteAsync(key, json, new() { Length = json.Length, ContentType = "application/json" }, cancellationToken);
    }

    private static bool TryParseTime(string generation, out DateTimeOffset time)
    {
        time = default;
        return generation.Length >= TimeLength && !generation.Contains('/', StringComparison.Ordinal)
            && DateTimeOffset.TryParseExact(generation[..TimeLength], TimeFormat, null, System.Globalization.DateTimeStyles.AssumeUniversal, out time);
    }
}
