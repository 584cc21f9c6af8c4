using Microsoft.Extensions.FileSystemGlobbing.Abstractions;
using Microsoft.Extensions.FileSystemGlobbing.Internal;
using Microsoft.Extensions.FileSystemGlobbing.Internal.Patterns;

namespace Backup.Engine.Files;

/// <summary>
/// Which paths of a folder belong to a backup: glob patterns as Microsoft.Extensions.FileSystemGlobbing reads them
/// (<c>**/*.tmp</c>, <c>node_modules/</c>), exclusion wins. Patterns are matched against encoded paths, with the system's case sensitivity.
/// </summary>
/// <remarks>
/// The library's own pattern contexts are driven here, one directory at a time, so a path costs one test a pattern
/// instead of a directory tree built for it. Paths that come in order are fastest. Not thread-safe.
/// </remarks>
internal sealed class PathFilter
{
    private readonly IPatternContext[] _includes;
    private readonly IPatternContext[] _excludes;
    private readonly Stack<DirectoryShape> _directories = new();
    private readonly FileShape _file = new();

    private PathFilter(IEnumerable<string> includes, IEnumerable<string> excludes, bool ignoreCase)
    {
        var builder = new PatternBuilder(ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
        _includes = [.. includes.DefaultIfEmpty("**").Select(pattern => builder.Build(pattern).CreatePatternContextForInclude())];
        _excludes = [.. excludes.Select(pattern => builder.Build(pattern).CreatePatternContextForExclude())];
        Push(new DirectoryShape("", "", null));
    }

    /// <summary>The filter for these patterns, or null where there are none and everything belongs.</summary>
    /// <param name="includes">What belongs; null or empty for everything.</param>
    /// <param name="excludes">What does not, even where it is included.</param>
    /// <param name="ignoreCase">Null for the system's way: Linux tells case apart, Windows and macOS do not.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for a pattern that cannot be read.</exception>
    public static PathFilter? Create(IReadOnlyCollection<string>? includes, IReadOnlyCollection<string>? excludes, bool? ignoreCase = null)
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
        // A directory that is asked for again is left first: it is tested from the one above it.
        for (var open = _directories.Peek().Path; !path.StartsWith(open, StringComparison.Ordinal) || (open.Length > 0 && path.Length == open.Length); open = _directories.Peek().Path)
            Pop();

        var start = _directories.Peek().Path.Length;
        for (var slash = path.IndexOf('/', start); slash >= 0; slash = path.IndexOf('/', start))
        {
            var directory = new DirectoryShape(path[..(slash + 1)], path[start..slash], _directories.Peek());
            if (!Belongs(directory))
                return false;
            start = slash + 1;
            if (start == path.Length)
                return true;
            Push(directory);
        }

        _file.Set(path[start..], _directories.Peek());
        return Belongs(_file);
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

    private void Push(DirectoryShape directory)
    {
        _directories.Push(directory);
        foreach (var context in _includes)
            context.PushDirectory(directory);
        foreach (var context in _excludes)
            context.PushDirectory(directory);
    }

    private void Pop()
    {
        _directories.Pop();
        foreach (var context in _includes)
            context.PopDirectory();
        foreach (var context in _excludes)
            context.PopDirectory();
    }

    /// <summary>The file at hand, as the library asks for it.</summary>
    private sealed class FileShape : FileInfoBase
    {
        private string _name = "";
        private DirectoryInfoBase? _parent;

        public override string Name => _name;

        public override string FullName => _name;

        public override DirectoryInfoBase? ParentDirectory => _parent;

        public void Set(string name, DirectoryInfoBase parent) => (_name, _parent) = (name, parent);
    }

    /// <summary>A directory on the way to the path at hand.</summary>
    private sealed class DirectoryShape(string path, string name, DirectoryInfoBase? parent) : DirectoryInfoBase
    {
        public string Path => path;

        public override string Name => name;

        public override string FullName => path;

        public override DirectoryInfoBase? ParentDirectory => parent;

        public override IEnumerable<FileSystemInfoBase> EnumerateFileSystemInfos() => [];

        public override DirectoryInfoBase? GetDirectory(string path) => null;

        public override FileInfoBase? GetFile(string path) => null;
    }
}
