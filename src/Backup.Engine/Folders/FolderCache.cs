using System.Globalization;
using Backup.Engine.Files;

namespace Backup.Engine.Folders;

/// <summary>
/// What is stored of one folder at one destination: a SQLite file that one run at a time holds. It is a copy of what the
/// store knows and can be rebuilt from it. Members may be called from many threads at once.
/// </summary>
/// <remarks>
/// Rows are committed in groups of <see cref="GroupSize"/> or every <see cref="GroupMilliseconds"/> ms with a sync to disk each:
/// a kill -9 or a power cut loses the last group at most, and what it loses is uploaded again or adopted. A path that was
/// written since the last committed run is in the journal, in the same transaction: while that is not empty, a manifest is owed.
/// The write-ahead log lives beside the file (<c>-wal</c>) and ends with the run; its index is in memory, because the file is held exclusively.
/// </remarks>
internal sealed class FolderCache : IDisposable
{
    /// <summary>Rows a commit.</summary>
    public const int GroupSize = 1_000;

    /// <summary>The longest that a row waits for its commit, in milliseconds.</summary>
    public const int GroupMilliseconds = 500;

    private const int Format = 1;
    private const int PageRows = 1_000;
    private const string Columns = "path, kind, size, mtime, ctime, file_id, mode, link_target, sha256, checksum, version, storage_class, stored_at";

    private const string Schema = """
        CREATE TABLE files(
            path TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
            ctime INTEGER, file_id INTEGER, mode INTEGER, link_target TEXT,
            sha256 BLOB, checksum TEXT, version TEXT, storage_class TEXT, stored_at INTEGER) WITHOUT ROWID;
        CREATE TABLE journal(path TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE meta(key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        """;

    private const string PlanSchema = """
        PRAGMA temp_store = FILE;
        PRAGMA temp.cache_size = -4000;
        CREATE TEMP TABLE plan(
            action INTEGER NOT NULL, path TEXT NOT NULL, kind INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
            ctime INTEGER, file_id INTEGER, mode INTEGER, link_target TEXT, PRIMARY KEY(action, path)) WITHOUT ROWID;
        """;

    private readonly Lock _gate = new();
    private readonly FolderCacheFile _file;
    private readonly Sqlite _database;
    private readonly List<SqliteStatement> _statements = [];
    private readonly Timer _timer;
    private readonly PlanTotal[] _plan = new PlanTotal[Enum.GetValues<PlanAction>().Length];

    private readonly SqliteStatement _get;
    private readonly SqliteStatement _put;
    private readonly SqliteStatement _remove;
    private readonly SqliteStatement _journal;
    private readonly SqliteStatement _addPlan;

    private PlanTotal _files;
    private long _journalCount;
    private int _pending;
    private bool _inTransaction;
    private bool _disposed;
    private BackupException? _failure;

    private FolderCache(FolderCacheFile file, string destination, string folder)
    {
        _file = file;
        _database = file.Database;
        IsReadOnly = file.IsReadOnly;
        IsNew = !Prepare(destination, folder);
        _database.Execute(PlanSchema);

        _get = Statement($"SELECT {Columns} FROM files WHERE path = ?1");
        _put = Statement($"INSERT OR REPLACE INTO files({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
        _remove = Statement("DELETE FROM files WHERE path = ?1");
        _journal = Statement("INSERT OR IGNORE INTO journal(path) VALUES(?1)");
        _addPlan = Statement("INSERT INTO plan(action, path, kind, size, mtime, ctime, file_id, mode, link_target) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        _journalCount = long.Parse(_database.Scalar("SELECT count(*) FROM journal")!, CultureInfo.InvariantCulture);
        _files = new(NumberMeta("file_count"), NumberMeta("file_bytes"));
        _timer = new Timer(_ => FlushLate());
    }

    /// <summary>Whether there was no cache: either this is the first run, or the cache was lost.</summary>
    public bool IsNew { get; }

    /// <summary>Whether this is a look that leaves no trace.</summary>
    public bool IsReadOnly { get; }

    /// <summary>How many files are known, and the sum of their sizes. Directories and links do not count.</summary>
    public PlanTotal Files
    {
        get
        {
            lock (_gate)
                return _files;
        }
    }

    /// <summary>How many paths changed since the last committed run; more than 0 means that a manifest is owed.</summary>
    public long JournalCount
    {
        get
        {
            lock (_gate)
                return _journalCount;
        }
    }

    /// <summary>Opens or creates the cache of a folder at a destination.</summary>
    /// <param name="file">The file's path. Missing directories are created, unless <paramref name="readOnly"/>.</param>
    /// <param name="destination">Where the folder is stored; a cache belongs to one destination.</param>
    /// <param name="folder">The folder's absolute path; a cache belongs to one folder.</param>
    /// <param name="readOnly">Look only: no file is created or changed, and writes throw. A plan can be made all the same.</param>
    /// <exception cref="BackupException">
    /// <see cref="FailureKind.Busy"/> while another run holds it; <see cref="FailureKind.Corrupt"/>; <see cref="FailureKind.InvalidInput"/>
    /// where it belongs to another folder or destination, or a newer version wrote it; <see cref="FailureKind.NoSpace"/>; <see cref="FailureKind.PermissionDenied"/>.
    /// </exception>
    public static FolderCache Open(string file, string destination, string folder, bool readOnly = false)
    {
        var opened = FolderCacheFile.Open(Path.GetFullPath(file), readOnly);
        try
        {
            return new(opened, destination, folder);
        }
        catch (Exception exception) when (exception is BackupException or FormatException or OverflowException)
        {
            // A number that is none is damage that SQLite cannot see.
            var failure = exception is BackupException known ? opened.Explain(known) : opened.Damaged(exception.Message);
            opened.Dispose();
            throw failure;
        }
    }

    /// <summary>Removes a cache and what belongs to it, so that the next run rebuilds it from the store.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.Busy"/> while a run holds it.</exception>
    public static void Delete(string file) => FolderCacheFile.Delete(Path.GetFullPath(file));

    /// <summary>A value that was kept with the cache.</summary>
    public string? Meta(string key)
    {
        lock (_gate)
        {
            using var statement = _database.Prepare("SELECT value FROM meta WHERE key = ?1");
            return statement.Bind(1, key).Step() ? statement.Text(0) : null;
        }
    }

    /// <summary>Keeps a value; null removes it.</summary>
    public void SetMeta(string key, string? value)
    {
        lock (_gate)
        {
            Write(() => WriteMeta(key, value));
        }
    }

    /// <summary>What is known of a path.</summary>
    public CacheRow? Find(string path)
    {
        lock (_gate)
            return FindLocked(path);
    }

    /// <summary>Every row in path order. Rows may be written meanwhile: a row that is written before the reading comes by is met as it then is.</summary>
    public IEnumerable<CacheRow> ReadAll() =>
        Pages($"SELECT {Columns} FROM files WHERE path > ?1 ORDER BY path LIMIT {PageRows}", "", Row, row => row.Path);

    /// <summary>Every path that changed since the last committed run, in path order; null for one that was removed.</summary>
    public IEnumerable<(string Path, CacheRow? Row)> ReadJournal() => Pages(
        $"SELECT j.path, f.kind, f.size, f.mtime, f.ctime, f.file_id, f.mode, f.link_target, f.sha256, f.checksum, f.version, f.storage_class, f.stored_at, f.path IS NULL FROM journal j LEFT JOIN files f ON f.path = j.path WHERE j.path > ?1 ORDER BY j.path LIMIT {PageRows}",
        "",
        (SqliteStatement statement, ref Shared shared) => (statement.Text(0)!, statement.Number(13) != 0 ? null : Row(statement, ref shared)),
        item => item.Item1);

    /// <summary>Writes a row and notes its path in the journal. It is on disk after <see cref="Flush"/>, or on its own soon after.</summary>
    /// <param name="row">The row.</param>
    /// <param name="isNews">False where an inventory would say the same as before, so that no manifest is owed for it.</param>
    public void Put(CacheRow row, bool isNews = true)
    {
        lock (_gate)
        {
            Write(() =>
            {
                Count(FindLocked(row.Path), -1);
                BindEntry(_put, 1, row.Entry);
                _put.Bind(9, row.Sha256).Bind(10, row.Checksum).Bind(11, row.Version).Bind(12, row.StorageClass).Bind(13, row.StoredAtTicks).Run();
                Count(row, 1);
                Written(row.Path, isNews);
            });
        }
    }

    /// <summary>Forgets a path and notes it in the journal.</summary>
    public void Remove(string path)
    {
        lock (_gate)
        {
            Write(() =>
            {
                Count(FindLocked(path), -1);
                _remove.Bind(1, path).Run();
                Written(path, isNews: true);
            });
        }
    }

    /// <summary>What has made this cache useless, or null: after that nothing is written to it any more.</summary>
    public BackupException? Failure
    {
        get
        {
            lock (_gate)
                return _failure;
        }
    }

    /// <summary>Returns once everything that was written is on disk.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            ThrowIfFailed();
            Commit();
        }
    }

    /// <summary>Notes that a run's manifest is stored: empties the journal and keeps the values, at once and on disk.</summary>
    public void CommitRun(IEnumerable<KeyValuePair<string, string?>> meta)
    {
        lock (_gate)
        {
            Write(() =>
            {
                _database.Execute("DELETE FROM journal");
                foreach (var (key, value) in meta)
                    WriteMeta(key, value);
                Commit();
                _journalCount = 0;
            });
        }
    }

    /// <summary>Adds a step to the plan. The plan lives in the system's temporary space and ends with this object; a path has one step at most.</summary>
    public void AddPlan(PlanItem item)
    {
        lock (_gate)
        {
            BeginTransaction();
            _addPlan.Bind(1, (long)item.Action);
            BindEntry(_addPlan, 2, item.Entry);
            _addPlan.Run();
            ref var total = ref _plan[(int)item.Action];
            total = new(total.Count + 1, total.Bytes + item.Entry.Size);
        }
    }

    /// <summary>What one action amounts to.</summary>
    public PlanTotal Plan(PlanAction action)
    {
        lock (_gate)
            return _plan[(int)action];
    }

    /// <summary>The steps of these actions: action by action as they are given, each in path order.</summary>
    public IEnumerable<PlanItem> ReadPlan(params IEnumerable<PlanAction> actions)
    {
        foreach (var action in actions)
        {
            var items = Pages(
                $"SELECT path, kind, size, mtime, ctime, file_id, mode, link_target FROM plan WHERE action = {(int)action} AND path > ?1 ORDER BY path LIMIT {PageRows}",
                "",
                (SqliteStatement statement, ref Shared shared) => new PlanItem(action, Entry(statement)),
                item => item.Entry.Path);
            foreach (var item in items)
                yield return item;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            try
            {
                Commit();
            }
            finally
            {
                _timer.Dispose();
                foreach (var statement in _statements)
                    statement.Dispose();
                _file.Dispose();
            }
        }
    }

    private delegate T Reader<out T>(SqliteStatement statement, ref Shared shared);

    private static CacheRow Row(SqliteStatement statement, ref Shared shared) => new(Entry(statement))
    {
        Sha256 = statement.Bytes(8),
        Checksum = statement.Text(9),
        Version = statement.Text(10, ref shared.Version),
        StorageClass = statement.Text(11, ref shared.StorageClass),
        StoredAtTicks = statement.NumberOrNull(12),
    };

    private static FileEntry Entry(SqliteStatement statement) => new()
    {
        Path = statement.Text(0)!,
        Kind = (FileEntryKind)statement.Number(1),
        Size = statement.Number(2),
        ModifiedTicks = statement.Number(3),
        ChangedTicks = statement.NumberOrNull(4),
        FileId = statement.NumberOrNull(5),
        Mode = (int?)statement.NumberOrNull(6),
        LinkTarget = statement.Text(7),
    };

    private static void BindEntry(SqliteStatement statement, int first, FileEntry entry) => statement
        .Bind(first, entry.Path)
        .Bind(first + 1, (long)entry.Kind)
        .Bind(first + 2, entry.Size)
        .Bind(first + 3, entry.ModifiedTicks)
        .Bind(first + 4, entry.ChangedTicks)
        .Bind(first + 5, entry.FileId)
        .Bind(first + 6, (long?)entry.Mode)
        .Bind(first + 7, entry.LinkTarget);

    /// <summary>Rows by key, a page at a time: between pages others may write, and a step through SQLite's own cursor would not allow that.</summary>
    private IEnumerable<T> Pages<T>(string sql, string after, Reader<T> read, Func<T, string> keyOf)
    {
        var page = new List<T>(PageRows);
        var shared = default(Shared);
        SqliteStatement statement;
        lock (_gate)
            statement = _database.Prepare(sql);
        try
        {
            do
            {
                page.Clear();
                lock (_gate)
                {
                    ObjectDisposedException.ThrowIf(_disposed, this);
                    ReadPage(statement, after, page, read, ref shared);
                }

                foreach (var item in page)
                {
                    // A damaged file can be readable and out of order, and a join over that would delete what is there.
                    var key = keyOf(item);
                    if (Utf8Order.Compare(after, key) >= 0 && after.Length > 0)
                        throw _file.Damaged($"'{key}' follows '{after}'");
                    after = key;
                    yield return item;
                }
            }
            while (page.Count == PageRows);
        }
        finally
        {
            lock (_gate)
                statement.Dispose();
        }
    }

    private void ReadPage<T>(SqliteStatement statement, string after, List<T> page, Reader<T> read, ref Shared shared)
    {
        try
        {
            statement.Bind(1, after);
            while (statement.Step())
                page.Add(read(statement, ref shared));
        }
        catch (BackupException exception)
        {
            throw _file.Explain(exception);
        }
    }

    private CacheRow? FindLocked(string path)
    {
        var shared = default(Shared);
        var row = _get.Bind(1, path).Step() ? Row(_get, ref shared) : null;
        _get.Reset();
        return row;
    }

    /// <summary>Checks the file's meta values, or creates its tables; true where they were there.</summary>
    private bool Prepare(string destination, string folder)
    {
        var tables = _database.Scalar("SELECT count(*) FROM sqlite_master");
        if (string.Equals(tables, "0", StringComparison.Ordinal))
        {
            _database.Execute("BEGIN; " + Schema);
            WriteMeta("format", Format.ToString(CultureInfo.InvariantCulture));
            WriteMeta("destination", destination);
            WriteMeta("folder", folder);
            _database.Execute("COMMIT");
            return false;
        }

        if (_database.Scalar("SELECT 1 FROM sqlite_master WHERE name = 'meta'") is null || Meta("format") is not { } format)
            throw new BackupException(FailureKind.InvalidInput, $"'{_file.Name}' is a database, but not a cache of this product.", "Give another -CachePath.");
        if (int.Parse(format, CultureInfo.InvariantCulture) > Format)
            throw new BackupException(FailureKind.InvalidInput, $"The cache '{_file.Name}' has format {format}; this version knows {Format}.", "Update the module, or delete the cache: it is rebuilt from the store.");
        Expect("destination", destination);
        Expect("folder", folder);
        if (_database.Scalar("PRAGMA quick_check(1)") is { } verdict && !string.Equals(verdict, "ok", StringComparison.Ordinal))
            throw _file.Damaged(verdict);
        return true;
    }

    private void Expect(string key, string value)
    {
        var found = Meta(key);
        if (!string.Equals(found, value, StringComparison.Ordinal))
            throw new BackupException(FailureKind.InvalidInput, $"The cache '{_file.Name}' belongs to the {key} '{found}', not to '{value}'.", "Give each folder and destination its own -CachePath, or delete this cache: it is rebuilt from the store.");
    }

    private SqliteStatement Statement(string sql)
    {
        var statement = _database.Prepare(sql);
        _statements.Add(statement);
        return statement;
    }

    private void Count(CacheRow? row, int sign)
    {
        if (row?.Entry.Kind == FileEntryKind.File)
            _files = new(_files.Count + sign, _files.Bytes + (sign * row.Entry.Size));
    }

    private void Written(string path, bool isNews)
    {
        if (isNews)
        {
            _journal.Bind(1, path).Run();
            _journalCount += _database.Changes;
        }

        if (++_pending >= GroupSize)
            Commit();
    }

    /// <summary>Runs one write in the open transaction. After a failure SQLite may have undone the whole group, so nothing is written any more.</summary>
    private void Write(Action write)
    {
        if (IsReadOnly)
            throw new InvalidOperationException("This cache is open for a look only.");
        ThrowIfFailed();
        try
        {
            BeginTransaction();
            if (_pending == 0)
                _timer.Change(GroupMilliseconds, Timeout.Infinite);
            write();
        }
        catch (BackupException exception)
        {
            _failure ??= exception;
            throw;
        }
    }

    private void BeginTransaction()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_inTransaction)
            return;
        _database.Execute("BEGIN");
        _inTransaction = true;
    }

    private void Commit()
    {
        if (!_inTransaction || _failure is not null)
            return;
        try
        {
            if (!IsReadOnly)
            {
                WriteMeta("file_count", _files.Count.ToString(CultureInfo.InvariantCulture));
                WriteMeta("file_bytes", _files.Bytes.ToString(CultureInfo.InvariantCulture));
            }

            _database.Execute("COMMIT");
            _inTransaction = false;
            _pending = 0;
        }
        catch (BackupException exception)
        {
            _failure = exception;
            throw;
        }
    }

    private void FlushLate()
    {
        lock (_gate)
        {
            try
            {
                if (!_disposed)
                    Commit();
            }
            catch (BackupException)
            {
                // Nobody waits for a timer: whoever writes or flushes next is told.
            }
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new BackupException(failure.Kind, failure.Message, failure.Advice, failure);
    }

    private void WriteMeta(string key, string? value)
    {
        using var statement = _database.Prepare(value is null ? "DELETE FROM meta WHERE key = ?1" : "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)");
        statement.Bind(1, key);
        if (value is not null)
            statement.Bind(2, value);
        statement.Run();
    }

    private long NumberMeta(string key) => Meta(key) is { } value ? long.Parse(value, CultureInfo.InvariantCulture) : 0;

    /// <summary>Values that are the same in most rows, so that one string serves them all.</summary>
    private struct Shared
    {
        public string? Version;
        public string? StorageClass;
    }
}
