namespace Backup.Engine.Atlassian;

/// <summary>A file that should be an export.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Modified">When it was written, in UTC.</param>
internal sealed record ExportFile(string Path, long Length, DateTime Modified)
{
    private const int Tail = 256 << 10;

    /// <summary>Looks at a file.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/>.</exception>
    public static ExportFile Of(string path)
    {
        var info = new FileInfo(path);
        return info.Exists ? new(info.FullName, info.Length, info.LastWriteTimeUtc) : throw new BackupException(FailureKind.NotFound, $"The file '{path}' does not exist.", "Check the path.");
    }

    /// <summary>What tells it from other files without reading it.</summary>
    public string Id => $"{System.IO.Path.GetFileName(Path)}:{Length}:{Modified.Ticks}";

    /// <summary>
    /// The product that the end of its directory tells of; null where it tells none. A zip file's names stand at its end, in plain text, and those of a million
    /// attachments tell it too. The bytes are verified later.
    /// </summary>
    public AtlassianProduct? DetectProduct()
    {
        var bytes = new byte[(int)Math.Min(Tail, Length)];
        using (var file = File.OpenRead(Path))
        {
            file.Position = Length - bytes.Length;
            // A file that has become shorter in between tells nothing by what is missing.
            _ = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }

        ReadOnlySpan<byte> end = bytes;
        return end.IndexOf("activeobjects.xml"u8) >= 0 || end.IndexOf("data/attachments/"u8) >= 0 ? AtlassianProduct.Jira
            : end.IndexOf("exportDescriptor.properties"u8) >= 0 || end.IndexOf("attachments/"u8) >= 0 ? AtlassianProduct.Confluence
            : null;
    }
}
