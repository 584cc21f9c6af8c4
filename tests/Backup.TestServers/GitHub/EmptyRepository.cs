namespace Backup.TestServers.GitHub;

/// <summary>An empty bare repository without a process: 1,000 of them are made at once.</summary>
internal static class EmptyRepository
{
    public static void Create(string path)
    {
        Directory.CreateDirectory(Path.Combine(path, "objects", "info"));
        Directory.CreateDirectory(Path.Combine(path, "objects", "pack"));
        Directory.CreateDirectory(Path.Combine(path, "refs", "heads"));
        Directory.CreateDirectory(Path.Combine(path, "refs", "tags"));
        File.WriteAllText(Path.Combine(path, "HEAD"), "ref: refs/heads/main\n");
        File.WriteAllText(
            Path.Combine(path, "config"),
            "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n[http]\n\treceivepack = true\n[uploadpack]\n\tallowFilter = true\n"
            // GitHub refuses pushes below refs/pull (github.md 2.2).
            + "[receive]\n\thideRefs = refs/pull\n");
    }
}
