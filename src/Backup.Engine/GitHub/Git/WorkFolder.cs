namespace Backup.Engine.GitHub.Git;

/// <summary>A folder for what is needed for a moment, for this user's eyes alone. What a killed run has left is removed by the next one.</summary>
internal sealed class WorkFolder : IDisposable
{
    private const string Prefix = "AtlassianBackup-github-";
    private const string LockFile = "run.lock";

    private readonly FileStream _lock;

    private WorkFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Makes one.</summary>
    /// <param name="root">Below it, or below the system's temporary folder.</param>
    public static WorkFolder Create(string? root)
    {
        root ??= System.IO.Path.GetTempPath();
        Directory.CreateDirectory(root);
        foreach (var left in Directory.EnumerateDirectories(root, Prefix + "*").ToList())
            RemoveLeft(left);
        var path = System.IO.Path.Combine(root, Prefix + Guid.NewGuid().ToString("N"));
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new(path, Hold(System.IO.Path.Combine(path, LockFile), FileMode.CreateNew));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lock.Dispose();
        Directory.Delete(Path, recursive: true);
    }

    private static FileStream Hold(string file, FileMode mode) => new(file, mode, FileAccess.ReadWrite, FileShare.None, 1);

    private static void RemoveLeft(string folder)
    {
        try
        {
            // Whoever lives holds it; and without one it is not ours, or not made yet.
            Hold(System.IO.Path.Combine(folder, LockFile), FileMode.Open).Dispose();
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is in use, or another user's.
        }
    }
}
