namespace Backup.Engine.Folders;

/// <summary>How absolute paths lie to each other, and where caches are.</summary>
internal static class FolderPaths
{
    private static readonly StringComparison Comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>Whether a path is a folder or lies within it.</summary>
    public static bool IsWithin(string path, string folder) =>
        path.Equals(folder, Comparison) || path.StartsWith(WithSeparator(folder), Comparison);

    /// <summary>The path relative to a folder that it lies within, with slashes; null where it does not.</summary>
    public static string? RelativeTo(string path, string folder) =>
        path.StartsWith(WithSeparator(folder), Comparison) ? path[WithSeparator(folder).Length..].Replace(Path.DirectorySeparatorChar, '/') : null;

    /// <summary>The directory of the caches.</summary>
    public static string CacheDirectory(string? given) =>
        given is not null ? Path.GetFullPath(given) : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "AtlassianBackup", "cache");

    /// <summary>The cache of a folder at a destination: one name for each pair.</summary>
    public static string CacheFile(string? cachePath, string folder, string destination) =>
        Path.Combine(CacheDirectory(cachePath), Runs.CatalogSource.FromName($"{destination}\n{folder}") + ".db");

    private static string WithSeparator(string folder) => Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar;
}
