namespace Backup.Engine.Files;

/// <summary>
/// A directory tree whose paths are encoded (<see cref="PathEncoding"/>), for reading and for restoring into.
/// All members but <see cref="Scan"/> may be called from many threads at once.
/// </summary>
/// <remarks>
/// A path that could lead out of the tree is refused, and nothing is ever written through a symbolic link:
/// an inventory may be hostile. Every failure is a <see cref="BackupException"/> that names the path.
/// </remarks>
internal abstract class FileTree : IDisposable
{
    private const string TempPrefix = ".~backup-";

    /// <summary>Opens the tree below an absolute directory path.</summary>
    protected FileTree(string root, bool followSymlinks)
    {
        Root = root;
        FollowSymlinks = followSymlinks;
    }

    /// <summary>The root's absolute path.</summary>
    public string Root { get; }

    /// <summary>Whether files and directories behind symbolic links are read as if they were here. Nothing is ever written through one.</summary>
    public bool FollowSymlinks { get; }

    /// <summary>Opens the tree below a directory.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/> where there is nothing; <see cref="FailureKind.InvalidInput"/> for a file; <see cref="FailureKind.PermissionDenied"/>.</exception>
    public static FileTree Open(string root, bool followSymlinks = false)
    {
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (!Directory.Exists(root) && Path.Exists(root))
            throw new BackupException(FailureKind.InvalidInput, $"'{root}' is a file, not a folder.", "Give the folder that holds it; -Include can name the file.");
        return LinuxFileTree.IsSupported ? new LinuxFileTree(root, followSymlinks) : new PortableFileTree(root, followSymlinks);
    }

    /// <summary>What tells this root from another one at the same place.</summary>
    public abstract RootIdentity Identity { get; }

    /// <summary>
    /// Walks the tree in <see cref="Utf8Order"/>, each directory before what it holds, the root itself excluded.
    /// What cannot be read goes to <paramref name="onProblem"/> with its path and the walk goes on: whoever deletes by
    /// this list must not when there was a problem. A path that vanishes meanwhile is left out.
    /// Pipes, sockets and devices come as <see cref="FileEntryKind.Other"/>. Mounts are crossed.
    /// With <see cref="FollowSymlinks"/> a link that dangles stays a link; so does one that leads to a directory above itself, which is reported as <see cref="FailureKind.NotSupported"/>.
    /// </summary>
    /// <exception cref="BackupException">The root cannot be listed.</exception>
    public abstract IEnumerable<FileEntry> Scan(PathFilter? filter, Action<string, BackupException> onProblem, CancellationToken cancellationToken = default);

    /// <summary>Opens a file for reading.</summary>
    public abstract SourceFile OpenRead(string path);

    /// <summary>Describes a path, or returns null where there is nothing. The result's path is the one asked for.</summary>
    public abstract FileEntry? TryStat(string path);

    /// <summary>Creates a directory and those above it; one that exists is fine.</summary>
    public abstract void CreateDirectory(string path);

    /// <summary>Begins a file, with the directories above it. Nothing is visible under its name before <see cref="TargetFile.Commit"/>.</summary>
    public abstract TargetFile CreateFile(string path);

    /// <summary>Puts a symbolic link in place, replacing a file or link of that name. The target may be anything: it is never followed.</summary>
    public abstract void CreateSymlink(string path, string target, long? modifiedTicks = null);

    /// <summary>Sets when a path was modified, in UTC ticks; of the link itself where it is one.</summary>
    public abstract void SetTimes(string path, long modifiedTicks);

    /// <summary>Sets Unix permission bits, where the system has them. Set-user-id and set-group-id are left out for files: owners are not restored, and such a file would run as whoever restored it.</summary>
    public abstract void SetMode(string path, int mode);

    /// <summary>Removes a file or link, such as a half-written file that a killed restore left (<see cref="IsTemporary"/>); one that is not there is fine.</summary>
    public abstract void DeleteFile(string path);

    /// <summary>Whether a path is one that <see cref="CreateFile"/> writes to before it is committed: never worth a backup.</summary>
    public static bool IsTemporary(string path)
    {
        var name = path.AsSpan(path.LastIndexOf('/') + 1);
        return name.StartsWith(TempPrefix) && Guid.TryParseExact(name[TempPrefix.Length..], "N", out _);
    }

    /// <summary>Makes what was written survive a power cut, where the system can do so for a whole volume.</summary>
    public abstract void Sync();

    /// <summary>The path as a reader would look for it.</summary>
    public string Display(string path) => Path.Join(Root, path);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A name for a file that has none yet.</summary>
    protected static string TemporaryName() => TempPrefix + Guid.NewGuid().ToString("N");

    /// <summary>Closes the root.</summary>
    protected abstract void Dispose(bool disposing);
}
