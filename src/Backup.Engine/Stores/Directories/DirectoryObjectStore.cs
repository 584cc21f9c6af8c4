using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Stores.Directories;

/// <summary>
/// Objects as files in a directory that anyone can browse: the embedded default, and how a mounted drive or a NAS is served.
/// Each write is flushed, read back from the disk and compared before it becomes visible.
/// </summary>
public sealed class DirectoryObjectStore : IObjectStore
{
    private const int BlockBytes = 1 << 20;
    private const int MaxMetadataBytes = 2048;

    private readonly DirectoryStoreOptions _options;
    private readonly string _root;
    private readonly Lock _gate = new();
    private DirectoryWorkspace? _workspace;
    private Parts? _parts;
    private bool _formatKnown;

    private DirectoryObjectStore(StoreLocation location, DirectoryStoreOptions options)
    {
        Location = location;
        _root = location.Directory!;
        _options = options;
    }

    private sealed record Parts(DirectoryLayout Layout, DirectoryCommit Commit);

    /// <inheritdoc/>
    public StoreLocation Location { get; }

    /// <inheritdoc/>
    public StoreAbilities Abilities { get; } = new(StorageClasses: false, Versions: true, ArchiveRestore: false, Parallelism: 8);

    /// <summary>Opens a directory as a store. Nothing is created: that is for the first write.</summary>
    /// <exception cref="BackupException">
    /// <see cref="FailureKind.NotFound"/> where even the parent directory is missing;
    /// <see cref="FailureKind.InvalidInput"/> where the path is a file, or the store was made by a newer version;
    /// <see cref="FailureKind.Corrupt"/> where its description is damaged.
    /// </exception>
    public static Task<DirectoryObjectStore> OpenAsync(StoreLocation location, DirectoryStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(location);
        if (location.IsS3)
            throw new ArgumentException($"{location} is not a directory.", nameof(location));
        return Task.Run(
            () =>
            {
                var store = new DirectoryObjectStore(location, options ?? new());
                return store.Guard(() =>
                {
                    store.CheckRoot();
                    store.Current();
                    return store;
                });
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task CheckAsync(bool forWriting, CancellationToken cancellationToken = default) =>
        Task.Run(
            () => Guard(() =>
            {
                CheckRoot();
                Current();
                if (forWriting)
                    Prepare();
                else if (Directory.Exists(_root))
                    _ = Directory.EnumerateFileSystemEntries(_root).Any();
                else
                    throw new BackupException(FailureKind.NotFound, $"There is no store in '{_root}': the directory does not exist.", "Check the path, and that the drive is mounted. A first backup makes the directory.");
                return CheckStillThere();
            }),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<StoredObject> WriteAsync(string key, Stream content, WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        options ??= WriteOptions.Default;
        KeyNames.Check(key);
        var metadata = CheckedMetadata(key, options);
        cancellationToken.ThrowIfCancellationRequested();

        var (parts, workspace) = Guard(Prepare);
        if (options.OnlyIfAbsent && Guard(() => parts.Layout.Locate(key)) is not null)
            throw new BackupException(FailureKind.AlreadyExists, $"'{key}' exists already in '{_root}'.", "It was left as it is.");

        var staged = workspace.NewFile();
        var stagedSidecar = staged + ".json";
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BlockBytes, (options.Length ?? BlockBytes) + 1));
        try
        {
            using var file = StagedFile.Create(staged, _options.FlushToDisk);
            await CopyAsync(key, content, file, options, buffer, cancellationToken);
            var sha256 = file.Sha256();
            if (options.ExpectedSha256 is { } expected && !expected.Equals(sha256, StringComparison.OrdinalIgnoreCase))
                throw new BackupException(FailureKind.ChecksumMismatch, $"The source of '{key}' has SHA-256 {sha256}, not {expected}.", "It changed, or was damaged on its way: read it again.");

            var moment = VersionIds.NextMoment();
            var (crc, ticks) = await file.ConfirmAsync(moment, buffer, cancellationToken);
            var sidecar = new Sidecar
            {
                Key = key,
                VersionId = VersionIds.Create(moment),
                Size = file.Size,
                DataTicks = ticks,
                Sha256 = sha256,
                Crc64Nvme = crc,
                Stored = new DateTimeOffset(moment),
                ContentType = options.ContentType,
                Metadata = metadata,
            };
            cancellationToken.ThrowIfCancellationRequested();
            Guard(() =>
            {
                sidecar.Write(stagedSidecar, _options.FlushToDisk);
                parts.Commit.Put(key, staged, stagedSidecar, options.OnlyIfAbsent);
                return true;
            });
            return Describe(sidecar);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            DirectoryWorkspace.Discard(staged);
            DirectoryWorkspace.Discard(stagedSidecar);
        }
    }

    /// <inheritdoc/>
    public Task<ObjectContent> ReadAsync(string key, ReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        KeyNames.Check(key);
        return Task.Run(
            () => Guard(() =>
            {
                var found = Current().Commit.Find(key, options.VersionId, open: true) ?? throw Missing(key, options.VersionId);
                var handle = found.Handle!;
                try
                {
                    var (offset, length) = Range(key, options, found.Size);
                    return new ObjectContent(Describe(key, found), new FileRangeStream(handle, found.FilePath, offset, length));
                }
                catch
                {
                    handle.Dispose();
                    throw;
                }
            }),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<StoredObject?> HeadAsync(string key, string? versionId = null, CancellationToken cancellationToken = default)
    {
        KeyNames.Check(key);
        cancellationToken.ThrowIfCancellationRequested();
        var commit = Guard(Current).Commit;
        if (await Task.Run(() => Guard(() => commit.Find(key, versionId, open: false)), cancellationToken) is not { } found)
        {
            Guard(CheckStillThere);
            return null;
        }
        if (found.Sidecar?.Sha256 is not null)
            return Describe(key, found);

        // Nobody vouches for these bytes: they are read, and where they turn out to be those of the doubtful sidecar, that one counts again.
        if (await Task.Run(() => Guard(() => commit.Find(key, versionId, open: true)), cancellationToken) is not { } open)
            return null;
        using var handle = open.Handle!;
        await using var stream = new FileRangeStream(handle, open.FilePath, 0, open.Size);
        var (sha256, crc) = await HashAsync(stream, cancellationToken);
        var confirmed = open.Doubtful is { } doubtful && sha256.Equals(doubtful.Sha256, StringComparison.Ordinal) && doubtful.Size == open.Size ? open with { Sidecar = doubtful } : open;
        return Describe(key, confirmed) with { Sha256 = sha256, Checksum = new(ObjectChecksum.Crc64Nvme, crc) };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        cancellationToken.ThrowIfCancellationRequested();
        if (!KeyNames.IsWellFormed(prefix))
            throw new BackupException(FailureKind.InvalidInput, $"The prefix '{prefix}' holds half of a surrogate pair, which UTF-8 cannot express.");
        if (Encoding.UTF8.GetByteCount(prefix) > KeyNames.MaxKeyBytes)
            yield break;

        var layout = Guard(Current).Layout;
        await using var listing = new DirectoryLister(layout).ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(listing))
            yield return listing.Current;
        // A drive that was unplugged half way looks like a short listing, and a short listing looks like deleted objects.
        Guard(CheckStillThere);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<DeleteResult> DeleteAsync(IAsyncEnumerable<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        await foreach (var key in keys.WithCancellation(cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return await Task.Run(() => Delete(key), CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public Task<ArchiveState> RequestRestoreAsync(string key, RestoreRequest request, CancellationToken cancellationToken = default) =>
        Task.FromException<ArchiveState>(new BackupException(FailureKind.NotSupported, $"'{_root}' is a directory: nothing in it is archived.", "Read the object as it is."));

    /// <inheritdoc/>
    public Task ExpireVersionsAsync(TimeSpan olderThan, CancellationToken cancellationToken = default) => PruneVersionsAsync(olderThan, cancellationToken);

    /// <summary>Removes for good the versions that stopped being current before <paramref name="olderThan"/> ago.</summary>
    /// <param name="olderThan">The age; null for <see cref="DirectoryStoreOptions.DefaultKeepVersions"/>.</param>
    /// <param name="cancellationToken">Stops between two files.</param>
    /// <returns>How many versions went, and their bytes.</returns>
    public Task<(long Versions, long Bytes)> PruneVersionsAsync(TimeSpan? olderThan = null, CancellationToken cancellationToken = default) =>
        Task.Run(
            () => Guard(() =>
            {
                var (layout, commit) = Current();
                return VersionExpiry.Prune(layout, commit, DateTime.UtcNow - (olderThan ?? DirectoryStoreOptions.DefaultKeepVersions), cancellationToken);
            }),
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _workspace?.Dispose();
            _workspace = null;
        }
        return ValueTask.CompletedTask;
    }

    private static async Task CopyAsync(string key, Stream content, StagedFile file, WriteOptions options, byte[] buffer, CancellationToken cancellationToken)
    {
        for (var filled = buffer.Length; filled == buffer.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            filled = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            if (options.Length is { } most && file.Size + filled > most)
                throw new BackupException(FailureKind.LengthMismatch, $"The source of '{key}' is longer than the {most} bytes it was said to have.", "It grew while it was read: run again.");
            if (filled == 0)
                break;
            await file.AppendAsync(buffer.AsMemory(0, filled), cancellationToken);
            options.Progress?.Report(filled);
        }
        if (options.Length is { } length && file.Size < length)
            throw new BackupException(FailureKind.LengthMismatch, $"The source of '{key}' ended after {file.Size} of {length} bytes.", "It shrank while it was read: run again.");
    }

    private static async Task<(string Sha256, string Crc64Nvme)> HashAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var crc = new Crc64Nvme();
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            while (await stream.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                sha256.AppendData(buffer, 0, read);
                crc.Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return (Convert.ToHexStringLower(sha256.GetCurrentHash()), Crc64Nvme.ToBase64(crc.Value));
    }

    private static Dictionary<string, string>? CheckedMetadata(string key, WriteOptions options)
    {
        if (options.Length < 0)
            throw new BackupException(FailureKind.InvalidInput, $"The length given for '{key}' is negative.");
        if (options.ExpectedSha256 is { } sha256 && (sha256.Length != SHA256.HashSizeInBytes * 2 || !sha256.All(char.IsAsciiHexDigit)))
            throw new BackupException(FailureKind.InvalidInput, $"The SHA-256 given for '{key}' is not 64 hexadecimal digits.");
        if (options.Metadata is not { Count: > 0 } given)
            return null;

        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var bytes = 0;
        foreach (var (name, value) in given)
        {
            if (name.Length == 0 || name.Any(c => c is <= ' ' or > '~'))
                throw new BackupException(FailureKind.InvalidInput, $"'{name}' is no name for metadata of '{key}'.", "Use letters, digits and hyphens.");
            metadata[name.ToLowerInvariant()] = value;
            bytes += name.Length + Encoding.UTF8.GetByteCount(value);
        }
        return bytes <= MaxMetadataBytes
            ? metadata
            : throw new BackupException(FailureKind.InvalidInput, $"The metadata of '{key}' has {bytes} bytes.", $"S3 takes {MaxMetadataBytes}, so every store does.");
    }

    private static (long Offset, long Length) Range(string key, ReadOptions options, long size)
    {
        var outside = options.Offset < 0 || options.Length < 0 || options.Offset > size || (options.Offset == size && size > 0);
        return outside
            ? throw new BackupException(FailureKind.InvalidInput, $"Byte {options.Offset} is outside of '{key}', which has {size} bytes.", "Ask for a range inside the object.")
            : (options.Offset, Math.Min(options.Length ?? long.MaxValue, size - options.Offset));
    }

    private static StoredObject Describe(Sidecar sidecar) => new()
    {
        Key = sidecar.Key,
        Size = sidecar.Size,
        Sha256 = sidecar.Sha256,
        Checksum = sidecar.Crc64Nvme is { } crc ? new(ObjectChecksum.Crc64Nvme, crc) : null,
        VersionId = sidecar.VersionId,
        LastModified = sidecar.Stored,
        Metadata = sidecar.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal),
    };

    private static StoredObject Describe(string key, DirectoryCommit.Found found) => found.Sidecar is { } sidecar
        ? Describe(sidecar) with { Key = key }
        : new() { Key = key, Size = found.Size, VersionId = VersionIds.ForUnknown(found.LastWriteUtc), LastModified = new DateTimeOffset(found.LastWriteUtc) };

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<StoredObject> listing)
    {
        try
        {
            return await listing.MoveNextAsync();
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            throw DirectoryFailures.Translate(exception, _root);
        }
    }

    private DeleteResult Delete(string key)
    {
        try
        {
            KeyNames.Check(key);
            return Guard(() =>
            {
                var parts = Current();
                CheckStillThere();
                // A full disk must not keep anyone from deleting, so nothing is made that is there already.
                if (!_formatKnown && parts.Layout.Locate(key) is not null)
                    parts = Prepare().Parts;
                parts.Commit.Delete(key);
                return new DeleteResult(key, null);
            });
        }
        catch (BackupException failure)
        {
            return new(key, failure);
        }
    }

    private BackupException Missing(string key, string? versionId)
    {
        CheckStillThere();
        return versionId is null
            ? new(FailureKind.NotFound, $"There is no '{key}' in '{_root}'.")
            : new(FailureKind.NotFound, $"There is no version '{versionId}' of '{key}' in '{_root}'.", "It may have expired.");
    }

    // --- The store itself: made at the first write, read at the first look -----------------------------------------

    private Parts Current()
    {
        lock (_gate)
        {
            if (!_formatKnown && ReadFormat() is { } format)
                Use(format);
            return _parts ??= Make(new(StoreFormat.Current, _options.FoldsNames ?? (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS())));
        }
    }

    private (Parts Parts, DirectoryWorkspace Workspace) Prepare()
    {
        lock (_gate)
        {
            CheckStillThere();
            if (_workspace is null)
            {
                CheckRoot();
                _workspace = DirectoryWorkspace.Create(DirectoryLayout.TemporaryRoot(_root));
            }
            if (!_formatKnown)
                Use(ReadFormat() ?? CreateFormat(_workspace));
            return (_parts!, _workspace);
        }
    }

    private Parts Make(StoreFormat format)
    {
        var layout = new DirectoryLayout(_root, new(format.FoldsNames));
        return new(layout, new(layout, _options));
    }

    [MemberNotNull(nameof(_parts))]
    private void Use(StoreFormat format)
    {
        _parts = Make(format);
        _formatKnown = true;
    }

    private void CheckRoot()
    {
        if (File.Exists(_root))
            throw new BackupException(FailureKind.InvalidInput, $"'{_root}' is a file, not a directory.", "Give a directory.");
        if (!Directory.Exists(_root) && Path.GetDirectoryName(_root) is { } parent && !Directory.Exists(parent))
            throw new BackupException(FailureKind.NotFound, $"'{parent}', which is to hold the destination, does not exist.", "Is the drive or share mounted? Otherwise create that directory.");
    }

    private bool CheckStillThere() => !_formatKnown || File.Exists(DirectoryLayout.FormatFile(_root))
        ? true
        : throw new BackupException(FailureKind.Unavailable, $"The store in '{_root}' was there and is not any more.", "Was the drive or share unmounted? Mount it and run again.");

    private StoreFormat? ReadFormat()
    {
        var path = DirectoryLayout.FormatFile(_root);
        StoreFormat? format;
        try
        {
            format = JsonSerializer.Deserialize(File.ReadAllBytes(path), SidecarJson.Default.StoreFormat);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.Corrupt, $"'{path}' is damaged: {exception.Message}", "Restore that file: without it names cannot be told apart.", exception);
        }
        return format switch
        {
            { Format: StoreFormat.Current } => format,
            { Format: > StoreFormat.Current } => throw new BackupException(FailureKind.InvalidInput, $"The store in '{_root}' has format {format.Format}; this version knows up to {StoreFormat.Current}.", "Update the module."),
            _ => throw new BackupException(FailureKind.Corrupt, $"'{path}' names no format.", "Restore that file: without it names cannot be told apart."),
        };
    }

    private StoreFormat CreateFormat(DirectoryWorkspace workspace)
    {
        var format = new StoreFormat(StoreFormat.Current, _options.FoldsNames ?? FoldsNames(workspace));
        var staged = workspace.NewFile();
        using (var stream = new FileStream(staged, FileMode.CreateNew, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, format, SidecarJson.Default.StoreFormat);
            stream.Flush(_options.FlushToDisk);
        }
        // Another process may have been first: then its answer counts.
        return FileSystemCalls.MoveIfAbsent(staged, DirectoryLayout.FormatFile(_root)) ? format : ReadFormat() ?? format;
    }

    private static bool FoldsNames(DirectoryWorkspace workspace)
    {
        return Twins("case", "CASE") || Twins("\u00E9", "e\u0301");

        bool Twins(string one, string other)
        {
            var path = Path.Combine(workspace.FullPath, one);
            File.WriteAllBytes(path, []);
            var same = File.Exists(Path.Combine(workspace.FullPath, other));
            File.Delete(path);
            return same;
        }
    }

    private T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            throw DirectoryFailures.Translate(exception, _root);
        }
    }
}
