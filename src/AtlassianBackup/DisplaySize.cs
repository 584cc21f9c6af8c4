using AtlassianBackup.Pipeline;

namespace AtlassianBackup;

/// <summary>Bytes as people read them. The table and list views use it.</summary>
public static class DisplaySize
{
    /// <summary>Such as <c>1.5 GiB</c>.</summary>
    public static string Text(double bytes) => ProgressWriter.Bytes(bytes);
}
