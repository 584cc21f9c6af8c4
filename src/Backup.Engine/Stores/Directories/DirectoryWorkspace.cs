namespace Backup.Engine.Stores.Directories;

/// <summary>
/// This process's own corner of <c>.store/tmp</c>, held by a lock that dies with the process:
/// so the next one can tell a killed run's leftovers from a living run's files.
/// </summary>
internal sealed class DirectoryWorkspace : IDisposable
{
    /// <summary>The lock's name.</summary>
    public const string LockName = "lock";

    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromDays(1);

    private readonly FileStream _lock;
    private long _files;

    private DirectoryWorkspace(string path, FileStream held)
    {
        FullPath = path;
        _lock = held;
    }

    /// <summary>The corner's path.</summary>
    public string FullPath { get; }

    /// <summary>Makes a corner, and removes those that nobody holds any more.</summary>
    public static DirectoryWorkspace Create(string temporaryRoot)
    {
        var path = Path.Combine(temporaryRoot, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(path);
        var workspace = new DirectoryWorkspace(path, Claim(Path.Combine(path, LockName)));
        workspace.RemoveLeftovers(temporaryRoot);
        return workspace;
    }

    /// <summary>A path that nobody has used.</summary>
    public string NewFile() => Path.Combine(FullPath, Interlocked.Increment(ref _files).ToString());

    /// <summary>Removes a file, whatever became of it. What cannot be removed now goes with the leftovers.</summary>
    public static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lock.Dispose();
        Remove(FullPath);
    }

    // A lock that is there is held: where making a file and locking it are two steps, it gets its name after them.
    private static FileStream Claim(string path)
    {
        if (OperatingSystem.IsWindows())
            return Hold(path, FileMode.CreateNew);
        var held = Hold(path + ".new", FileMode.CreateNew);
        File.Move(path + ".new", path);
        return held;
    }

    private static FileStream Hold(string path, FileMode mode) => new(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

    private void RemoveLeftovers(string temporaryRoot)
    {
        var locksWork = !CanHold(Path.Combine(FullPath, LockName));
        foreach (var other in Directory.EnumerateDirectories(temporaryRoot))
        {
            if (other.Equals(FullPath, StringComparison.Ordinal))
                continue;
            var lockFile = Path.Combine(other, LockName);
            var old = DateTime.UtcNow - Directory.GetLastWriteTimeUtc(other) > AbandonedAfter;
            if (File.Exists(lockFile) ? CanHold(lockFile) && (locksWork || old) : old)
                Remove(other);
        }
    }

    private static bool CanHold(string lockFile)
    {
        try
        {
            Hold(lockFile, FileMode.Open).Dispose();
            return true;
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
            return false;
        }
    }

    private static void Remove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception exception) when (DirectoryFailures.IsFileSystem(exception))
        {
        }
    }
}
