using System.Collections.Concurrent;
using System.Security.Cryptography;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>Gives LFS objects back: into a repository's own store, as git-lfs keeps them, or to a server.</summary>
internal static class LfsRestore
{
    private const int Parallelism = 4;
    private const int BufferSize = 256 << 10;

    /// <summary>Writes the objects of a generation below <paramref name="folder"/>: <c>aa/bb/oid</c>. What is there is left alone.</summary>
    /// <returns>How many were written.</returns>
    public static async Task<long> ToFolderAsync(IObjectStore store, GitGeneration generation, string folder, List<RunFailure> problems, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var failures = new ConcurrentQueue<RunFailure>();
        var written = 0L;
        await Parallel.ForEachAsync(
            await EntriesAsync(store, generation, problems, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (entry, token) =>
            {
                var file = Path.Combine(folder, entry.Oid[..2], entry.Oid[2..4], entry.Oid);
                if (File.Exists(file) && new FileInfo(file).Length == entry.Size)
                    return;
                try
                {
                    await WriteAsync(store, entry, file, progress, token);
                    Interlocked.Increment(ref written);
                }
                catch (BackupException exception)
                {
                    failures.Enqueue(Failure(entry, exception));
                }
            });
        problems.AddRange(failures);
        return written;
    }

    /// <summary>Uploads the objects of a generation that the server does not have.</summary>
    /// <returns>How many were uploaded.</returns>
    public static async Task<long> ToRemoteAsync(IObjectStore store, GitGeneration generation, LfsClient client, List<RunFailure> problems, CancellationToken cancellationToken)
    {
        var failures = new ConcurrentQueue<RunFailure>();
        var written = 0L;
        foreach (var batch in (await EntriesAsync(store, generation, problems, cancellationToken)).Chunk(LfsClient.BatchSize))
        {
            IReadOnlyDictionary<string, LfsAnswer> answers;
            try
            {
                answers = await client.AskAsync("upload", [.. batch.Select(entry => new LfsObject(entry.Oid, entry.Size))], cancellationToken);
            }
            catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.NotSupported or FailureKind.PermissionDenied or FailureKind.InvalidInput)
            {
                // A server without LFS still takes the history.
                problems.Add(new("lfs", exception.Kind, exception.Message));
                return written;
            }

            await Parallel.ForEachAsync(
                batch,
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
                async (entry, token) =>
                {
                    var answer = answers.GetValueOrDefault(entry.Oid);
                    if (answer is { Error: { } error })
                        failures.Enqueue(new($"lfs/{entry.Oid}", Http.HttpFailure.KindOf((System.Net.HttpStatusCode)error.Code), $"The LFS server refuses '{entry.Oid}': {RefAdvertisement.Printable(error.Message ?? "")}."));
                    // No action: it has the object already.
                    if (answer?.Actions is not { } actions)
                        return;
                    try
                    {
                        await client.UploadAsync(actions, new(entry.Oid, entry.Size), async () => (await store.ReadAsync(entry.Key!, new() { VersionId = entry.Version }, token)).Stream, token);
                        Interlocked.Increment(ref written);
                    }
                    catch (BackupException exception)
                    {
                        failures.Enqueue(Failure(entry, exception));
                    }
                });
        }

        problems.AddRange(failures);
        return written;
    }

    private static async Task<IReadOnlyList<LfsEntry>> EntriesAsync(IObjectStore store, GitGeneration generation, List<RunFailure> problems, CancellationToken cancellationToken)
    {
        if (generation.Lfs?.Key is not { } key)
            return [];
        var entries = await LfsList.ReadAsync(store, key, cancellationToken);
        problems.AddRange(entries.Values.Where(entry => entry.Key is null).Select(entry => new RunFailure($"lfs/{entry.Oid}", FailureKind.NotFound, $"The LFS object '{entry.Oid}' is not in the backup: {entry.Missing}.")));
        return [.. entries.Values.Where(entry => entry.Key is not null)];
    }

    private static async Task WriteAsync(IObjectStore store, LfsEntry entry, string file, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var temporary = $"{file}.{Guid.NewGuid().ToString("N")[..8]}";
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using (var content = await store.ReadAsync(entry.Key!, new() { VersionId = entry.Version }, cancellationToken))
            await using (var target = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, useAsync: true))
            {
                var buffer = new byte[BufferSize];
                while (await content.Stream.ReadAsync(buffer, cancellationToken) is > 0 and var read)
                {
                    hash.AppendData(buffer, 0, read);
                    await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                    progress?.Report(read);
                }
            }

            if (Convert.ToHexStringLower(hash.GetHashAndReset()) != entry.Oid)
                throw new BackupException(FailureKind.Corrupt, $"'{entry.Key}' is not what was stored: its SHA-256 differs.", "Use another generation.");
            File.Move(temporary, file, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static RunFailure Failure(LfsEntry entry, BackupException exception) => new($"lfs/{entry.Oid}", exception.Kind, exception.Message);
}
