using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// Reads a zip file from its first byte to its last, once, and believes nothing that it has not held against something else: data against checksum and sizes,
/// local headers against the central directory, the directory against the end records, the end against the end of the file.
/// </summary>
internal sealed class ZipWalk(ZipSource source, ExportContents contents)
{
    private const int Stored = 0;
    private const int Deflated = 8;
    private const int BufferBytes = 64 * 1024;

    private readonly ZipDirectory _directory = new();
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly Crc32 _crc = new();
    private long _size;

    /// <summary>A document that is not complete. The bytes may be as they were sent, so the archive's own problems come first.</summary>
    public ExportProblem? DocumentProblem { get; private set; }

    /// <summary>Reads it all, or throws <see cref="ExportProblemException"/>.</summary>
    public async Task RunAsync()
    {
        if (await SignatureAsync() is not (ZipHeader.LocalSignature or ZipEnd.Signature or ZipEnd.Zip64Signature))
            throw NotAZip();
        while (await SignatureAsync() == ZipHeader.LocalSignature)
            await EntryAsync();

        var start = source.Position;
        source.Inside = "the central directory";
        while (await SignatureAsync() == ZipHeader.CentralSignature)
            await DirectoryEntryAsync();

        source.Inside = "the end of the central directory";
        var signature = await SignatureAsync();
        if (signature is not (ZipEnd.Signature or ZipEnd.Zip64Signature))
            throw new ExportProblemException(ExportProblemKind.UnexpectedData, source.Position, null, $"At offset {source.Position} there is neither an entry nor the central directory nor its end.");
        if (_directory.Matched != _directory.Count)
            throw new ExportProblemException(ExportProblemKind.RecordMismatch, source.Position, null, $"The central directory at offset {start} names {_directory.Matched} of the archive's {_directory.Count} entries.");
        await new ZipEnd(source, _directory.Count, start).ReadAsync(signature);
        if (_directory.Count == 0)
            throw new ExportProblemException(ExportProblemKind.Empty, 0, null, "The archive is well formed and holds no entry.");
    }

    private async ValueTask<uint> SignatureAsync()
    {
        var length = await source.PeekAsync(_buffer.AsMemory(0, 4));
        if (length == 4)
            return BinaryPrimitives.ReadUInt32LittleEndian(_buffer);
        if (length == 0 && source.Position > 0 && source.Inside != "the end of the central directory")
            throw new ExportProblemException(ExportProblemKind.MissingDirectory, source.Position, null, $"The file ends at offset {source.Position}, where an entry or the central directory should begin: the central directory is missing.");
        throw source.Truncated();
    }

    private ExportProblemException NotAZip()
    {
        var page = _buffer.AsSpan(0, 4).TrimStart(" \t\r\n\uFEFF"u8) is [(byte)'<', ..];
        return new(ExportProblemKind.NotAZip, 0, null, page ? "The file is a web page, not a zip file (offset 0)." : "The file does not begin with a zip entry (offset 0).");
    }

    private async ValueTask EntryAsync()
    {
        var at = source.Position;
        source.Inside = "a local header";
        await PeekWholeAsync(ZipHeader.LocalLength);
        var length = ZipHeader.LocalLength + ZipHeader.LocalRest(_buffer);
        var header = ZipHeader.ReadLocal((await source.TakeAsync(length)).Span);
        if (header.IsEncrypted)
            throw new ExportProblemException(ExportProblemKind.Encrypted, at, header.Name, $"'{header.Name}' at offset {at} is encrypted.");
        if (header.IsPatch || header.Method is not (Stored or Deflated))
            throw new ExportProblemException(ExportProblemKind.Unsupported, at, header.Name, $"'{header.Name}' at offset {at} has compression method {header.Method}: only stored and deflated entries are read.");
        if (header.Compressed < 0 || header.Uncompressed < 0)
            throw new ExportProblemException(ExportProblemKind.RecordMismatch, at, header.Name, $"The local header of '{header.Name}' at offset {at} gives a size below zero.");

        var data = source.Position;
        (source.Inside, source.Entry) = ("the data of", header.Name);
        contents.Begin(header.Name);
        _crc.Reset();
        _size = 0;
        var compressed = header switch
        {
            { Method: Deflated } => await InflateAsync(header, data),
            { HasDescriptor: true, Compressed: 0 } => await ScanAsync(header, data),
            _ => await CopyAsync(header, data),
        };
        Check(header, at, data, compressed);
        _directory.Add(header, at, compressed, _size, _crc.Value);
        if (contents.End() is { } problem)
            DocumentProblem ??= new(ExportProblemKind.BrokenXml, data, header.Name, $"'{header.Name}', whose data is at offset {data}, {problem}.");
        source.Entry = null;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        _crc.Append(bytes);
        _size += bytes.Length;
        contents.Append(bytes);
    }

    // Stored, and the size stands before the data.
    private async ValueTask<long> CopyAsync(ZipHeader header, long data)
    {
        for (var left = header.Compressed; left > 0;)
        {
            var bytes = await source.NextAsync(left);
            foreach (var piece in bytes)
                Append(piece.Span);
            left -= bytes.Length;
            source.Advance(bytes.Length);
        }

        return header.HasDescriptor ? await DescriptorAsync(header, data, header.Compressed, 0) : header.Compressed;
    }

    // Stored, and nothing says how long: the data ends at the first descriptor that is true of all before it.
    private async ValueTask<long> ScanAsync(ZipHeader header, long data)
    {
        while (true)
        {
            var length = await source.PeekAsync(_buffer);
            var (taken, descriptor) = Scan(_buffer.AsSpan(0, length), length < _buffer.Length, header.Name, data);
            source.Advance(taken + descriptor);
            if (descriptor > 0)
                return _size;
            if (length < _buffer.Length)
                throw source.Truncated();
        }
    }

    private (int Taken, int Descriptor) Scan(ReadOnlySpan<byte> window, bool isLast, string name, long data)
    {
        for (var at = 0; ;)
        {
            var next = window[at..].IndexOf("PK\x07\x08"u8);
            // What may be the beginning of a descriptor waits for the rest of it.
            var until = next >= 0 ? at + next : Math.Max(at, window.Length - (isLast ? 0 : 3));
            Append(window[at..until]);
            at = until;
            if (next < 0 || (!isLast && window.Length - at < DataDescriptor.MostBytes))
                return (at, 0);
            if (DataDescriptor.Find(window[at..], 0, _size, _crc.Value, _size) is { } descriptor)
                return (at, descriptor.Length);
            if (DataDescriptor.HasSizes(window[at..], _size))
                throw DataDescriptor.Disagreement(window[at..], 0, _size, _crc.Value, _size, name, data);
            Append(window.Slice(at, 1));
            at++;
        }
    }

    private async ValueTask<long> InflateAsync(ZipHeader header, long data)
    {
        var deflated = new DeflatedData(source, header.HasDescriptor ? null : header.Compressed);
        await using (var inflate = new DeflateStream(deflated, CompressionMode.Decompress, leaveOpen: true))
        {
            try
            {
                for (int read; (read = await inflate.ReadAsync(_buffer, CancellationToken.None)) > 0;)
                    Append(_buffer.AsSpan(0, read));
            }
            catch (InvalidDataException)
            {
                throw BadCompression($"cannot be inflated, from offset {source.Position} or a little later");
            }
        }

        if (header.HasDescriptor)
            return await DescriptorAsync(header, data, deflated.Before, deflated.LastPiece);
        if (deflated.RanOut)
            throw BadCompression("does not come to an end");
        source.Advance(deflated.LastPiece);
        if (deflated.Before + deflated.LastPiece != header.Compressed)
            throw BadCompression($"comes to an end before its {header.Compressed} bytes do");
        return header.Compressed;

        ExportProblemException BadCompression(string how) =>
            new(ExportProblemKind.BadCompression, data, header.Name, $"The compressed data of '{header.Name}' at offset {data} {how}.");
    }

    // The data ends, and its descriptor begins, within the next "last" bytes, which come after so many bytes of compressed data.
    private async ValueTask<long> DescriptorAsync(ZipHeader header, long data, long before, int last)
    {
        source.Inside = "the data descriptor of";
        var length = await source.PeekAsync(_buffer.AsMemory(0, last + DataDescriptor.MostBytes));
        if (DataDescriptor.Find(_buffer.AsSpan(0, length), last, before, _crc.Value, _size) is not { } descriptor)
        {
            throw length < last + DataDescriptor.MostBytes
                ? source.Truncated()
                : DataDescriptor.Disagreement(_buffer.AsSpan(0, length), last, before, _crc.Value, _size, header.Name, data);
        }

        source.Advance(descriptor.Start + descriptor.Length);
        return before + descriptor.Start;
    }

    // With a descriptor the header has zeros, or has been completed afterwards.
    private void Check(ZipHeader header, long at, long data, long compressed)
    {
        bool Differs(long stated, long actual) => stated != actual && !(header.HasDescriptor && stated == 0);

        if (Differs(header.Uncompressed, _size))
            throw new ExportProblemException(ExportProblemKind.SizeMismatch, data, header.Name, $"The data of '{header.Name}' at offset {data} is {_size} bytes long, not {header.Uncompressed} as its header says.");
        if (Differs(header.Crc, _crc.Value))
            throw DataDescriptor.Checksum(header.Name, data, _crc.Value, header.Crc);
        if (Differs(header.Compressed, compressed))
            throw new ExportProblemException(ExportProblemKind.RecordMismatch, at, header.Name, $"The local header of '{header.Name}' at offset {at} gives {header.Compressed} compressed bytes, there are {compressed}.");
    }

    private async ValueTask DirectoryEntryAsync()
    {
        var at = source.Position;
        await PeekWholeAsync(ZipHeader.CentralLength);
        var length = ZipHeader.CentralLength + ZipHeader.CentralRest(_buffer);
        _directory.Match(ZipHeader.ReadCentral((await source.TakeAsync(length)).Span), at);
    }

    private async ValueTask PeekWholeAsync(int length)
    {
        if (await source.PeekAsync(_buffer.AsMemory(0, length)) < length)
            throw source.Truncated();
    }
}
