using Backup.Engine.Files;

namespace Backup.Engine.Folders;

/// <summary>How absolute paths lie to each other, and where caches are.</summary>
internal static class FolderPaths
{
    private static readonly StringComparison Comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>Whether a path is a folder or lies within it.</summary>
    public static bool IsWithin(string path, string folder) =>
        path.Equals(folder, Comparison) || path.StartsWith(WithSeparator(folder), Comparison);

    /// <summary>The encoded path relative to a folder that it lies within; null where it does not.</summary>
    public static string? RelativeTo(string path, string folder) =>
        path.StartsWith(WithSeparator(folder), Comparison) ? string.Join('/', path[WithSeparator(folder).Length..].Split(Path.DirectorySeparatorChar).Select(PathEncoding.Encode)) : null;

    /// <summary>Where a path leads, links followed as far as there is something.</summary>
    public static string Real(string path)
    {
        try
        {
            var parent = Path.GetDirectoryName(path);
            if (parent is null)
                return path;
            var real = Path.Combine(Real(parent), Path.GetFileName(path));
            var found = new DirectoryInfo(real);
            return found.LinkTarget is not null && found.ResolveLinkTarget(returnFinalTarget: true) is { } target ? Real(target.FullName) : real;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return path;
        }
    }

    /// <summary>The directory of the caches.</summary>
    public static string CacheDirectory(string? given) =>
        given is not null ? Path.GetFullPath(given) : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "AtlassianBackup", "cache");

    /// <summary>The cache of a folder at a destination: one name for each pair.</summary>
    public static string CacheFile(string? cachePath, string folder, string destination) =>
        Path.Combine(CacheDirectory(cachePath), Runs.CatalogSource.FromName($"{destination}\n{folder}") + ".db");

    private static string WithSeparator(string folder) => Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar;
}
