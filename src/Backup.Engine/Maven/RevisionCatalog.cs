using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>
/// The revisions that a store holds, below <c>_catalog/packages/</c> in the layout of the assets: <c>{revision}.json</c> is a revision's manifest,
/// <c>{revision}.status.json</c> a status that it got later, <c>{revision}.tombstone.json</c> says that the source no longer has it. All in a class that can be read at once.
/// </summary>
internal sealed class RevisionCatalog(IObjectStore store)
{
    public const string Root = "_catalog/packages/";

    private const string Ending = ".json";
    private const string StatusEnding = ".status.json";
    private const string TombstoneEnding = ".tombstone.json";

    /// <summary>Where the manifest of a revision is.</summary>
    public static string ManifestKey(PackageVersionId id, string revision) => Directory(id) + Uri.EscapeDataString(revision) + Ending;

    /// <summary>A revision's manifest, or null where it was not backed up.</summary>
    public Task<RevisionManifest?> FindAsync(PackageVersionId id, string revision, CancellationToken cancellationToken) =>
        ReadAsync(ManifestKey(id, revision), RevisionJson.Default.RevisionManifest, cancellationToken);

    /// <summary>Every revision of a version that was backed up.</summary>
    public IAsyncEnumerable<RevisionManifest> ListVersionAsync(PackageVersionId id, CancellationToken cancellationToken) => ListAsync(Directory(id), cancellationToken);

    /// <summary>Every revision below a prefix of the assets' layout, such as <c>domain/maven/repository/</c>.</summary>
    public IAsyncEnumerable<RevisionManifest> ListRepositoryAsync(string prefix, CancellationToken cancellationToken) => ListAsync(Root + prefix, cancellationToken);

    /// <summary>The status of a revision: what it was set to last.</summary>
    public async Task<string> StatusAsync(RevisionManifest manifest, CancellationToken cancellationToken) =>
        (await ReadAsync(NoteKey(manifest.Id, manifest.Revision, StatusEnding), RevisionJson.Default.StatusNote, cancellationToken))?.Status ?? manifest.Status;

    /// <summary>Commits a revision, and gives what is committed: another run that comes first with the same one is welcome to.</summary>
    public async Task<RevisionManifest> CommitAsync(RevisionManifest manifest, CancellationToken cancellationToken)
    {
        try
        {
            await CatalogDocument.WriteAsync(store, ManifestKey(manifest.Id, manifest.Revision), manifest, RevisionJson.Default.RevisionManifest, onlyIfAbsent: true, cancellationToken, lookFirst: false);
            return manifest;
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.AlreadyExists)
        {
            // The same event came twice, and both were at it: what the other one wrote names the same assets.
            return await FindAsync(manifest.Id, manifest.Revision, cancellationToken) ?? manifest;
        }
    }

    /// <summary>Writes a revision over itself: its assets are the same, and were stored again.</summary>
    public Task ReplaceAsync(RevisionManifest manifest, CancellationToken cancellationToken) =>
        CatalogDocument.WriteAsync(store, ManifestKey(manifest.Id, manifest.Revision), manifest, RevisionJson.Default.RevisionManifest, onlyIfAbsent: false, cancellationToken);

    /// <summary>Notes the status that a revision has now, where it is another one than before; says whether it was.</summary>
    public async Task<bool> NoteStatusAsync(RevisionManifest manifest, string status, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await StatusAsync(manifest, cancellationToken) == status)
            return false;
        await CatalogDocument.WriteAsync(store, NoteKey(manifest.Id, manifest.Revision, StatusEnding), new(status, now), RevisionJson.Default.StatusNote, onlyIfAbsent: false, cancellationToken);
        return true;
    }

    /// <summary>Notes that a version is gone; what was backed up of it stays. Says whether that was new.</summary>
    public async Task<bool> NoteGoneAsync(PackageVersionId id, string? revision, string status, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            await CatalogDocument.WriteAsync(store, NoteKey(id, revision ?? "unknown", TombstoneEnding), new(status, now), RevisionJson.Default.StatusNote, onlyIfAbsent: true, cancellationToken);
            return true;
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.AlreadyExists)
        {
            return false;
        }
    }

    private static string Directory(PackageVersionId id) => Root + id.Key;

    private static string NoteKey(PackageVersionId id, string revision, string ending) => Directory(id) + Uri.EscapeDataString(revision) + ending;

    private async IAsyncEnumerable<RevisionManifest> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in store.ListAsync(prefix, cancellationToken))
        {
            if (!item.Key.EndsWith(Ending, StringComparison.Ordinal) || item.Key.EndsWith(StatusEnding, StringComparison.Ordinal) || item.Key.EndsWith(TombstoneEnding, StringComparison.Ordinal))
                continue;
            if (await ReadAsync(item.Key, RevisionJson.Default.RevisionManifest, cancellationToken) is { } manifest)
                yield return manifest;
        }
    }

    private async Task<T?> ReadAsync<T>(string key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            await using var content = await store.ReadAsync(key, null, cancellationToken);
            return await JsonSerializer.DeserializeAsync(content.Stream, type, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.Corrupt, $"'{key}' is damaged: {exception.Message}", "Remove it, then back that version up again: what is stored already is not sent again.", exception);
        }
    }
}
