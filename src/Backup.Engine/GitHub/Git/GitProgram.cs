using System.Collections.Concurrent;
using System.Globalization;

namespace Backup.Engine.GitHub.Git;

/// <summary>The git that is installed. Its version is asked for once.</summary>
internal sealed record GitProgram(string Path, Version Version)
{
    /// <summary>2.31 has GIT_CONFIG_COUNT, by which settings and the token reach git with no file and no argument.</summary>
    private static readonly Version Oldest = new(2, 31);

    private static readonly ConcurrentDictionary<string, Lazy<Task<GitProgram>>> Known = new(StringComparer.Ordinal);

    /// <summary>Finds git.</summary>
    /// <param name="path">Its path, or null to look for it in PATH.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.NotSupported"/> where there is none, or one that is too old.</exception>
    public static async Task<GitProgram> FindAsync(string? path = null)
    {
        var found = path ?? Search() ?? throw new BackupException(
            FailureKind.NotSupported,
            "git was not found in PATH.",
            $"Install git {Oldest} or newer on this machine.");
        try
        {
            return await Known.GetOrAdd(found, static file => new(() => AskAsync(file))).Value;
        }
        catch
        {
            Known.TryRemove(found, out _);
            throw;
        }
    }

    private static async Task<GitProgram> AskAsync(string path)
    {
        var said = await GitProcess.ReadAsync(new() { Git = path, Arguments = ["version"], Directory = System.IO.Path.GetTempPath() }, CancellationToken.None);
        // "git version 2.39.5", "git version 2.47.0.windows.1", "git version 2.39.5 (Apple Git-154)"
        var words = said.Split(' ', StringSplitOptions.TrimEntries);
        var numbers = (words.Length > 2 ? words[2] : "").Split('.');
        if (numbers.Length < 2 || !int.TryParse(numbers[0], CultureInfo.InvariantCulture, out var major) || !int.TryParse(numbers[1], CultureInfo.InvariantCulture, out var minor))
            throw new BackupException(FailureKind.NotSupported, $"'{path}' does not say its version as git does.", $"Install git {Oldest} or newer on this machine.");
        var version = new Version(major, minor);
        return version >= Oldest
            ? new(path, version)
            : throw new BackupException(FailureKind.NotSupported, $"'{path}' is git {version}, and {Oldest} or newer is needed.", "Install a newer git.");
    }

    private static string? Search()
    {
        var name = OperatingSystem.IsWindows() ? "git.exe" : "git";
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(System.IO.Path.IsPathRooted)
            .Select(directory => System.IO.Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);
    }
}
