using System.Collections.Concurrent;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>Brings LFS objects into the store, each once, and each proven by the SHA-256 that names it.</summary>
internal sealed class LfsBackup(IObjectStore store, LfsClient client, string folder, string? storageClass, IProgress<long>? progress)
{
    private const int Parallelism = 4;
    private const int Attempts = 3;

    private readonly ConcurrentQueue<StoredObject> _stored = new();
    private readonly ConcurrentQueue<RunFailure> _problems = new();

    /// <summary>What was stored.</summary>
    public IEnumerable<StoredObject> Stored => _stored;

    /// <summary>What the server did not give.</summary>
    public IEnumerable<RunFailure> Problems => _problems;

    /// <summary>Fetches objects and says where each is now.</summary>
    public async Task<IReadOnlyCollection<LfsEntry>> FetchAsync(IEnumerable<LfsPointer> pointers, CancellationToken cancellationToken)
    {
        var entries = new ConcurrentQueue<LfsEntry>();
        foreach (var batch in pointers.Select(pointer => new LfsObject(pointer.Oid, pointer.Size)).Chunk(LfsClient.BatchSize))
        {
            IReadOnlyDictionary<string, LfsAnswer> answers;
            try
            {
                answers = await client.AskAsync("download", batch, cancellationToken);
            }
            catch (BackupException exception)
            {
                // LFS may be off, or out of its quota: the history is kept all the same, and what is missing is told.
                foreach (var item in batch)
                    entries.Enqueue(Missing(item, exception.Kind, exception.Message.TrimEnd('.')));
                continue;
            }

            await Parallel.ForEachAsync(
                batch,
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
                async (item, token) => entries.Enqueue(await FetchAsync(item, answers.GetValueOrDefault(item.Oid), token)));
        }

        return entries;
    }

    private async Task<LfsEntry> FetchAsync(LfsObject item, LfsAnswer? answer, CancellationToken cancellationToken)
    {
        if (answer?.Actions?.Download is not { } action)
        {
            var kind = answer?.Error?.Code is { } code and not (404 or 410) ? HttpKind(code) : FailureKind.NotFound;
            return Missing(item, kind, answer?.Error?.Message is { Length: > 0 } said ? $"the LFS server says: {RefAdvertisement.Printable(said)}" : "the LFS server does not have it");
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StoreAsync(item, action, cancellationToken);
            }
            catch (BackupException exception) when (exception.Kind is FailureKind.Unavailable or FailureKind.TimedOut && attempt < Attempts)
            {
                // It broke off; from its beginning again, perhaps by another address.
                action = await AskAgainAsync(item, cancellationToken) ?? action;
            }
            catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.ChecksumMismatch or FailureKind.LengthMismatch or FailureKind.PermissionDenied or FailureKind.Unavailable or FailureKind.TimedOut or FailureKind.Corrupt or FailureKind.InvalidInput)
            {
                return Missing(item, exception.Kind, exception.Message.TrimEnd('.'));
            }
        }
    }

    private async Task<LfsAction?> AskAgainAsync(LfsObject item, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.AskAsync("download", [item], cancellationToken)).GetValueOrDefault(item.Oid)?.Actions?.Download;
        }
        catch (BackupException)
        {
            return null;
        }
    }

    private async Task<LfsEntry> StoreAsync(LfsObject item, LfsAction action, CancellationToken cancellationToken)
    {
        await using var content = await client.OpenAsync(action, item.Oid, cancellationToken);
        var key = RepositoryKeys.LfsObject(folder, item.Oid);
        var stored = await store.WriteAsync(
            key,
            content,
            new() { Length = item.Size, ExpectedSha256 = item.Oid, StorageClass = store.Abilities.StorageClasses ? storageClass : null, Progress = progress },
            cancellationToken);
        _stored.Enqueue(stored);
        return new(item.Oid, item.Size, key, null, stored.VersionId);
    }

    private LfsEntry Missing(LfsObject item, FailureKind kind, string reason)
    {
        _problems.Enqueue(new($"lfs/{item.Oid}", kind, $"The LFS object '{item.Oid}' ({item.Size} bytes) is missing: {reason}."));
        return new(item.Oid, item.Size, null, reason);
    }

    private static FailureKind HttpKind(int code) => Http.HttpFailure.KindOf((System.Net.HttpStatusCode)code);
}
