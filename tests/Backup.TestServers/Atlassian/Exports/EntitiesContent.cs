using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Backup.TestServers.Atlassian.Exports;

/// <summary>
/// <c>entities.xml</c>, deflated. One block of objects is written and compressed once and stands there again and again; before each an object with a number of
/// its own lies uncompressed. So the document may be of any size, compresses as real ones do, and any part of it is at hand.
/// </summary>
internal sealed class EntitiesContent : Piece
{
    private readonly byte[] _head;
    private readonly byte[] _body;
    private readonly byte[] _tail;
    private readonly byte[] _numbered;
    private readonly int _numberAt;
    private readonly int _blocks;

    private EntitiesContent(byte[] head, byte[] numbered, int numberAt, byte[] body, byte[] tail, int blocks)
        : base(head.Length + ((long)blocks * (numbered.Length + body.Length)) + tail.Length) =>
        (_head, _numbered, _numberAt, _body, _tail, _blocks) = (head, numbered, numberAt, body, tail, blocks);

    /// <summary>CRC-32 of the document.</summary>
    public uint Crc { get; private init; }

    /// <summary>The document's length, uncompressed.</summary>
    public long Uncompressed { get; private init; }

    /// <summary>Its objects by class.</summary>
    public required IReadOnlyDictionary<string, long> Entities { get; init; }

    /// <summary>A document that takes about so many bytes of the archive.</summary>
    public static EntitiesContent Create(ExportProduct product, int seed, long compressed)
    {
        var text = product == ExportProduct.Confluence ? EntitiesText.Confluence(seed) : EntitiesText.Jira(seed);
        var (head, numbered, tail) = (Store(text.Head, false), Store(text.Numbered, false), Store(text.Tail, true));
        var body = Deflate(text.Body);
        var blocks = (int)Math.Clamp((compressed - head.Length - tail.Length) / (numbered.Length + body.Length), 1, 1_000_000);

        var crc = Crc32Combination.Of(text.Head);
        var number = text.Numbered.ToArray();
        var (numberShift, bodyShift, bodyCrc) = (Crc32Combination.Shift(number.Length), Crc32Combination.Shift(text.Body.Length), Crc32Combination.Of(text.Body));
        for (var block = 0; block < blocks; block++)
        {
            Number(block, number.AsSpan(text.NumberAt));
            crc = Crc32Combination.Combine(Crc32Combination.Combine(crc, Crc32Combination.Of(number), numberShift), bodyCrc, bodyShift);
        }

        return new(head, numbered, numbered.Length - number.Length + text.NumberAt, body, tail, blocks)
        {
            Crc = Crc32Combination.Combine(crc, Crc32Combination.Of(text.Tail), Crc32Combination.Shift(text.Tail.Length)),
            Uncompressed = text.Head.Length + ((long)blocks * (number.Length + text.Body.Length)) + text.Tail.Length,
            Entities = text.Entities.ToDictionary(pair => pair.Key, pair => pair.Value * blocks, StringComparer.Ordinal),
        };
    }

    public override void Fill(long offset, Span<byte> into)
    {
        Span<byte> numbered = stackalloc byte[_numbered.Length];
        while (!into.IsEmpty)
        {
            var part = At(offset, numbered);
            part = part[..Math.Min(part.Length, into.Length)];
            part.CopyTo(into);
            into = into[part.Length..];
            offset += part.Length;
        }
    }

    private ReadOnlySpan<byte> At(long offset, Span<byte> numbered)
    {
        if (offset < _head.Length)
            return _head.AsSpan((int)offset);
        var (block, at) = Math.DivRem(offset - _head.Length, _numbered.Length + _body.Length);
        if (block >= _blocks)
            return _tail.AsSpan((int)(offset - _head.Length - ((long)_blocks * (_numbered.Length + _body.Length))));
        if (at >= _numbered.Length)
            return _body.AsSpan((int)at - _numbered.Length);
        _numbered.CopyTo(numbered);
        Number((int)block, numbered[_numberAt..]);
        return numbered[(int)at..];
    }

    private static void Number(int block, Span<byte> into) => Encoding.ASCII.GetBytes((block + 1).ToString("D9", CultureInfo.InvariantCulture), into);

    private static byte[] Store(byte[] text, bool isLast)
    {
        var block = new byte[5 + text.Length];
        StoredBlocks.Header(block, text.Length, isLast);
        text.CopyTo(block, 5);
        return block;
    }

    // Flushed, it ends at a whole byte and without a last block.
    private static byte[] Deflate(byte[] text)
    {
        using var memory = new MemoryStream();
        using var deflate = new DeflateStream(memory, CompressionLevel.Optimal, leaveOpen: true);
        deflate.Write(text);
        deflate.Flush();
        return memory.ToArray();
    }
}
