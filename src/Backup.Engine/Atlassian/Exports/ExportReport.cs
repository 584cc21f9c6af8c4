namespace Backup.Engine.Atlassian.Exports;

/// <summary>What kind of export a file turned out to be, by what it holds.</summary>
public enum ExportKind
{
    /// <summary>A zip file of no layout that is known. That alone is no failure: layouts differ and change.</summary>
    Unknown,

    /// <summary>A whole Confluence site.</summary>
    ConfluenceSite,

    /// <summary>Some spaces of a Confluence site.</summary>
    ConfluenceSpace,

    /// <summary>A Jira site.</summary>
    Jira,

    /// <summary>Attachments and pictures only, without the documents that speak of them.</summary>
    Attachments,
}

/// <summary>What is wrong with an export, in words that do not change.</summary>
public enum ExportProblemKind
{
    /// <summary>The file does not begin as a zip file does: a web page, or bytes put before the archive.</summary>
    NotAZip,

    /// <summary>The file ends within a record or within an entry's data.</summary>
    Truncated,

    /// <summary>The file ends after its entries, where the central directory should be.</summary>
    MissingDirectory,

    /// <summary>An entry's data has another CRC-32 than was recorded.</summary>
    ChecksumMismatch,

    /// <summary>An entry's data is longer or shorter than was recorded.</summary>
    SizeMismatch,

    /// <summary>Compressed data that cannot be inflated.</summary>
    BadCompression,

    /// <summary>Two records that must agree do not: a local header, a data descriptor, the central directory or its end.</summary>
    RecordMismatch,

    /// <summary>Bytes that belong to no record: between entries, or after the end.</summary>
    UnexpectedData,

    /// <summary>An entry is encrypted, so that nothing can be proven about it.</summary>
    Encrypted,

    /// <summary>An entry, or the archive, uses a feature that is not read here, such as another compression method or several volumes.</summary>
    Unsupported,

    /// <summary>The archive is well formed and holds no entry.</summary>
    Empty,

    /// <summary>An XML document of the export stops before its end, or is not well formed.</summary>
    BrokenXml,
}

/// <summary>The first thing that is wrong with an export.</summary>
/// <param name="Kind">The stable word for it.</param>
/// <param name="Offset">Where in the file, in bytes from its beginning: the record that is wrong, or the data of the entry that is.</param>
/// <param name="Entry">The entry's name, or null where no entry is concerned.</param>
/// <param name="Message">One sentence, with the offset.</param>
public sealed record ExportProblem(ExportProblemKind Kind, long Offset, string? Entry, string Message)
{
    /// <summary>The failure that this problem makes of a backup.</summary>
    public BackupException ToException() => Kind is ExportProblemKind.Encrypted or ExportProblemKind.Unsupported
        ? new(FailureKind.NotSupported, Message, "What cannot be read cannot be proven. Export again without it, or keep the file by other means.")
        : new(FailureKind.Corrupt, Message, "Download the export again. If it is wrong again, ask for a new export.");
}

/// <summary>What was found out about an export while its bytes passed.</summary>
public sealed record ExportReport
{
    /// <summary>Whether all of it is proven: every entry's checksum and size, every record, and the export's own XML documents.</summary>
    public bool IsWhole => Problem is null;

    /// <summary>The first thing that is wrong, or null. Counts go no further than it.</summary>
    public ExportProblem? Problem { get; init; }

    /// <summary>The kind of export.</summary>
    public ExportKind Kind { get; init; }

    /// <summary>The file's length in bytes.</summary>
    public long Length { get; init; }

    /// <summary>Entries in the archive, directories included.</summary>
    public long EntryCount { get; init; }

    /// <summary>The length of all entries together, uncompressed, in bytes.</summary>
    public long UncompressedBytes { get; init; }

    /// <summary>Entries that are attachments.</summary>
    public long AttachmentCount { get; init; }

    /// <summary>XML documents of the export itself that were read to their closing root element.</summary>
    public long DocumentCount { get; init; }

    /// <summary>Objects in <c>entities.xml</c> by their class: <c>Page</c>, <c>Issue</c>, and so on.</summary>
    public IReadOnlyDictionary<string, long> Entities { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>What the export says of itself (<c>exportDescriptor.properties</c>, the date on the root of <c>entities.xml</c>): when, from what, what kind. Only known names are taken.</summary>
    public IReadOnlyDictionary<string, string> Descriptor { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
