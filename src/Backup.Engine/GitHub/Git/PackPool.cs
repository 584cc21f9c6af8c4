using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub.Git;

/// <summary>
/// A bare repository that holds the objects of a chain of bundles: a mirror that is kept, one made for a moment, or one that is restored.
/// It knows which bundles it has, so that only the others are read from the store. One process uses it at a time.
/// </summary>
internal sealed class PackPool : IAsyncDisposable
{
    private const string Contents = "atlassianbackup.json";
    private const string LockFile = "atlassianbackup.lock";
    private const string Incoming = "incoming-";
    private const int BufferSize = 256 << 10;

    private readonly GitProgram _git;
    private readonly FileStream? _lock;
    private readonly ILogger? _logger;
    private Dictionary<string, string> _packs = new(StringComparer.Ordinal);

    private PackPool(GitProgram git, string path, ObjectFormat format, FileStream? held, bool isTemporary, ILogger? logger)
    {
        (_git, Path, Format, _lock, IsTemporary, _logger) = (git, path, format, held, isTemporary, logger);
        PackFolder = System.IO.Path.Combine(path, "objects", "pack");
    }

    /// <summary>The repository.</summary>
    public string Path { get; }

    /// <summary>Its hash.</summary>
    public ObjectFormat Format { get; }

    /// <summary>Whether it goes with its last use.</summary>
    public bool IsTemporary { get; }

    private string PackFolder { get; }

    /// <summary>Opens a pool, and makes it where there is none.</summary>
    /// <param name="git">The program.</param>
    /// <param name="path">Its directory.</param>
    /// <param name="format">The repository's hash.</param>
    /// <param name="isTemporary">Whether it goes with its last use.</param>
    /// <param name="logger">Receives decisions.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.Busy"/>; <see cref="FailureKind.AlreadyExists"/> where something else is there.</exception>
    public static PackPool Open(GitProgram git, string path, ObjectFormat format, bool isTemporary, ILogger? logger = null)
    {
        var isNew = !Directory.Exists(path) || !Directory.EnumerateFileSystemEntries(path).Any();
        if (!isNew && !File.Exists(System.IO.Path.Combine(path, Contents)))
            throw new BackupException(FailureKind.AlreadyExists, $"'{path}' is not empty, and not a repository that was made here.", "Give an empty or a new directory.");
        Directory.CreateDirectory(path);
        // First of all: what is made in part is ours, and is completed.
        if (isNew)
            File.WriteAllText(System.IO.Path.Combine(path, Contents), "{}");
        Directory.CreateDirectory(System.IO.Path.Combine(path, "objects", "pack"));
        Directory.CreateDirectory(System.IO.Path.Combine(path, "refs"));
        FileStream? held = null;
        try
        {
            if (!isTemporary)
                held = new(System.IO.Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException exception)
        {
            throw new BackupException(FailureKind.Busy, $"'{path}' is in use by another run.", "Wait for that run to end.", exception);
        }

        var pool = new PackPool(git, path, format, held, isTemporary, logger);
        try
        {
            if (!File.Exists(System.IO.Path.Combine(path, "config")))
                pool.Create();
            pool.Load();
            return pool;
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    /// <summary>Makes sure that all objects of a chain are here.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Archived"/>, <see cref="FailureKind.NotFound"/>, <see cref="FailureKind.Corrupt"/> where a bundle cannot be had.</exception>
    public async Task EnsureAsync(IObjectStore store, IEnumerable<GitBundle> chain, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        foreach (var bundle in chain.Where(bundle => !Has(bundle)))
        {
            _logger?.LogDebug("Reading '{Key}' ({Size} bytes).", bundle.Key, bundle.Size);
            Add(bundle, await IndexAsync(store, bundle, progress, cancellationToken));
        }
    }

    /// <summary>Whether the pool has one of these objects, by the indexes of all its packs and of those that have just come.</summary>
    public ObjectLookup Lookup(IEnumerable<string>? more = null) => ObjectLookup.Open([.. Directory.EnumerateFiles(PackFolder, "*.idx"), .. more ?? []], Format);

    /// <summary>A quarantine: a place for new objects that sees those that are here, and is nothing before <see cref="Accept"/>.</summary>
    /// <param name="seesOthers">Whether it may lean on what is here.</param>
    public string OpenQuarantine(bool seesOthers)
    {
        var objects = System.IO.Path.Combine(Path, Incoming + Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(System.IO.Path.Combine(objects, "pack"));
        Directory.CreateDirectory(System.IO.Path.Combine(objects, "info"));
        // Relative to the quarantine: no path of any spelling can break it.
        if (seesOthers)
            File.WriteAllText(System.IO.Path.Combine(objects, "info", "alternates"), "../objects\n");
        return objects;
    }

    /// <summary>Takes in a pack from quarantine.</summary>
    /// <param name="bundle">The bundle that it came as.</param>
    /// <param name="pack">The pack.</param>
    /// <param name="replace">Whether all that was here before goes: the pack holds everything.</param>
    public void Accept(GitBundle bundle, IngestedPack pack, bool replace)
    {
        var before = replace ? Directory.GetFiles(PackFolder) : [];
        var name = Move(pack);
        foreach (var file in before.Where(file => System.IO.Path.GetFileNameWithoutExtension(file) != name))
            Delete(file);
        if (replace)
            _packs.Clear();
        Add(bundle, name);
    }

    /// <summary>Writes the refs, so that the repository can be used as it is. They lie in one file, so that no name is ever a path.</summary>
    public void WriteRefs(IEnumerable<GitRef> refs, string? head)
    {
        var text = new StringBuilder("# pack-refs with: sorted\n");
        foreach (var item in refs.OrderBy(item => item.Name, Utf8Order.Instance))
            text.Append(item.ObjectId).Append(' ').Append(item.Name).Append('\n');
        Replace("packed-refs", text.ToString());
        Replace("HEAD", $"ref: {head ?? RefName.Heads + "main"}\n");
    }

    /// <summary>Whether the repository stands alone, or belongs to a working tree.</summary>
    public void SetBare(bool isBare)
    {
        var core = $"[core]\n\tfilemode = {(OperatingSystem.IsWindows() ? "false" : "true")}\n\tbare = {(isBare ? "true" : "false")}\n\trepositoryformatversion = ";
        Replace("config", Format == ObjectFormat.Sha1 ? core + "0\n" : $"{core}1\n[extensions]\n\tobjectformat = {Format.Name}\n");
    }

    /// <summary>A run of git in this repository.</summary>
    public GitCommand Command(params IReadOnlyList<string> arguments) => new() { Git = _git.Path, Arguments = arguments, Directory = Path, Repository = Path, Durable = !IsTemporary };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var left in Directory.Exists(Path) ? Directory.EnumerateDirectories(Path, Incoming + "*") : [])
            Remove(left);
        if (_lock is not null)
            await _lock.DisposeAsync();
        if (IsTemporary)
            Remove(Path);
    }

    private void Create()
    {
        Replace("HEAD", $"ref: {RefName.Heads}main\n");
        SetBare(true);
    }

    private bool Has(GitBundle bundle) =>
        _packs.TryGetValue(bundle.Sha256, out var pack) && File.Exists(System.IO.Path.Combine(PackFolder, pack + ".pack")) && File.Exists(System.IO.Path.Combine(PackFolder, pack + ".idx"));

    private async Task<string> IndexAsync(IObjectStore store, GitBundle bundle, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var quarantine = OpenQuarantine(seesOthers: true);
        try
        {
            await using var content = await store.ReadAsync(bundle.Key, new() { VersionId = bundle.Version }, cancellationToken);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var first = await BundleHeader.SkipAsync(content.Stream, bundle.Key, bytes => hash.AppendData(bytes), cancellationToken);
            await using var ingest = PackIngest.Start(_git, Path, quarantine, PackCheck.Hashes, $"'{bundle.Key}'", !IsTemporary, cancellationToken);
            if (first.Length > 0)
                await ingest.WriteAsync(first);
            var buffer = new byte[BufferSize];
            while (await content.Stream.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                hash.AppendData(buffer, 0, read);
                await ingest.WriteAsync(buffer.AsMemory(0, read));
                progress?.Report(read);
            }

            // Before its pack counts: what was stored is what comes back.
            var pack = await ingest.FinishAsync();
            return Convert.ToHexStringLower(hash.GetHashAndReset()) == bundle.Sha256
                ? Move(pack)
                : throw new BackupException(FailureKind.Corrupt, $"'{bundle.Key}' is not what was stored: its SHA-256 differs.", "Use another generation.");
        }
        finally
        {
            Remove(quarantine);
        }
    }

    private string Move(IngestedPack pack)
    {
        // The index last: without one git does not see a pack.
        foreach (var file in (string[])[pack.Pack, pack.Index])
            File.Move(file, System.IO.Path.Combine(PackFolder, System.IO.Path.GetFileName(file)), overwrite: true);
        return System.IO.Path.GetFileNameWithoutExtension(pack.Pack);
    }

    private void Add(GitBundle bundle, string pack)
    {
        _packs[bundle.Sha256] = pack;
        Save();
    }

    private void Load()
    {
        try
        {
            _packs = JsonSerializer.Deserialize(File.ReadAllText(System.IO.Path.Combine(Path, Contents)), PackPoolJson.Default.DictionaryStringString) ?? [];
        }
        catch (JsonException)
        {
            _logger?.LogDebug("What '{Path}' holds is not known any more: it is read anew.", Path);
        }

        foreach (var left in Directory.EnumerateDirectories(Path, Incoming + "*"))
            Remove(left);
    }

    private void Save() => Replace(Contents, JsonSerializer.Serialize(_packs, PackPoolJson.Default.DictionaryStringString));

    private void Replace(string name, string text)
    {
        var file = System.IO.Path.Combine(Path, name);
        File.WriteAllText(file + ".new", text);
        File.Move(file + ".new", file, overwrite: true);
    }

    // git makes packs read-only, which on Windows keeps them from being removed.
    private static void Delete(string file)
    {
        if (OperatingSystem.IsWindows())
            File.SetAttributes(file, FileAttributes.Normal);
        File.Delete(file);
    }

    private static void Remove(string directory)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
                    Delete(file);
            }

            Directory.Delete(directory, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is left for the next run to remove.
        }
    }
}

/// <summary>Which bundles, by their SHA-256, are which packs.</summary>
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class PackPoolJson : JsonSerializerContext;

/// <summary>Whether an object is in one of some packs.</summary>
internal sealed class ObjectLookup : IDisposable
{
    private readonly List<PackIndex> _indexes = [];

    private ObjectLookup()
    {
    }

    /// <summary>Opens the indexes of packs.</summary>
    public static ObjectLookup Open(IEnumerable<string> indexes, ObjectFormat format)
    {
        var lookup = new ObjectLookup();
        try
        {
            foreach (var index in indexes)
                lookup._indexes.Add(PackIndex.Open(index, format));
            return lookup;
        }
        catch
        {
            lookup.Dispose();
            throw;
        }
    }

    /// <summary>The refs whose objects are in none of them.</summary>
    public IEnumerable<GitRef> Missing(IEnumerable<GitRef> refs) => refs.Where(item => !Contains(item.ObjectId));

    /// <summary>Whether the object is there.</summary>
    public bool Contains(string id)
    {
        var bytes = Convert.FromHexString(id);
        return _indexes.Exists(index => index.Contains(bytes));
    }

    /// <inheritdoc/>
    public void Dispose() => _indexes.ForEach(index => index.Dispose());
}
