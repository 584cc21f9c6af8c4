using static Backup.Engine.Stores.Directories.FileSystemCalls;

namespace Backup.Engine.Stores.Directories;

/// <summary>
/// The few renames that make, replace and delete objects. All of it is quick and none of it reads content.
/// </summary>
/// <remarks>
/// The order is what keeps a crash harmless. Replacing: the old file gets a second name among the versions, its sidecar goes there,
/// the new file takes the name, the new sidecar follows. So no sidecar is ever beside bytes that it was not made for;
/// and a sidecar names its file's last write, which the store makes unique, in case a file system reorders the steps when power fails.
/// Several processes may share a store; two that replace one key in the same instant leave one whole winner, and perhaps only one old version.
/// </remarks>
internal sealed class DirectoryCommit(DirectoryLayout layout, DirectoryStoreOptions options) : IDisposable
{
    private const int Attempts = 100;

    private readonly Lock[] _stripes = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];
    private readonly ReaderWriterLockSlim _structure = new();

    /// <summary>An object's file with what is known of it. The handle is open only where it was asked for.</summary>
    internal sealed record Found(string FilePath, long Size, DateTime LastWriteUtc, Sidecar? Sidecar, Sidecar? Doubtful, Microsoft.Win32.SafeHandles.SafeFileHandle? Handle);

    /// <summary>Finds an object, or an old version of it, together with the sidecar that belongs to it.</summary>
    public Found? Find(string key, string? versionId, bool open)
    {
        _structure.EnterReadLock();
        try
        {
            lock (StripeOf(key))
            {
                return FindCurrent(key, versionId, open) ?? FindVersion(key, versionId, open);
            }
        }
        finally
        {
            _structure.ExitReadLock();
        }
    }

    /// <summary>Makes a staged file the object.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.AlreadyExists"/> with <paramref name="onlyIfAbsent"/>.</exception>
    public void Put(string key, string stagedData, string stagedSidecar, bool onlyIfAbsent)
    {
        var flush = new HashSet<string>(StringComparer.Ordinal);
        for (var attempt = 1; ; attempt++)
        {
            string? obstacle;
            _structure.EnterReadLock();
            try
            {
                obstacle = MakeParent(layout.Plain(key), flush);
                if (obstacle is null)
                {
                    MakeParent(layout.SidecarOf(key), flush);
                    lock (StripeOf(key))
                    {
                        if (TryPut(key, stagedData, stagedSidecar, onlyIfAbsent, flush))
                            break;
                    }
                }
            }
            catch (Exception exception) when (exception is DirectoryNotFoundException or FileNotFoundException && attempt < Attempts && File.Exists(stagedData))
            {
                // Another process tidied an empty directory away under our feet.
                continue;
            }
            finally
            {
                _structure.ExitReadLock();
            }

            if (obstacle is not null)
                MoveAside(obstacle);
            else if (attempt >= Attempts)
                throw new BackupException(FailureKind.Busy, $"'{layout.Plain(key)}' changes all the time.", "Let only one process at a time write to this key.");
        }

        if (!options.FlushToDisk)
            return;
        foreach (var directory in flush)
            FlushDirectory(directory);
    }

    /// <summary>Deletes the current object; its bytes stay as a version.</summary>
    public void Delete(string key)
    {
        var sidecar = layout.SidecarOf(key);
        _structure.EnterReadLock();
        try
        {
            lock (StripeOf(key))
            {
                if (layout.Locate(key) is { } current)
                {
                    var version = layout.Version(key, IdOf(Sidecar.TryRead(sidecar), File.GetLastWriteTimeUtc(current)));
                    Directory.CreateDirectory(Path.GetDirectoryName(version)!);
                    KeepSidecar(key, current, sidecar, version);
                    options.AfterStep?.Invoke(CommitStep.OldSidecarMoved);
                    File.Move(current, version, overwrite: true);
                }
                else if (File.Exists(sidecar))
                {
                    File.Delete(sidecar);
                }
            }
        }
        finally
        {
            _structure.ExitReadLock();
        }
        Tidy(layout.Plain(key), layout.Root);
        Tidy(sidecar, layout.SidecarRoot);
    }

    /// <summary>Removes directories that have become empty, upwards from a path's parent and short of <paramref name="stop"/>.</summary>
    public void Tidy(string path, string stop)
    {
        for (var directory = Path.GetDirectoryName(path)!; directory.Length > stop.Length; directory = Path.GetDirectoryName(directory)!)
        {
            // Looked at before the lock is taken: most directories are not empty.
            if (!IsEmpty(directory))
                return;
            _structure.EnterWriteLock();
            try
            {
                Directory.Delete(directory, recursive: false);
            }
            catch (DirectoryNotFoundException)
            {
            }
            catch (IOException)
            {
                return;
            }
            finally
            {
                _structure.ExitWriteLock();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _structure.Dispose();

    private static bool IsEmpty(string directory)
    {
        try
        {
            return !Directory.EnumerateFileSystemEntries(directory).Any();
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            return exception is DirectoryNotFoundException;
        }
    }

    private static string IdOf(Sidecar? sidecar, DateTime lastWriteUtc) => sidecar?.VersionId ?? VersionIds.ForUnknown(lastWriteUtc);

    private static Found? Look(string path, string sidecarPath, bool open)
    {
        Microsoft.Win32.SafeHandles.SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.Asynchronous);
            var (size, lastWrite) = (RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle));
            var sidecar = Sidecar.TryRead(sidecarPath);
            var belongs = sidecar?.IsFor(size, lastWrite) == true;
            return new(path, size, lastWrite, belongs ? sidecar : null, belongs ? null : sidecar, open ? Take(ref handle) : null);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        finally
        {
            handle?.Dispose();
        }
    }

    private Found? FindCurrent(string key, string? versionId, bool open)
    {
        // Another process may rename the file between the two looks, but not again and again.
        for (var attempt = 0; attempt < 3 && layout.Locate(key) is { } current; attempt++)
        {
            if (Look(current, layout.SidecarOf(key), open) is not { } found)
                continue;
            if (found.Sidecar is null && Kept(key, found) is { } kept)
                found = found with { Sidecar = kept };
            if (versionId is null || IsNamed(versionId, found))
                return found;
            found.Handle?.Dispose();
            break;
        }
        return null;
    }

    private static bool IsNamed(string versionId, Found found) =>
        string.Equals(versionId, IdOf(found.Sidecar ?? found.Doubtful, found.LastWriteUtc), StringComparison.Ordinal)
        || string.Equals(versionId, IdOf(null, found.LastWriteUtc), StringComparison.Ordinal);

    private Found? FindVersion(string key, string? versionId, bool open)
    {
        if (versionId is null || !VersionIds.IsId(versionId))
            return null;
        var version = layout.Version(key, versionId);
        return Look(version, DirectoryLayout.SidecarOfVersion(version), open);
    }

    private static T? Take<T>(ref T? value)
        where T : class
    {
        var taken = value;
        value = null;
        return taken;
    }

    // A crash after the old sidecar was moved leaves the old object without one: it is among the versions.
    private Sidecar? Kept(string key, Found found)
    {
        var versions = layout.VersionsOf(key);
        return Directory.Exists(versions)
            ? Directory.EnumerateFiles(versions, DirectoryLayout.SidecarOfVersion(VersionIds.TimePart(found.LastWriteUtc) + "*"))
                .Select(Sidecar.TryRead)
                .FirstOrDefault(sidecar => sidecar?.IsFor(found.Size, found.LastWriteUtc) == true)
            : null;
    }

    private Lock StripeOf(string key) => _stripes[(uint)StringComparer.Ordinal.GetHashCode(key) % (uint)_stripes.Length];

    private bool TryPut(string key, string stagedData, string stagedSidecar, bool onlyIfAbsent, HashSet<string> flush)
    {
        var sidecar = layout.SidecarOf(key);
        if (layout.Locate(key) is { } current)
        {
            if (onlyIfAbsent)
                throw AlreadyExists(key);
            Replace(key, current, sidecar, stagedData, flush);
        }
        else
        {
            // Whoever removed the file by hand left its sidecar.
            File.Delete(sidecar);
            var plain = layout.Plain(key);
            var target = Directory.Exists(plain) ? layout.Marked(key) : plain;
            if (!MoveIfAbsent(stagedData, target))
            {
                if (onlyIfAbsent && File.Exists(target))
                    throw AlreadyExists(key);
                return false;
            }
        }
        options.AfterStep?.Invoke(CommitStep.DataVisible);
        File.Move(stagedSidecar, sidecar, overwrite: true);
        options.AfterStep?.Invoke(CommitStep.SidecarVisible);
        return true;
    }

    private void Replace(string key, string current, string sidecar, string stagedData, HashSet<string> flush)
    {
        var version = layout.Version(key, IdOf(Sidecar.TryRead(sidecar), File.GetLastWriteTimeUtc(current)));
        MakeParent(version, flush);
        var linked = TryLink(current, version) != Attempt.Failed;
        options.AfterStep?.Invoke(CommitStep.OldDataKept);
        KeepSidecar(key, current, sidecar, version);
        options.AfterStep?.Invoke(CommitStep.OldSidecarMoved);
        try
        {
            // Without hard links (exFAT, some shares) there is a moment without an object; with them there is none.
            if (!linked)
                File.Move(current, version, overwrite: true);
            MoveOver(stagedData, current);
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            File.Move(DirectoryLayout.SidecarOfVersion(version), sidecar, overwrite: true);
            if (!File.Exists(current))
                File.Move(version, current);
            throw;
        }
    }

    private static void MoveOver(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: true);
        }
        catch (Exception exception) when (OperatingSystem.IsWindows() && DirectoryFailures.IsFileSystem(exception))
        {
            // Windows does not replace a file that somebody reads, but lets it be renamed.
            var away = from + ".replaced";
            File.Move(to, away);
            File.Move(from, to);
            DirectoryWorkspace.Discard(away);
        }
    }

    // The sidecar's own last write is when the version stopped being the current one: that is what expiry counts from.
    private static void KeepSidecar(string key, string current, string sidecar, string version)
    {
        var kept = DirectoryLayout.SidecarOfVersion(version);
        if (File.Exists(sidecar))
        {
            File.Move(sidecar, kept, overwrite: true);
        }
        else if (!File.Exists(kept))
        {
            var file = new FileInfo(current);
            new Sidecar
            {
                Key = key,
                VersionId = VersionIds.ForUnknown(file.LastWriteTimeUtc),
                Size = file.Length,
                DataTicks = file.LastWriteTimeUtc.Ticks,
                Stored = new DateTimeOffset(file.LastWriteTimeUtc),
            }.Write(kept, flush: false);
        }
        File.SetLastWriteTimeUtc(kept, DateTime.UtcNow);
    }

    // Makes the directories above a path; returns the file that is in the way, if one is.
    private string? MakeParent(string path, HashSet<string> flush)
    {
        var parent = Path.GetDirectoryName(path)!;
        flush.Add(parent);
        if (Directory.Exists(parent))
            return null;
        for (var above = parent; above.Length > layout.Root.Length && !Directory.Exists(above);)
        {
            above = Path.GetDirectoryName(above)!;
            flush.Add(above);
        }
        try
        {
            Directory.CreateDirectory(parent);
            return null;
        }
        catch (IOException) when (Obstacle(parent) is not null)
        {
            return Obstacle(parent);
        }
    }

    private string? Obstacle(string directory)
    {
        for (; directory.Length > layout.Root.Length; directory = Path.GetDirectoryName(directory)!)
        {
            if (File.Exists(directory))
                return directory;
        }
        return null;
    }

    private void MoveAside(string file)
    {
        _structure.EnterWriteLock();
        try
        {
            if (File.Exists(file))
                File.Move(file, file + KeyNames.FileMarker, overwrite: true);
        }
        finally
        {
            _structure.ExitWriteLock();
        }
    }

    private BackupException AlreadyExists(string key) =>
        new(FailureKind.AlreadyExists, $"'{key}' exists already in '{layout.Root}'.", "It was left as it is.");
}
