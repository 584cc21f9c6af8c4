using Microsoft.Win32.SafeHandles;

namespace Backup.Engine.Files;

/// <summary>
/// The tree by .NET's own means, for Windows and macOS: no change times, no file ids. A link that is swapped in between the
/// check of a path and its use is not noticed here; on Linux it is.
/// </summary>
internal sealed class PortableFileTree : FileTree
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, ReturnSpecialDirectories = false };

    // Without this prefix Windows drops trailing dots and spaces and knows device names such as NUL.
    private readonly string _native;

    public PortableFileTree(string root, bool followSymlinks)
        : base(root, followSymlinks)
    {
        if (!Directory.Exists(root))
            throw new BackupException(FailureKind.NotFound, $"There is no folder '{root}'.");
        _native = !OperatingSystem.IsWindows() || root.StartsWith(@"\\?\", StringComparison.Ordinal) ? root
            : root.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC\" + root[2..]
            : @"\\?\" + root;
    }

    public override RootIdentity Identity => RootIdentity.OfDrive(Root);

    public override IEnumerable<FileEntry> Scan(PathFilter? filter, Action<string, BackupException> onProblem, CancellationToken cancellationToken = default)
    {
        var levels = new Stack<(IEnumerator<FileEntry> Entries, string Directory)>();
        levels.Push((List(_native, "", onProblem, [_native], isRoot: true).GetEnumerator(), _native));
        while (levels.TryPeek(out var level))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!level.Entries.MoveNext())
            {
                levels.Pop();
                continue;
            }

            var entry = level.Entries.Current;
            if (filter?.Includes(entry.Path) == false)
                continue;
            yield return entry;
            if (entry.Kind != FileEntryKind.Directory)
                continue;

            var native = Native(entry.Path);
            var above = levels.Select(one => one.Directory).Append(native);
            levels.Push((List(native, entry.Path, onProblem, [.. above.Select(Resolve)], isRoot: false).GetEnumerator(), native));
        }
    }

    public override SourceFile OpenRead(string path) => Guard("read", path, () =>
    {
        Check(Native(path), Parent(path), !FollowSymlinks, path);
        var handle = File.OpenHandle(Native(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan | FileOptions.Asynchronous);
        try
        {
            return new SourceFile(handle, path, Display(path), Describe);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    });

    public override FileEntry? TryStat(string path) => Guard("read", path, () =>
    {
        var native = Native(path);
        FileSystemInfo info = new FileInfo(native);
        if (!info.Exists)
            info = new DirectoryInfo(native);
        return info.Exists || info.LinkTarget is not null ? Describe(info, path) : null;
    });

    public override void CreateDirectory(string path) => Guard("created", path, () =>
    {
        Check(null, Native(path), noLinks: true, path);
        Directory.CreateDirectory(Native(path));
        return true;
    });

    public override TargetFile CreateFile(string path) => Guard("written", path, () =>
    {
        if (path.EndsWith('/'))
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' is a directory's path.");
        Check(null, Parent(path), noLinks: true, path);
        Directory.CreateDirectory(Parent(path));
        var temp = Path.Join(Parent(path), TemporaryName());
        return new PortableTarget(this, path, temp, new FileStream(temp, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous));
    });

    public override void CreateSymlink(string path, string target, long? modifiedTicks = null) => Guard("created", path, () =>
    {
        var native = PathEncoding.TryDecodeToString(target);
        if (string.IsNullOrEmpty(native))
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' is refused: '{target}' is not a link's target.");
        Check(null, Parent(path), noLinks: true, path);
        Directory.CreateDirectory(Parent(path));

        // File.Move does not move a link that dangles, so there is a moment without one here.
        var link = Native(path);
        if (OperatingSystem.IsWindows() && new DirectoryInfo(link) is { Exists: true, LinkTarget: not null })
            Directory.Delete(link);
        else
            File.Delete(link);
        if (Directory.Exists(Path.Combine(Parent(path), native)))
            Directory.CreateSymbolicLink(link, native);
        else
            File.CreateSymbolicLink(link, native);
        if (modifiedTicks is { } ticks)
            File.SetLastWriteTimeUtc(link, new DateTime(ticks, DateTimeKind.Utc));
        return true;
    });

    public override void SetTimes(string path, long modifiedTicks) => Guard("given its time", path, () =>
    {
        Check(null, Parent(path), noLinks: true, path);
        var time = new DateTime(modifiedTicks, DateTimeKind.Utc);
        if (path.EndsWith('/'))
            Directory.SetLastWriteTimeUtc(Native(path), time);
        else
            File.SetLastWriteTimeUtc(Native(path), time);
        return true;
    });

    public override void SetMode(string path, int mode) => Guard("given its mode", path, () =>
    {
        Check(Native(path), Parent(path), noLinks: true, path);
        ApplyMode(Native(path), mode, path.EndsWith('/'));
        return true;
    });

    public override void DeleteFile(string path) => Guard("removed", path, () =>
    {
        Check(null, Parent(path), noLinks: true, path);
        File.Delete(Native(path));
        return true;
    });

    public override void Sync()
    {
        // There is no such call here: the system writes in its own time.
    }

    protected override void Dispose(bool disposing)
    {
        // Nothing is held open.
    }

    private static void ApplyMode(string native, int mode, bool isDirectory)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(native, (UnixFileMode)(mode & (isDirectory ? 0xFFF : 0x3FF)));
    }

    private static string Resolve(string directory) => new DirectoryInfo(directory).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? directory;

    private static FileEntry Describe(SafeFileHandle handle, string path) => new()
    {
        Path = path,
        Kind = FileEntryKind.File,
        Size = RandomAccess.GetLength(handle),
        ModifiedTicks = File.GetLastWriteTimeUtc(handle).Ticks,
        Mode = OperatingSystem.IsWindows() ? null : (int)File.GetUnixFileMode(handle),
    };

    private static FileEntry Describe(FileSystemInfo info, string path)
    {
        var kind = info.LinkTarget is not null ? FileEntryKind.Symlink
            : info is DirectoryInfo ? FileEntryKind.Directory
            : info.Attributes.HasFlag(FileAttributes.Device) ? FileEntryKind.Other
            : FileEntryKind.File;
        return new()
        {
            Path = path,
            Kind = kind,
            Size = kind == FileEntryKind.File ? ((FileInfo)info).Length : 0,
            ModifiedTicks = info.LastWriteTimeUtc.Ticks,
            Mode = OperatingSystem.IsWindows() ? null : (int)info.UnixFileMode,
            LinkTarget = kind == FileEntryKind.Symlink ? PathEncoding.Encode(info.LinkTarget!) : null,
        };
    }

    private List<FileEntry> List(string directory, string path, Action<string, BackupException> onProblem, string[] above, bool isRoot)
    {
        var entries = new List<FileEntry>();
        try
        {
            foreach (var info in new DirectoryInfo(directory).EnumerateFileSystemInfos("*", Everything))
            {
                var itemPath = path + PathEncoding.Encode(info.Name);
                try
                {
                    entries.Add(Followed(info, itemPath, onProblem, above));
                }
                catch (FileNotFoundException)
                {
                    // Gone between the listing and the look: deleted in time.
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    onProblem(itemPath, BackupException.From(exception));
                }
            }
        }
        catch (DirectoryNotFoundException) when (!isRoot)
        {
            return [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (isRoot)
                throw BackupException.From(exception);
            onProblem(path, BackupException.From(exception));
        }

        entries.Sort((x, y) => Utf8Order.Compare(x.Path, y.Path));
        return entries;
    }

    private FileEntry Followed(FileSystemInfo info, string path, Action<string, BackupException> onProblem, string[] above)
    {
        var entry = Describe(info, path);
        if (entry.Kind == FileEntryKind.Symlink && FollowSymlinks)
        {
            FileSystemInfo? target = null;
            try
            {
                target = info.ResolveLinkTarget(returnFinalTarget: true);
            }
            catch (IOException)
            {
                // A link to itself: it stays a link.
            }

            if (target is { Exists: true } && target is DirectoryInfo && above.Contains(target.FullName, StringComparer.Ordinal))
                onProblem(path, new BackupException(FailureKind.NotSupported, $"'{Display(path)}' links to a folder above itself and is kept as a link."));
            else if (target is { Exists: true })
                entry = Describe(target, path);
        }

        return entry.Kind == FileEntryKind.Directory ? entry with { Path = path + "/" } : entry;
    }

    /// <summary>Refuses a path with a link, or with a file where a directory should be, on its way below the root.</summary>
    private void Check(string? file, string directory, bool noLinks, string path)
    {
        if (!noLinks)
            return;
        if (file is not null && new FileInfo(file).LinkTarget is not null)
            throw Blocked(path);
        for (var current = directory; current.Length > _native.Length; current = Path.GetDirectoryName(current)!)
        {
            if (new DirectoryInfo(current).LinkTarget is not null || File.Exists(current))
                throw Blocked(path);
        }
    }

    private BackupException Blocked(string path) =>
        new(FailureKind.NotFound, $"'{Display(path)}' cannot be used: a file or a symbolic link stands where a directory should be.", "Restore to another place, or remove what stands there.");

    private string Parent(string path) => Path.GetDirectoryName(Native(path))!;

    private string Native(string path)
    {
        _ = PathEncoding.DecodePath(path);
        var names = path.TrimEnd('/').Split('/').Select(name => PathEncoding.TryDecodeToString(name));
        if (OperatingSystem.IsWindows() && names.Any(name => name is null || name.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0))
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' cannot be a name on this system.", "Restore it on the system it came from.");
        if (names.Any(name => name is null))
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' cannot be a name on this system.", "Restore it on the system it came from.");
        return _native.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar + string.Join(Path.DirectorySeparatorChar, names);
    }

    private T Guard<T>(string doing, string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var known = BackupException.From(exception);
            throw new BackupException(known.Kind, $"'{Display(path)}' cannot be {doing}: {exception.Message}", known.Advice, exception);
        }
    }

    private sealed class PortableTarget(PortableFileTree tree, string path, string temp, FileStream stream) : TargetFile(stream)
    {
        protected override void Finish(long? modifiedTicks, int? mode) => tree.Guard("written", path, () =>
        {
            Stream.Dispose();
            if (mode is { } bits)
                ApplyMode(temp, bits, isDirectory: false);
            if (modifiedTicks is { } ticks)
                File.SetLastWriteTimeUtc(temp, new DateTime(ticks, DateTimeKind.Utc));
            File.Move(temp, tree.Native(path), overwrite: true);
            return true;
        });

        protected override void Discard() => File.Delete(temp);
    }
}
