using System.Security.Cryptography;
using System.Text;

namespace Backup.TestServers.Atlassian.Exports;

/// <summary>
/// A site export of any size that is never held: each byte follows from its position, so a range far into it costs no more than its own bytes.
/// It takes some 5 MB of memory and a few hundred bytes an attachment. For any number of threads.
/// </summary>
public sealed class GeneratedExport
{
    private const int LeastSize = 256 * 1024;
    private const int Block = 256 * 1024;

    private readonly ExportOptions _options;
    private readonly NoiseBlocks _noise;
    private readonly Random _random;
    private readonly List<ZipEntry> _entries = [];
    private readonly List<Piece> _pieces = [];
    private readonly List<long> _starts = [];
    private long _directoryLength;

    /// <summary>Lays the file out. That takes some milliseconds a gigabyte.</summary>
    public GeneratedExport(ExportOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Size, LeastSize, nameof(options));
        _options = options;
        _noise = new NoiseBlocks(options.Seed);
        _random = new Random(options.Seed);
        AddDocuments();
        AddAttachments();

        var start = Length;
        foreach (var entry in _entries)
            Add(new Bytes(ZipRecords.Central(entry)));
        Add(new Bytes(ZipRecords.End(IsZip64, _entries.Count, start, Length - start)));
        if (Length != options.Size)
            throw new InvalidOperationException($"The layout came to {Length} bytes instead of {options.Size}.");
    }

    /// <summary>The file's length in bytes, as it was asked for.</summary>
    public long Length { get; private set; }

    /// <summary>Entries in the archive.</summary>
    public int EntryCount => _entries.Count;

    /// <summary>Attachments among them.</summary>
    public int AttachmentCount { get; private set; }

    /// <summary>Bytes of all entries, uncompressed.</summary>
    public long UncompressedBytes => _entries.Sum(entry => entry.Uncompressed);

    /// <summary>Objects in <c>entities.xml</c> by class.</summary>
    public IReadOnlyDictionary<string, long> Entities { get; private set; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Where the data of the attachments lies, for whoever wants to damage it: entry name, offset and length in the file.</summary>
    public IEnumerable<(string Name, long Offset, long Length)> Attachments =>
        _entries.TakeLast(AttachmentCount).Select(entry => (entry.Name, entry.Offset + ZipRecords.Local(entry).Length, entry.Compressed));

    private bool IsZip64 => _options.Size > uint.MaxValue;

    /// <summary>The file from <paramref name="offset"/> on, as a stream that can seek.</summary>
    public Stream Open(long offset = 0) => new ExportStream(this) { Position = offset };

    /// <summary>Copies the bytes from <paramref name="from"/> up to, not including, <paramref name="to"/>.</summary>
    public async Task CopyToAsync(Stream destination, long from, long to, CancellationToken cancellationToken = default)
    {
        var buffer = new byte[Block];
        while (from < to)
        {
            var part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, to - from));
            Read(from, part.Span);
            await destination.WriteAsync(part, cancellationToken);
            from += part.Length;
        }
    }

    /// <summary>SHA-256 of the whole file, in lower-case hexadecimal. Goes through all of it.</summary>
    public async Task<string> Sha256Async(CancellationToken cancellationToken = default)
    {
        await using var file = Open();
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }

    /// <summary>The bytes at an offset; the file has to hold so many there.</summary>
    public void Read(long offset, Span<byte> into)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(into.Length, Length - offset, nameof(into));
        var index = _starts.BinarySearch(offset);
        for (index = index < 0 ? ~index - 1 : index; !into.IsEmpty; index++)
        {
            var at = offset - _starts[index];
            var part = into[..(int)Math.Min(into.Length, _pieces[index].Length - at)];
            _pieces[index].Fill(at, part);
            offset += part.Length;
            into = into[part.Length..];
        }
    }

    private void AddDocuments()
    {
        if (_options.Product == ExportProduct.Confluence)
        {
            // Source of the names: a Confluence Cloud export's descriptor in a public test.
            AddBytes("exportDescriptor.properties", """
                #Fri Nov 20 02:00:00 UTC 2026
                backupAttachments=true
                buildNumber=6452
                createdByBuildNumber=8703
                createdByVersionNumber=1000.0.0-a1340c230
                defaultUsersGroup=confluence-users
                exportType=all
                source=cloud
                timezoneId=UTC

                """);
        }

        var entities = EntitiesContent.Create(_options.Product, _options.Seed, _options.Size / 50);
        Entities = entities.Entities;
        AddEntry(new("entities.xml", true, true, entities.Crc, entities.Length, entities.Uncompressed, Length), entities);
        if (_options.Product == ExportProduct.Jira)
            AddBytes("activeobjects.xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<backup xmlns=\"http://www.atlassian.com/ao\"><database><meta key=\"database.name\" value=\"PostgreSQL\"/></database></backup>\n");
    }

    // The last one, stored, is as long as it takes to make the file as long as it was asked to be.
    private void AddAttachments()
    {
        var largest = _options.LargestAttachment ?? (int)Math.Clamp(_options.Size / 20, 16 * 1024, 64 << 20);
        for (var number = 0; ; number++)
        {
            var name = _options.Product == ExportProduct.Confluence ? $"attachments/{number / 10:D8}/{number:D10}/1" : $"data/attachments/ACME/10000/ACME-{number:D8}/{number:D10}";
            var rest = _options.Size - Length - _directoryLength - ZipRecords.EndLength(IsZip64) - 30 - name.Length - ZipRecords.CentralLength(name, Length);
            AttachmentCount++;
            if (rest < 3L * largest)
            {
                AddAttachment(name, number, rest, deflated: false);
                return;
            }

            // Many are small, a few are large.
            var size = (long)(AttachmentContent.Least + (largest * Math.Pow(_random.NextDouble(), 3)));
            AddAttachment(name, number, size, deflated: number % 4 != 3);
        }
    }

    private void AddAttachment(string name, int number, long size, bool deflated)
    {
        var content = new AttachmentContent(_noise, number, size);
        Piece data = deflated ? new StoredBlocks(content) : content;
        AddEntry(new(name, deflated, deflated, content.Crc(), data.Length, size, Length), data);
    }

    private void AddBytes(string name, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        AddEntry(new(name, false, false, Crc32Combination.Of(bytes), bytes.Length, bytes.Length, Length), new Bytes(bytes));
    }

    private void AddEntry(ZipEntry entry, Piece data)
    {
        _directoryLength += ZipRecords.CentralLength(entry.Name, entry.Offset);
        _entries.Add(entry);
        Add(new Bytes(ZipRecords.Local(entry)));
        Add(data);
        if (entry.Streamed)
            Add(new Bytes(ZipRecords.Descriptor(entry)));
    }

    private void Add(Piece piece)
    {
        _starts.Add(Length);
        _pieces.Add(piece);
        Length += piece.Length;
    }

    private sealed class ExportStream(GeneratedExport export) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => export.Length;

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = (int)Math.Clamp(Length - Position, 0, buffer.Length);
            export.Read(Position, buffer[..read]);
            Position += read;
            return read;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

        public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => Length + offset,
        };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
