using SQLitePCL;

namespace Backup.Engine.Folders;

/// <summary>The file behind a cache: how it is opened so that one run holds it, or so that a look leaves no trace.</summary>
internal sealed class FolderCacheFile : IDisposable
{
    // SQLite's lock bytes: 510 of them from here are locked for writing by whoever holds a database exclusively.
    private const long LockStart = 0x40000002;
    private const long LockLength = 510;

    // Closing any handle of a file drops all its POSIX locks in this process, so no look may come near a file that a run of this process holds.
    private static readonly HashSet<string> Held = new(StringComparer.Ordinal);

    private readonly string? _held;
    private readonly DirectoryInfo? _copy;

    private FolderCacheFile(string name, Sqlite database, bool isReadOnly, string? held, DirectoryInfo? copy) =>
        (Name, Database, IsReadOnly, _held, _copy) = (name, database, isReadOnly, held, copy);

    /// <summary>The file's path.</summary>
    public string Name { get; }

    /// <summary>The open database.</summary>
    public Sqlite Database { get; }

    /// <summary>Whether this is a look that leaves no trace.</summary>
    public bool IsReadOnly { get; }

    /// <summary>Opens a file, exclusively unless it is for a look.</summary>
    public static FolderCacheFile Open(string file, bool readOnly)
    {
        Hold(file);
        try
        {
            return readOnly ? OpenForLook(file) : OpenForRun(file);
        }
        catch
        {
            Release(file);
            throw;
        }
    }

    /// <summary>Removes a file that no run holds, and what SQLite keeps beside it.</summary>
    public static void Delete(string file)
    {
        Hold(file);
        try
        {
            if (File.Exists(file))
                ThrowIfLocked(file);
            foreach (var one in new[] { file + "-wal", file + "-shm", file + "-journal", file })
                File.Delete(one);
        }
        catch (DirectoryNotFoundException)
        {
            // There is no cache.
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new BackupException(FailureKind.PermissionDenied, $"The cache '{file}' cannot be removed: {exception.Message}", "Run with an account that may.", exception);
        }
        finally
        {
            Release(file);
        }
    }

    /// <summary>The failure for a file whose content makes no sense.</summary>
    public BackupException Damaged(string why) => Explain(
        new(FailureKind.Corrupt, $"The cache '{Name}' is damaged ({why}).", "Delete it, or run with -Reset: it is rebuilt from the store, and nothing is uploaded again that is there."));

    /// <summary>What looks damaged to a look may be a run that has begun to write meanwhile.</summary>
    public BackupException Explain(BackupException failure)
    {
        if (!IsReadOnly || failure.Kind != FailureKind.Corrupt)
            return failure;
        try
        {
            ThrowIfLocked(Name);
            return failure;
        }
        catch (BackupException busy)
        {
            return busy;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Database.Dispose();
        _copy?.Delete(recursive: true);
        if (_held is not null)
            Release(_held);
    }

    private static FolderCacheFile OpenForRun(string file)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var known = BackupException.From(exception);
            throw new BackupException(known.Kind, $"The cache '{file}' cannot be created: {exception.Message}", "Put it elsewhere with -CachePath.", exception);
        }

        var database = new Sqlite(file, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE, file);
        try
        {
            // The order matters: a log that is opened by an exclusive connection has its index in memory and needs no -shm file.
            database.Execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000; BEGIN EXCLUSIVE; COMMIT");
            return new(file, database, isReadOnly: false, file, copy: null);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private static FolderCacheFile OpenForLook(string file)
    {
        var log = new FileInfo(file + "-wal");
        if (new FileInfo(file) is not { Exists: true } found || (found.Length == 0 && log is not { Exists: true, Length: > 0 }))
            return new(file, new Sqlite(":memory:", raw.SQLITE_OPEN_READWRITE, file), isReadOnly: true, file, copy: null);

        ThrowIfLocked(file);
        if (log is not { Exists: true, Length: > 0 })
        {
            // "immutable" keeps SQLite from creating -wal and -shm beside a file that it only reads.
            var uri = "file://" + (OperatingSystem.IsWindows() ? "/" : "") + string.Join('/', file.Split(Path.DirectorySeparatorChar).Select(Uri.EscapeDataString)) + "?immutable=1";
            return new(file, new Sqlite(uri, raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI, file), isReadOnly: true, file, copy: null);
        }

        // A run was killed and left its log. Reading through that means merging it, which only a copy may have done to it.
        var copy = Directory.CreateTempSubdirectory("backup-cache-");
        try
        {
            var name = Path.Combine(copy.FullName, "cache");
            File.Copy(file, name);
            File.Copy(log.FullName, name + "-wal");
            var database = new Sqlite(name, raw.SQLITE_OPEN_READWRITE, file);
            database.Execute("PRAGMA locking_mode = EXCLUSIVE");
            return new(file, database, isReadOnly: true, file, copy);
        }
        catch
        {
            copy.Delete(recursive: true);
            throw;
        }
    }

    private static void ThrowIfLocked(string file)
    {
        try
        {
            using var handle = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (OperatingSystem.IsMacOS())
                return;
            handle.Lock(LockStart, LockLength);
            handle.Unlock(LockStart, LockLength);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new BackupException(FailureKind.PermissionDenied, $"The cache '{file}' cannot be read: {exception.Message}", "Run with an account that may, or put the cache elsewhere with -CachePath.", exception);
        }
        catch (IOException)
        {
            throw Busy(file);
        }
    }

    private static void Hold(string file)
    {
        lock (Held)
        {
            if (!Held.Add(file))
                throw Busy(file);
        }
    }

    private static void Release(string file)
    {
        lock (Held)
            Held.Remove(file);
    }

    private static BackupException Busy(string file) =>
        new(FailureKind.Busy, $"The cache '{file}' is used by another run.", "Another run of this folder is under way: wait until it has ended.");
}
