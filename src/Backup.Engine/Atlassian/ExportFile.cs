using System.IO.Compression;

namespace Backup.Engine.Atlassian;

/// <summary>A file that should be an export.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Modified">When it was written, in UTC.</param>
internal sealed record ExportFile(string Path, long Length, DateTime Modified)
{
    /// <summary>Looks at a file.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/>.</exception>
    public static ExportFile Of(string path)
    {
        var info = new FileInfo(path);
        return info.Exists ? new(info.FullName, info.Length, info.LastWriteTimeUtc) : throw new BackupException(FailureKind.NotFound, $"The file '{path}' does not exist.", "Check the path.");
    }

    /// <summary>What tells it from other files without reading it.</summary>
    public string Id => $"{System.IO.Path.GetFileName(Path)}:{Length}:{Modified.Ticks}";

    /// <summary>The product that its list of contents tells of; null where it tells none. The bytes are verified later.</summary>
    public AtlassianProduct? DetectProduct()
    {
        try
        {
            using var archive = ZipFile.OpenRead(Path);
            foreach (var entry in archive.Entries)
            {
                if (entry.FullName is "activeobjects.xml" || entry.FullName.StartsWith("data/", StringComparison.Ordinal))
                    return AtlassianProduct.Jira;
                if (entry.FullName is "exportDescriptor.properties" || entry.FullName.StartsWith("attachments/", StringComparison.Ordinal))
                    return AtlassianProduct.Confluence;
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // It is for the verification to say what is wrong with it.
        }

        return null;
    }
}
