using System.Text;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// What Atlassian put into the archive: recognises the export, counts its objects and proves its XML documents. Nothing here is needed for a file to be whole
/// but the documents: an unknown layout is reported, not refused.
/// <para>
/// Confluence: <c>entities.xml</c> with root <c>hibernate-generic</c>, whose children are <c>object class="Page"</c> and so on; <c>exportDescriptor.properties</c>;
/// <c>attachments/page/attachment/version</c>. Jira: <c>entities.xml</c> with root <c>entity-engine-xml</c>, whose children are named for what they are;
/// <c>activeobjects.xml</c>; <c>data/attachments</c>, <c>data/avatars</c>, <c>logos</c>.
/// </para>
/// </summary>
internal sealed class ExportContents
{
    private const int MostClasses = 1000;
    private const int MostDescriptor = 64 * 1024;
    private const string Others = "(others)";
    private const string DescriptorName = "exportDescriptor.properties";

    // What is not on this list may be anything, a license or a mail address among them.
    private static readonly HashSet<string> KnownProperties = new(StringComparer.Ordinal)
    {
        "exportType", "spaceKey", "backupAttachments", "buildNumber", "createdByBuildNumber", "createdByVersionNumber", "source", "timezoneId",
    };

    private static readonly string[] MediaFolders = ["attachments/", "data/", "avatars/", "logos/", "media/"];

    private readonly Dictionary<string, long> _entities = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _descriptor = new(StringComparer.Ordinal);
    private XmlProof? _document;
    private MemoryStream? _properties;
    private string? _root;
    private bool _jiraDocument;
    private bool _other;
    private bool _media;

    /// <summary>Entries so far.</summary>
    public long EntryCount { get; private set; }

    /// <summary>Uncompressed bytes of them.</summary>
    public long UncompressedBytes { get; private set; }

    /// <summary>Attachments among them.</summary>
    public long AttachmentCount { get; private set; }

    /// <summary>XML documents that were read to their end.</summary>
    public long DocumentCount { get; private set; }

    /// <summary>Objects by class.</summary>
    public IDictionary<string, long> Entities => _entities;

    /// <summary>What the export says of itself.</summary>
    public IReadOnlyDictionary<string, string> Descriptor => _descriptor;

    /// <summary>The kind of export, as far as it has been seen.</summary>
    public ExportKind Kind
    {
        get
        {
            if (_root == "entity-engine-xml" || _jiraDocument)
                return ExportKind.Jira;
            if (_root == "hibernate-generic" || _descriptor.ContainsKey("exportType"))
                return _descriptor.TryGetValue("exportType", out var type) && type == "space" ? ExportKind.ConfluenceSpace : ExportKind.ConfluenceSite;
            return _media && !_other ? ExportKind.Attachments : ExportKind.Unknown;
        }
    }

    /// <summary>An entry begins.</summary>
    public void Begin(string name)
    {
        var isMedia = Array.Exists(MediaFolders, folder => name.StartsWith(folder, StringComparison.Ordinal));
        _media |= isMedia;
        _other |= !isMedia;
        if (!name.EndsWith('/') && (name.StartsWith("attachments/", StringComparison.Ordinal) || name.StartsWith("data/attachments/", StringComparison.Ordinal)))
            AttachmentCount++;

        // People attach broken XML too: only what lies at the top is the export's own.
        if (!name.Contains('/', StringComparison.Ordinal) && name.EndsWith(".xml", StringComparison.OrdinalIgnoreCase))
            _document = name == "entities.xml" ? Counting() : new XmlProof();
        else if (name == DescriptorName)
            _properties = new MemoryStream();
        _jiraDocument |= name == "activeobjects.xml";
    }

    /// <summary>The entry's next bytes, uncompressed.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        UncompressedBytes += data.Length;
        _document?.Append(data);
        _properties?.Write(data[..(int)Math.Min(data.Length, MostDescriptor - _properties.Length)]);
    }

    /// <summary>The entry has ended and its checksum is right.</summary>
    /// <returns>What is wrong with the document that it is, or null.</returns>
    public string? End()
    {
        EntryCount++;
        if (_properties is { } properties)
            ReadDescriptor(Encoding.Latin1.GetString(properties.GetBuffer(), 0, (int)properties.Length));
        _properties = null;

        var document = _document;
        _document = null;
        document?.End();
        if (document is { Problem: null })
            DocumentCount++;
        return document?.Problem;
    }

    // Confluence names the class in an attribute, Jira's elements are the classes.
    private XmlProof Counting() => new()
    {
        Element = (depth, name) =>
        {
            if (depth == 1)
                _root = Encoding.UTF8.GetString(name);
            else if (!name.SequenceEqual("object"u8))
                Count(name);
        },
        Attribute = (depth, element, attribute, value) =>
        {
            if (depth == 2 && attribute.SequenceEqual("class"u8) && element.SequenceEqual("object"u8))
                Count(value);
            else if (depth == 1 && (attribute.SequenceEqual("date"u8) || attribute.SequenceEqual("datetime"u8)))
                _descriptor["date"] = Encoding.UTF8.GetString(value);
        },
    };

    private void Count(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[XmlProof.MostValue];
        ReadOnlySpan<char> key = text[..Encoding.UTF8.GetChars(name, text)];
        var counts = _entities.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!counts.ContainsKey(key) && _entities.Count >= MostClasses)
            key = Others;
        counts[key] = counts.TryGetValue(key, out var count) ? count + 1 : 1;
    }

    private void ReadDescriptor(string text)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var equals = line.IndexOf('=');
            if (equals > 0 && line[..equals].Trim().ToString() is var name && KnownProperties.Contains(name))
                _descriptor[name] = line[(equals + 1)..].Trim().ToString();
        }
    }
}
