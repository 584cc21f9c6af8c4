using Microsoft.Extensions.FileSystemGlobbing.Abstractions;
using Microsoft.Extensions.FileSystemGlobbing.Internal;
using Microsoft.Extensions.FileSystemGlobbing.Internal.Patterns;

namespace Backup.Engine.Folders;

/// <summary>
/// Which paths of a folder belong to a backup: glob patterns as Microsoft.Extensions.FileSystemGlobbing reads them
/// (<c>**/*.tmp</c>, <c>node_modules/</c>), exclusion wins. Patterns are matched against encoded paths, with the system's case sensitivity.
/// </summary>
/// <remarks>
/// The library's own pattern contexts are driven here, one directory at a time, so a path costs one test a pattern
/// instead of a directory tree built for it. Paths that come in order are fastest. Not thread-safe.
/// </remarks>
internal sealed class FolderFilter
{
    private readonly IPatternContext[] _includes;
    private readonly IPatternContext[] _excludes;
    private readonly Stack<string> _directories = new();
    private readonly Name _name = new();

    private FolderFilter(IEnumerable<string> includes, IEnumerable<string> excludes, bool ignoreCase)
    {
        var builder = new PatternBuilder(ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
        _includes = [.. includes.DefaultIfEmpty("**").Select(pattern => builder.Build(pattern).CreatePatternContextForInclude())];
        _excludes = [.. excludes.Select(pattern => builder.Build(pattern).CreatePatternContextForExclude())];
        Push("");
    }

    /// <summary>The filter for these patterns, or null where there are none and everything belongs.</summary>
    /// <param name="includes">What belongs; null or empty for everything.</param>
    /// <param name="excludes">What does not, even where it is included.</param>
    /// <param name="ignoreCase">Null for the system's way: Linux tells case apart, Windows and macOS do not.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for a pattern that cannot be read.</exception>
    public static FolderFilter? Create(IReadOnlyCollection<string>? includes, IReadOnlyCollection<string>? excludes, bool? ignoreCase = null)
    {
        if (includes is null or { Count: 0 } && excludes is null or { Count: 0 })
            return null;

        var bad = (includes ?? []).Concat(excludes ?? []).FirstOrDefault(string.IsNullOrWhiteSpace);
        if (bad is not null)
            throw new BackupException(FailureKind.InvalidInput, "A pattern of Include or Exclude is empty.", "Leave it out, or give a pattern such as **/*.tmp.");
        try
        {
            return new(includes ?? [], excludes ?? [], ignoreCase ?? !OperatingSystem.IsLinux());
        }
        catch (ArgumentException exception)
        {
            throw new BackupException(FailureKind.InvalidInput, $"A pattern of Include or Exclude cannot be read: {exception.Message}", "Patterns look like **/*.tmp, logs/ or src/**/bin/.", exception);
        }
    }

    /// <summary>Whether a path belongs. A directory (its path ends with <c>/</c>) belongs where something in it could; otherwise it need not be opened.</summary>
    public bool Includes(string path)
    {
        while (!path.StartsWith(_directories.Peek(), StringComparison.Ordinal) || (path.EndsWith('/') && path.Length == _directories.Peek().Length && path.Length > 0))
            Pop();

        var start = _directories.Peek().Length;
        for (var slash = path.IndexOf('/', start); slash >= 0 && slash < path.Length - 1; slash = path.IndexOf('/', start))
        {
            _name.Set(path[start..slash]);
            if (!Belongs(_name.Directory))
                return false;
            Push(path[..(slash + 1)]);
            start = slash + 1;
        }

        var isDirectory = path.EndsWith('/');
        _name.Set(isDirectory ? path[start..^1] : path[start..]);
        return isDirectory ? Belongs(_name.Directory) : Belongs(_name.File);
    }

    private bool Belongs(FileInfoBase file)
    {
        foreach (var include in _includes)
        {
            if (include.Test(file).IsSuccessful)
                return !Array.Exists(_excludes, exclude => exclude.Test(file).IsSuccessful);
        }

        return false;
    }

    private bool Belongs(DirectoryInfoBase directory)
    {
        foreach (var include in _includes)
        {
            if (include.Test(directory))
                return !Array.Exists(_excludes, exclude => exclude.Test(directory));
        }

        return false;
    }

    private void Push(string path)
    {
        _directories.Push(path);
        foreach (var context in _includes)
            context.PushDirectory(_name.Directory);
        foreach (var context in _excludes)
            context.PushDirectory(_name.Directory);
    }

    private void Pop()
    {
        _directories.Pop();
        foreach (var context in _includes)
            context.PopDirectory();
        foreach (var context in _excludes)
            context.PopDirectory();
    }

    /// <summary>The name at hand, in the two shapes that the library asks for.</summary>
    private sealed class Name
    {
        public Name() => (File, Directory) = (new FileShape(), new DirectoryShape());

        public FileShape File { get; }

        public DirectoryShape Directory { get; }

        public void Set(string name) => (File.Value, Directory.Value) = (name, name);
    }

    private sealed class FileShape : FileInfoBase
    {
        public string Value { get; set; } = "";

        public override string Name => Value;

        public override string FullName => Value;

        public override DirectoryInfoBase? ParentDirectory => null;
    }

    private sealed class DirectoryShape : DirectoryInfoBase
    {
        public string Value { get; set; } = "";

        public override string Name => Value;

        public override string FullName => Value;

        public override DirectoryInfoBase? ParentDirectory => null;

        public override IEnumerable<FileSystemInfoBase> EnumerateFileSystemInfos() => [];

        public override DirectoryInfoBase? GetDirectory(string path) => null;

        public override FileInfoBase? GetFile(string path) => null;
    }
}
