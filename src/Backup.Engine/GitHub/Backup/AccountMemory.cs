using System.IO.Compression;
using System.Text.Json;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub;

/// <summary>What the newest run of an account knows of its repositories. The run's manifest names the file; without one nothing is known, and the store is asked instead.</summary>
internal sealed class AccountMemory
{
    /// <summary>The property of a run's manifest that names the file.</summary>
    public const string Property = "state";

    /// <summary>Repositories by id.</summary>
    public Dictionary<long, KnownRepository> Repositories { get; } = [];

    /// <summary>The run that it is of, or null.</summary>
    public RunManifest? Run { get; private init; }

    /// <summary>Where a run's file is.</summary>
    public static string Key(RunWriter writer) => $"_catalog/github/{writer.Source}/{writer.Stamp}-{writer.RunId}.jsonl.gz";

    /// <summary>Reads what a run knew.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Corrupt"/>.</exception>
    public static async Task<AccountMemory> ReadAsync(IObjectStore store, RunManifest? run, CancellationToken cancellationToken)
    {
        var memory = new AccountMemory { Run = run };
        if (run?.Properties?.GetValueOrDefault(Property) is not { } key)
            return memory;
        try
        {
            await using var content = await store.ReadAsync(key, null, cancellationToken);
            await using var gzip = new GZipStream(content.Stream, CompressionMode.Decompress);
            using var lines = new StreamReader(gzip);
            while (await lines.ReadLineAsync(cancellationToken) is { } line)
            {
                var known = JsonSerializer.Deserialize(line, KnownRepositoryJson.Default.KnownRepository)!;
                memory.Repositories[known.Id] = known;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException)
        {
            throw new BackupException(FailureKind.Corrupt, $"'{key}' is damaged: {exception.Message.TrimEnd('.')}.", "Remove the run's manifest that names it: the run before it is then the newest.", exception);
        }

        return memory;
    }

    /// <summary>Stores what is known now.</summary>
    public static async Task<StoredObject> WriteAsync(IObjectStore store, RunWriter writer, IEnumerable<KnownRepository> repositories, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        await using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var known in repositories)
            {
                await JsonSerializer.SerializeAsync(gzip, known, KnownRepositoryJson.Default.KnownRepository, cancellationToken);
                gzip.WriteByte((byte)'\n');
            }
        }

        bytes.Position = 0;
        return await store.WriteAsync(Key(writer), bytes, new() { Length = bytes.Length, StorageClass = RunCatalog.HotClass(store), ContentType = "application/gzip" }, cancellationToken);
    }
}
