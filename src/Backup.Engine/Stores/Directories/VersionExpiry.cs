namespace Backup.Engine.Stores.Directories;

/// <summary>Removes old versions whose time is over.</summary>
internal static class VersionExpiry
{
    /// <summary>Removes what stopped being current before <paramref name="before"/>. A version whose sidecar is missing counts from its own last write.</summary>
    public static (long Versions, long Bytes) Prune(DirectoryLayout layout, DirectoryCommit commit, DateTime before, CancellationToken cancellationToken)
    {
        var (versions, bytes) = (0L, 0L);
        if (!Directory.Exists(layout.VersionRoot))
            return (versions, bytes);

        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        foreach (var path in Directory.EnumerateFiles(layout.VersionRoot, "*", everything))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (DirectoryLayout.VersionOfSidecar(path) is { } alone)
            {
                // The sidecar goes with its version; without one, a crash left it.
                if (!File.Exists(alone) && File.Exists(path) && File.GetLastWriteTimeUtc(path) < before)
                    Remove(path);
                continue;
            }

            var sidecar = DirectoryLayout.SidecarOfVersion(path);
            if (File.GetLastWriteTimeUtc(File.Exists(sidecar) ? sidecar : path) >= before)
                continue;
            bytes += new FileInfo(path).Length;
            versions++;
            Remove(path);
            File.Delete(sidecar);
            commit.Tidy(path, layout.VersionRoot);
        }
        return (versions, bytes);

        void Remove(string path)
        {
            File.Delete(path);
            commit.Tidy(path, layout.VersionRoot);
        }
    }
}
