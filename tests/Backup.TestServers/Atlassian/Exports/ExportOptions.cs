namespace Backup.TestServers.Atlassian.Exports;

/// <summary>Whose export it is.</summary>
public enum ExportProduct
{
    /// <summary>Confluence: <c>entities.xml</c>, <c>exportDescriptor.properties</c>, <c>attachments/</c>.</summary>
    Confluence,

    /// <summary>Jira: <c>entities.xml</c>, <c>activeobjects.xml</c>, <c>data/attachments/</c>.</summary>
    Jira,
}

/// <summary>What to generate. The same options give the same bytes, always.</summary>
public sealed record ExportOptions
{
    /// <summary>Whose export.</summary>
    public ExportProduct Product { get; init; }

    /// <summary>The file's length in bytes, exactly; 256 KiB at least. Above 4 GiB the archive is zip64.</summary>
    public long Size { get; init; } = 16 << 20;

    /// <summary>Other seeds give other contents.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The most bytes of one attachment, or null for a size that suits the file's.</summary>
    public int? LargestAttachment { get; init; }
}
